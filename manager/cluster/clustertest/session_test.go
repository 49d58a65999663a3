package clustertest_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/treelock/treelock"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// leaseOf returns the lease of the only session of the prefix of a test.
func leaseOf(t testing.TB, etcd *clientv3.Client) clientv3.LeaseID {
	t.Helper()
	resp, err := etcd.Get(background, "/"+t.Name()+"/c/", clientv3.WithPrefix())
	if err != nil || len(resp.Kvs) != 1 {
		t.Fatal("want one session", resp, err)
	}
	return clientv3.LeaseID(resp.Kvs[0].Lease)
}

// wait waits for a channel, for what it means.
func wait[T any](t testing.TB, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(20 * time.Second):
		t.Fatal("not within 20 s: " + what)
	}
	return v
}

func TestRequestMadeWithoutALeaseIsGrantedByTheNextOne(t *testing.T) {
	etcd := client(t)
	var failures bytes.Buffer
	m := start(t, "worker-1", logTo(&failures))
	for range 3 {
		g := acquire(t, m, treelock.Write("/a"))
		lost := g.Lost()
		if _, err := etcd.Revoke(background, leaseOf(t, etcd)); err != nil {
			t.Fatal(err)
		}
		wait(t, lost, "the grant is lost")
		acquire(t, m, treelock.Write("/a")).Release() // nothing else is sent after it
	}
	if err := m.Shutdown(background); err != nil {
		t.Error(err)
	}
	if strings.Contains(failures.String(), "lease not found") {
		t.Errorf("a lease that has ended is no failure, and is logged:\n%s", failures.String())
	}
}

func TestDeadlineMovesWithEachRenewal(t *testing.T) {
	m := start(t, "worker-1")
	first := m.Deadline()
	if left := time.Until(first); left <= 0 || left > testTTL {
		t.Errorf("the lease counts for %v, want at most %v", left, testTTL)
	}
	for end := first; m.Deadline().Equal(first); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the deadline has passed, and was not moved")
		}
	}
	m.Shutdown(canceled())
	if d := m.Deadline(); !d.IsZero() {
		t.Errorf("the deadline of a manager that has stopped = %v, want none", d)
	}
}
