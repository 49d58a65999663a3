package manager_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

func TestWantedTellsThatARequestWaits(t *testing.T) {
	for _, tt := range []struct {
		held, inside, asked treelock.Request[path]
		want                bool
	}{
		{treelock.Write("/a"), treelock.Write("/a"), treelock.Read("/a"), true},
		{treelock.Write("/a"), treelock.Write("/a"), treelock.Write("/"), true},
		{treelock.Write("/a"), treelock.Write("/a"), treelock.ReadNode("/a/b/c"), true},
		{treelock.Read("/a"), treelock.Read("/a"), treelock.Write("/a"), true},
		{treelock.Read("/a"), treelock.ReadNode("/a/x"), treelock.Write("/a/b"), true},
		{treelock.Write("/b").Read("/a"), treelock.ReadNode("/a"), treelock.Write("/b"), true},
		{treelock.Read("/a"), treelock.Read("/a"), treelock.Read("/a").Write("/c"), false}, // for /c
		{treelock.Write("/a"), treelock.Write("/a"), treelock.Write("/c"), false},
		{treelock.Read("/a"), treelock.Read("/a"), treelock.Write("/c/d"), false},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx := t.Context()
			m := manager.Start(ctx)
			g := must(m.Acquire(ctx, tt.held))
			other := must(m.Acquire(ctx, treelock.Write("/c")))
			sub := must(g.Acquire(ctx, tt.inside))
			before := []<-chan struct{}{g.Wanted(), sub.Wanted()}
			if _, err := m.TryAcquire(ctx, treelock.Write("/a", "/b", "/c")); !errors.Is(err, treelock.ErrConflict) {
				t.Fatal(err) // it does not wait
			}
			if g.Wanted() != before[0] || isClosed(before[0]) || isClosed(before[1]) {
				t.Errorf("%v: the grant is wanted, or gives another channel, before %v waits", tt.held, tt.asked)
			}
			waiter := must(m.Submit(ctx, tt.asked))
			for i, g := range []treelock.Grant[path]{g, sub} {
				if got := []bool{isClosed(before[i]), isClosed(g.Wanted())}; got[0] != tt.want || got[1] != tt.want {
					t.Errorf("%v, %v: wanted by %v: %t when asked before and after, want %t", tt.held, tt.inside, tt.asked, got, tt.want)
				}
			}
			if got, want := isClosed(other.Wanted()), tt.asked.Conflicts(treelock.Write("/c")); got != want {
				t.Errorf("%v: the holder of /c is wanted: %t, want %t", tt.asked, got, want)
			}
			waiter.Withdraw()
			if isClosed(g.Wanted()) != tt.want {
				t.Error("Wanted() changed when the request gave up")
			}
			for _, g := range []treelock.Grant[path]{g, sub, other} {
				g.Release()
			}
		})
	}
}

func TestRequestsInsideWantEachOtherAndNotTheirOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := manager.Start(ctx)
		g := must(m.Acquire(ctx, treelock.Write("/a")))
		sub := must(g.Acquire(ctx, treelock.Write("/a/b")))
		deeper := must(sub.Acquire(ctx, treelock.Read("/a/b/c")))
		beside := must(g.Acquire(ctx, treelock.Write("/a/c")))
		wanted := map[string]<-chan struct{}{
			"the owner": g.Wanted(), "sub": sub.Wanted(), "deeper": deeper.Wanted(), "beside": beside.Wanted(),
		}
		waits, stop := context.WithCancel(ctx)
		go g.Acquire(waits, treelock.Read("/a/b"))
		synctest.Wait()
		for name, c := range wanted {
			if want := name == "sub" || name == "deeper"; isClosed(c) != want {
				t.Errorf("%s is wanted: %t, want %t", name, !want, want)
			}
		}
		stop()
		for _, g := range []treelock.Grant[path]{g, sub, deeper, beside} {
			g.Release()
		}
	})
}

func TestNarrowedGrantIsWantedForTheRestOnly(t *testing.T) {
	ctx := t.Context()
	m := manager.Start(ctx)
	g := must(m.Acquire(ctx, treelock.Write("/")))
	wanted := g.Wanted()
	must(0, g.Narrow(treelock.Read("/a").Write("/b")))
	must(m.Acquire(ctx, treelock.Read("/a"))).Release()
	if isClosed(wanted) {
		t.Error("the grant is wanted by a request that need not wait")
	}
	waiter := must(m.Submit(ctx, treelock.Write("/a/x")))
	if !isClosed(wanted) {
		t.Error("the grant is not wanted by a request that waits for what it narrowed to")
	}
	waiter.Withdraw()
	g.Release()
}

func TestWideningsWantWhatTheyWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := manager.Start(ctx)
		g := must(m.Acquire(ctx, treelock.Read("/a")))
		sub := must(g.Acquire(ctx, treelock.Read("/a")))
		other := must(m.Acquire(ctx, treelock.Read("/a")))
		wanted := map[string]<-chan struct{}{"g": g.Wanted(), "sub": sub.Wanted(), "other": other.Wanted()}
		check := func(when string, want ...string) {
			t.Helper()
			synctest.Wait()
			for name, c := range wanted {
				if want := slices.Contains(want, name); isClosed(c) != want {
					t.Errorf("%s: %s is wanted: %t, want %t", when, name, !want, want)
				}
			}
		}
		widened := make(chan treelock.Grant[path], 1)
		go func() { widened <- must(g.Widen(ctx, treelock.Write("/b").Write("/a"))) }()
		check("g waits to write /a", "other")
		behind := must(m.Submit(ctx, treelock.Read("/b")))
		check("a request waits for what g waits for", "other")
		if isClosed(g.Wanted()) {
			t.Error("g is wanted by its own widening")
		}
		other.Release()
		check("g has it", "other", "g", "sub")
		behind.Withdraw()
		sub.Release()
		(<-widened).Release()
	})
}
