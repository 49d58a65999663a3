package clustertest_test

import (
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
	m, etcd := start(t, "worker-1"), client(t)
	for range 3 {
		g := acquire(t, m, treelock.Write("/a"))
		lost := g.Lost()
		if _, err := etcd.Revoke(background, leaseOf(t, etcd)); err != nil {
			t.Fatal(err)
		}
		wait(t, lost, "the grant is lost")
		acquire(t, m, treelock.Write("/a")).Release() // nothing else is sent after it
	}
}
