package clustertest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager/cluster"
	"github.com/treelock/treelock/manager/cluster/clustertest"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// While etcd is full, what is released is free for requests that wait already, leases go on, and
// new requests wait until there is room.
func TestReleaseWorksWhileEtcdIsFull(t *testing.T) {
	server := startServers(t, 1, func(s *clustertest.Server) { s.Quota = 4 << 20 })[0]
	etcd := clientFor(t, []string{server.Client})
	var managers []*cluster.Manager
	for _, name := range []string{"worker-1", "worker-2"} {
		m, err := cluster.Start(background, etcd, "/locks", cluster.WithName(name), cluster.WithTTL(2*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Shutdown(background) })
		managers = append(managers, m)
	}
	a, b := managers[0], managers[1]

	whole, guarded, half := acquire(t, a, treelock.Write("/a")), acquire(t, a, treelock.Write("/g")), acquire(t, a, treelock.Write("/b"))
	guard, err := a.Guard(background, guarded)
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan treelock.Grant[treelock.Path])
	for _, node := range []treelock.Path{"/a", "/g"} {
		go func() { waiting <- acquire(t, b, treelock.Write(node)) }()
	}
	for b.Stats().Waiting < 2 {
		time.Sleep(time.Millisecond)
	}
	fill(t, etcd)

	whole.Release()
	first := <-waiting
	guarded.Release()
	second := <-waiting
	if resp, err := etcd.Txn(background).If(guard).Then(clientv3.OpGet("/x")).Commit(); err != nil || resp.Succeeded {
		t.Errorf("the guard holds after another process was granted what it guarded (%v)", err)
	}
	short, cancel := context.WithTimeout(background, 300*time.Millisecond)
	defer cancel()
	if _, err := a.Acquire(short, treelock.Write("/c")); !errors.Is(err, treelock.ErrGaveUp) {
		t.Errorf("a new request while etcd is full: %v, want ErrGaveUp", err)
	}
	if err := half.Err(); err != nil {
		t.Errorf("a grant while etcd is full: %v", err)
	}

	if _, err := etcd.Delete(background, "/fill", clientv3.WithPrefix()); err != nil {
		t.Fatal(err)
	}
	revision, err := etcd.Get(background, "/fill")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := etcd.Compact(background, revision.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
		t.Fatal(err)
	}
	if _, err := etcd.Defragment(background, server.Client); err != nil {
		t.Fatal(err)
	}
	if _, err := etcd.AlarmDisarm(background, &clientv3.AlarmMember{}); err != nil {
		t.Fatal(err)
	}
	acquire(t, a, treelock.Write("/c")).Release()
	for _, g := range []treelock.Grant[treelock.Path]{first, second, half} {
		g.Release()
	}
}

// fill writes until etcd takes nothing more.
func fill(t *testing.T, etcd *clientv3.Client) {
	t.Helper()
	value := strings.Repeat("x", 64<<10)
	for i := range 1000 {
		_, err := etcd.Put(background, "/fill/"+string(rune('a'+i%26)), value)
		if errors.Is(err, rpctypes.ErrNoSpace) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("etcd is not full")
}
