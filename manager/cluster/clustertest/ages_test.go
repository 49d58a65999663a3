package clustertest_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/cluster"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// seenBy returns the requests that a manager sees, the holder first.
func seenBy(t *testing.T, m *cluster.Manager, n int) []manager.RequestInfo[treelock.Path] {
	t.Helper()
	s, err := m.Snapshot(background, manager.Query[treelock.Path]{})
	if err != nil {
		t.Fatal(err)
	}
	all := append(s.Holders, s.Waiters...)
	if len(all) != n {
		t.Fatalf("%+v: want %d requests", all, n)
	}
	return all
}

// wantSince checks that requests are known to have held or waited since a time between two others.
// The log has milliseconds, and a process reads its two clocks one after the other.
func wantSince(t *testing.T, requests []manager.RequestInfo[treelock.Path], from, to time.Time) {
	t.Helper()
	for _, r := range requests {
		if r.Older || r.Since.Before(from.Add(-10*time.Millisecond)) || r.Since.After(to) {
			t.Errorf("%v %v since %v (older: %t), want a time from %v to %v", r.Claims, r.State, r.Since, r.Older, from, to)
		}
	}
}

func TestProcessKnowsTheAgesOfRequestsFromBeforeItBegan(t *testing.T) {
	before := time.Now()
	a := start(t, "worker-1")
	g := acquire(t, a, treelock.Write("/a"))
	waiter := submit(t, a, treelock.Read("/a"))
	if err := a.Check(background, treelock.For[treelock.Path]()); err != nil {
		t.Fatal(err)
	}
	made := time.Now()
	time.Sleep(300 * time.Millisecond)
	b := start(t, "worker-2")
	wantSince(t, seenBy(t, b, 2), before, made)

	// What b sees itself it knows by its own clock.
	released := time.Now()
	g.Release()
	acquire(t, b, treelock.Read("/a")) // behind the one that waited
	all := seenBy(t, b, 2)
	wantSince(t, all, released, time.Now())

	// A new lease begins with a new list.
	replaceLease(t, "/"+t.Name(), b)
	wantSince(t, seenBy(t, b, 1), before, made)
	wait(t, waiter, "the reader").Release()
}

// replaceLease ends the lease of a manager, and waits for its next one.
func replaceLease(t *testing.T, prefix string, m *cluster.Manager) {
	t.Helper()
	held := acquire(t, m, treelock.Write("/revoked"))
	etcd := client(t)
	token := held.Token()
	resp, err := etcd.Get(background, prefix+"/q/", clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	for _, kv := range resp.Kvs {
		if uint64(kv.CreateRevision) == token>>16 {
			if _, err := etcd.Revoke(background, clientv3.LeaseID(kv.Lease)); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	<-held.Lost()
	acquire(t, m, treelock.Write("/next")).Release()
}

// A prefix that a program of format 1 has begun keeps that, so that both work together.
func TestPrefixOfFormat1HasNoAges(t *testing.T) {
	etcd, prefix := client(t), "/"+t.Name()
	resp, err := etcd.Get(background, prefix)
	if err != nil {
		t.Fatal(err)
	}
	value, err := json.Marshal(map[string]any{"format": 1, "cluster": fmt.Sprintf("%016x", resp.Header.ClusterId)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := etcd.Put(background, prefix+"/meta", string(value)); err != nil {
		t.Fatal(err)
	}
	g := acquire(t, start(t, "worker-1"), treelock.Write("/a"))
	b := start(t, "worker-2")
	if r := seenBy(t, b, 1)[0]; !r.Older {
		t.Errorf("%+v: want that its age is not known", r)
	}
	keys, err := etcd.Get(background, prefix+"/q/", clientv3.WithPrefix())
	if err != nil || len(keys.Kvs) != 1 || keys.Kvs[0].Value[0] != 1 {
		t.Errorf("%v, %v: want one value of format 1", keys.Kvs, err)
	}
	g.Release()
	acquire(t, b, treelock.Write("/a")).Release()
}
