package clustertest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager/cluster"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// compactEachWrite compacts the log of etcd after each write. times returns how often it did so
// until now; stop ends it.
func compactEachWrite(t testing.TB, etcd *clientv3.Client) (times func() int, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(background)
	events := etcd.Watch(ctx, "\x00", clientv3.WithFromKey(), clientv3.WithCreatedNotify())
	wait(t, events, "the watch is there")
	ended := make(chan struct{})
	var n atomic.Int64
	go func() {
		defer close(ended)
		for resp := range events {
			if len(resp.Events) == 0 {
				continue
			}
			_, err := etcd.Compact(ctx, resp.Events[len(resp.Events)-1].Kv.ModRevision)
			switch {
			case err == nil:
				n.Add(1)
			case ctx.Err() == nil && !errors.Is(err, rpctypes.ErrCompacted):
				t.Error(err)
			}
		}
	}()
	stop = func() {
		cancel()
		<-ended
	}
	t.Cleanup(stop)
	return func() int { return int(n.Load()) }, stop
}

// A list that is read before the watch is opened would be compacted before that, again and again.
func TestStartSucceedsWhileEachWriteIsCompacted(t *testing.T) {
	t.Parallel()
	etcd := clientFor(t, []string{startServers(t, 1)[0].Client})
	var failures bytes.Buffer
	log := logTo(&failures)
	begin := func(name string) *cluster.Manager {
		t.Helper()
		m, err := cluster.Start(background, etcd, "/locks", cluster.WithName(name), cluster.WithTTL(testTTL), log)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	busy := begin("busy")
	held := acquire(t, busy, treelock.Write("/held"))
	writing, stopWriting := context.WithCancel(background)
	defer stopWriting()
	wrote := make(chan struct{})
	compactions, stop := compactEachWrite(t, etcd)
	go func() {
		defer close(wrote)
		for i := 0; writing.Err() == nil; i++ {
			acquire(t, busy, treelock.Write("/a")).Release()
			etcd.Put(writing, "/other", fmt.Sprint(i))
			time.Sleep(2 * time.Millisecond) // else the compactions do not keep up
		}
	}()
	before, err := etcd.Get(background, "/other")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		began := time.Now()
		m := begin(fmt.Sprintf("late-%d", i))
		wantConflict(t, m, treelock.Read("/held"))
		acquire(t, m, treelock.Write("/a")).Release()
		if took := time.Since(began); took > testTTL+stall {
			t.Errorf("start %d took %v", i, took)
		}
		if err := m.Shutdown(background); err != nil {
			t.Error(err)
		}
	}
	stopWriting()
	<-wrote
	after, err := etcd.Get(background, "/other")
	if err != nil {
		t.Fatal(err)
	}
	stop()
	times, writes := compactions(), after.Header.Revision-before.Header.Revision
	t.Logf("%d compactions of %d revisions", times, writes)
	if times < 50 || int64(times) < writes/4 {
		t.Errorf("%d compactions of %d revisions: this is not after each write", times, writes)
	}
	if err := held.Err(); err != nil {
		t.Errorf("%v, want that the grant is held", err)
	}
	if err := busy.Shutdown(canceled()); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-busy.Done()
	if strings.Contains(failures.String(), "compacted") {
		t.Errorf("a manager had to try again:\n%s", &failures)
	}
	awaitEmpty(t, etcd, "/locks")
}
