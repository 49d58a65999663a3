package clustertest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A guard holds in transactions of the caller while the grant is held, and no longer than until
// another request gets what it held.
func TestGuardHoldsAsLongAsTheGrant(t *testing.T) {
	a, b := start(t, "worker-1"), start(t, "worker-2")
	etcd := client(t)
	write := func(cmp clientv3.Cmp) bool {
		t.Helper()
		resp, err := etcd.Txn(background).If(cmp).Then(clientv3.OpPut("/other/"+t.Name(), "x")).Commit()
		if err != nil {
			t.Fatal(err)
		}
		return resp.Succeeded
	}
	// Two requests of one batch at most share keys; the guard is that of one request.
	g, other := acquire(t, a, treelock.Write("/a")), acquire(t, a, treelock.Write("/b"))
	defer other.Release()
	guard, err := a.Guard(background, g)
	if err != nil {
		t.Fatal(err)
	}
	if !write(guard) {
		t.Fatal("the guard of a grant that is held does not hold")
	}
	sub := acquire(t, g, treelock.Write("/a/x"))
	if again, err := a.Guard(background, sub); err != nil || !write(again) {
		t.Fatalf("the guard of a sub-grant: %v", err)
	}
	if err := g.Narrow(treelock.Write("/a/x")); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "guard") {
		t.Errorf("Narrow of a guarded grant = %v, want ErrUnsupported, and why", err)
	}
	sub.Release()
	g.Release()
	if _, err := a.Guard(background, g); !errors.Is(err, treelock.ErrReleased) {
		t.Errorf("Guard of a released grant = %v, want ErrReleased", err)
	}
	for _, m := range []treelock.Locker[treelock.Path]{a, b} {
		h := acquire(t, m, treelock.Write("/a"))
		if write(guard) {
			t.Error("the guard holds while another request holds the claim")
		}
		h.Release()
	}
}

// A guard that is asked for and given up at the same time holds nothing up.
func TestGuardsOfManyGrants(t *testing.T) {
	m := start(t, "worker-1")
	done := make(chan error)
	const n = 200
	for i := range n {
		go func() {
			g := acquire(t, m, treelock.Write(treelock.PathOf("n", string(rune('a'+i%7)))))
			_, err := m.Guard(background, g)
			g.Release()
			done <- err
		}()
	}
	for range n {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
