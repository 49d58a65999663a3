package clustertest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager/cluster"
)

// submit submits a request, and does not wait for its grant.
func submit(t testing.TB, m *cluster.Manager, req treelock.Request[treelock.Path]) <-chan treelock.Grant[treelock.Path] {
	t.Helper()
	ticket, err := m.Submit(background, req)
	if err != nil {
		t.Fatal(err)
	}
	return ticket.Granted()
}

func narrow(t testing.TB, g treelock.Grant[treelock.Path], req treelock.Request[treelock.Path]) {
	t.Helper()
	if err := g.Narrow(req); err != nil {
		t.Fatal(err)
	}
}

// wantConflict checks that another process holds what conflicts with req.
func wantConflict(t testing.TB, m *cluster.Manager, req treelock.Request[treelock.Path]) {
	t.Helper()
	if g, err := m.TryAcquire(background, req); !errors.Is(err, treelock.ErrConflict) {
		g.Release()
		t.Errorf("%v: %v, want ErrConflict", req, err)
	}
}

// In the log the narrowing that lets another request be granted, and the narrowing of that one, are
// of one moment.
func TestNarrowingLetsTheNextRequestBeGrantedAndNarrowed(t *testing.T) {
	a, b := start(t, "worker-1"), start(t, "worker-2")
	for range 20 {
		first := acquire(t, a, treelock.Write("/a"))
		second := submit(t, a, treelock.Write("/a/x"))
		third := submit(t, a, treelock.Write("/a/x/1"))
		submitted := make(chan (<-chan treelock.Grant[treelock.Path]))
		go func() { submitted <- submit(t, a, treelock.Write("/c")) }() // a transaction is under way
		narrow(t, first, treelock.Write("/a/y"))
		g2 := wait(t, second, "the second request is granted")
		narrow(t, g2, treelock.ReadNode("/a/x"))
		g3 := wait(t, third, "the third request is granted")
		narrow(t, g3, treelock.ReadNode("/a/x/1"))
		other := wait(t, <-submitted, "the other request is granted")
		if err := b.Check(background, treelock.Write("/b")); err != nil {
			t.Error(err)
		}
		wantConflict(t, b, treelock.Write("/a/y"))
		wantConflict(t, b, treelock.WriteNode("/a/x"))
		wantConflict(t, b, treelock.WriteNode("/a/x/1"))
		for _, g := range []treelock.Grant[treelock.Path]{first, g2, g3, other} {
			g.Release()
		}
	}
}

// A transaction has room for some ends only, so others learn of them later than of a narrowing.
func TestNarrowingIsKnownBeforeTheEndThatItCameAfter(t *testing.T) {
	a, b := start(t, "worker-1"), start(t, "worker-2")
	var held []treelock.Grant[treelock.Path]
	for i := range 70 {
		held = append(held, acquire(t, a, treelock.Write(treelock.PathOf("a", string(rune('A'+i))))))
	}
	all := submit(t, a, treelock.Write("/a"))
	for _, g := range held {
		g.Release()
	}
	g := wait(t, all, "the request for all is granted")
	narrow(t, g, treelock.Write("/a/x"))
	for range 20 {
		wantConflict(t, b, treelock.Write("/a/x"))
	}
	acquire(t, b, treelock.Write("/a/y")).Release()
	wantConflict(t, b, treelock.Write("/a/x"))
	g.Release()
}

// A grant of few claims can be narrowed to many, which may be more than a transaction takes.
func TestNarrowingToMoreThanTheLogTakesIsRefused(t *testing.T) {
	a, b := start(t, "worker-1"), start(t, "worker-2")
	g := acquire(t, a, treelock.Write("/a"))
	many := make([]treelock.Path, 30_000)
	for i := range many {
		many[i] = treelock.Path(fmt.Sprintf("/a/%s%d", strings.Repeat("x", 60), i))
	}
	if err := g.Narrow(treelock.Read(many...)); !errors.Is(err, treelock.ErrTooWide) {
		t.Errorf("%v, want ErrTooWide", err)
	}
	wantConflict(t, b, treelock.Read("/a"))
	g.Release()
	acquire(t, b, treelock.Write("/a")).Release()
}
