package manager_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

func TestRequestsInsideAGrantExcludeEachOtherOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := manager.Start(ctx)
		g := must(m.Acquire(ctx, treelock.Write("/a")))
		outside := must(m.Submit(ctx, treelock.Write("/a/b"))) // waits for g, and plays no part inside
		first := must(g.Acquire(ctx, treelock.Write("/a/b")))
		other := must(g.TryAcquire(ctx, treelock.Write("/a/c")))
		if _, err := g.TryAcquire(ctx, treelock.Read("/a/b/x")); !errors.Is(err, treelock.ErrConflict) {
			t.Errorf("a request that conflicts inside: %v, want ErrConflict", err)
		}
		second := make(chan treelock.Grant[path], 1)
		go func() { second <- must(g.Acquire(ctx, treelock.Read("/a/b/x"))) }()
		synctest.Wait()
		if len(second) > 0 || len(outside.Granted()) > 0 {
			t.Error("a request is granted beside one that excludes it")
		}
		if first.Token() != g.Token() || first.Number() == g.Number() {
			t.Errorf("the sub-grant is %v, want the token of %v and a number of its own", first, g)
		}
		first.Release()
		inner := <-second
		innermost := must(inner.Acquire(ctx, treelock.ReadNode("/a/b/x/y")))
		innermost.Release()
		inner.Release()
		other.Release()
		g.Release()
		(<-outside.Granted()).Release()
		if err := m.Drain(ctx); err != nil {
			t.Errorf("Drain() = %v, want nil", err)
		}
	})
}

func TestRequestsMustLieInsideTheGrant(t *testing.T) {
	ctx := t.Context()
	m := manager.Start(ctx)
	g := must(m.Acquire(ctx, treelock.Read("/a").WriteNode("/b")))
	for _, tt := range []struct {
		req  treelock.Request[path]
		want error
	}{
		{treelock.Request[path]{}, nil},
		{treelock.Read("/a/b/c").ReadNode("/a"), nil},
		{treelock.ReadNode("/b").WriteNode("/b"), nil},
		{treelock.Write("/a/b"), treelock.ErrNotHeld},
		{treelock.Read("/b"), treelock.ErrNotHeld},
		{treelock.ReadNode("/b/c"), treelock.ErrNotHeld},
		{treelock.Read("/"), treelock.ErrNotHeld},
	} {
		sub, err := g.TryAcquire(ctx, tt.req)
		if !errors.Is(err, tt.want) {
			t.Errorf("TryAcquire(%v) = %v, want %v", tt.req, err, tt.want)
		}
		if holds := g.Holds(tt.req); holds != (tt.want == nil) {
			t.Errorf("Holds(%v) = %t, want %t", tt.req, holds, tt.want == nil)
		}
		sub.Release()
	}
	g.Release()
	if g.Holds(treelock.Request[path]{}) {
		t.Error("a released grant holds something")
	}
	if _, err := g.TryAcquire(ctx, treelock.Read("/a")); !errors.Is(err, treelock.ErrReleased) {
		t.Errorf("TryAcquire() of a released grant = %v, want ErrReleased", err)
	}
	if _, err := (treelock.Grant[path]{}).Acquire(ctx, treelock.Read("/a")); !errors.Is(err, treelock.ErrNotHeld) {
		t.Errorf("Acquire() of no grant = %v, want ErrNotHeld", err)
	}
}

func TestReleasedGrantLastsAsLongAsGrantsInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := manager.Start(ctx)
		g := must(m.Acquire(ctx, treelock.Write("/a")))
		read := must(g.Acquire(ctx, treelock.Read("/a")))
		errs := make(chan error, 2)
		for _, req := range []treelock.Request[path]{treelock.Write("/a/b"), treelock.Read("/a/b")} {
			go func() {
				_, err := g.Acquire(ctx, req) // the read is behind the write, and must not slip in
				errs <- err
			}()
			synctest.Wait()
		}
		outside := must(m.Submit(ctx, treelock.Write("/a")))
		g.Release()
		for range 2 {
			if err := <-errs; !errors.Is(err, treelock.ErrReleased) {
				t.Errorf("a request that waited inside a released grant: %v, want ErrReleased", err)
			}
		}
		if _, err := g.Acquire(ctx, treelock.Read("/a")); !errors.Is(err, treelock.ErrReleased) {
			t.Errorf("a new request inside a released grant: %v, want ErrReleased", err)
		}
		deeper := must(read.Acquire(ctx, treelock.Read("/a/b"))) // requests inside a sub-grant go on
		g.Release()                                              // again
		if len(outside.Granted()) > 0 || g.Holds(treelock.Read("/a")) {
			t.Error("a released grant excludes no request while grants inside it live, or still holds for its owner")
		}
		read.Release()
		synctest.Wait()
		if len(outside.Granted()) > 0 {
			t.Error("a grant inside a grant inside is forgotten")
		}
		deeper.Release()
		(<-outside.Granted()).Release()
		if s := m.Stats(); s.Live != 0 || s.Waiting != 0 {
			t.Errorf("%d live, %d waiting, want none", s.Live, s.Waiting)
		}
	})
}

func TestNarrowKeepsWhatRequestsInsideClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := manager.Start(ctx)
		g := must(m.Acquire(ctx, treelock.Write("/a", "/b")))
		sub := must(g.Acquire(ctx, treelock.Read("/a/x")))
		waits, stop := context.WithCancel(ctx)
		go g.Acquire(waits, treelock.WriteNode("/a/x"))
		synctest.Wait()
		for _, tt := range []struct {
			req  treelock.Request[path]
			want error
		}{
			{treelock.Write("/b"), treelock.ErrNotHeld},
			{treelock.Read("/a"), treelock.ErrNotHeld}, // the waiting one writes
			{treelock.Write("/a/x/y"), treelock.ErrNotHeld},
			{treelock.Write("/a/x"), nil},
		} {
			if err := g.Narrow(tt.req); !errors.Is(err, tt.want) {
				t.Errorf("Narrow(%v) = %v, want %v", tt.req, err, tt.want)
			}
		}
		stop()
		synctest.Wait()
		if err := g.Narrow(treelock.Read("/a/x")); err != nil {
			t.Errorf("Narrow() when the writer inside is gone = %v, want nil", err)
		}
		if err := sub.Narrow(treelock.ReadNode("/a/x")); err != nil {
			t.Errorf("Narrow() of a sub-grant = %v, want nil", err)
		}
		g.Release()
		if err := g.Narrow(treelock.Request[path]{}); !errors.Is(err, treelock.ErrNotHeld) {
			t.Errorf("Narrow() of a released grant = %v, want ErrNotHeld", err)
		}
		sub.Release()
	})
}

func TestRequestsInsideEndWithTheirContextAndWithTheManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		m := manager.Start(ctx)
		g := must(m.Acquire(ctx, treelock.Write("/a")))
		sub := must(g.Acquire(ctx, treelock.Read("/a").Labeled("the helper")))
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := g.Acquire(short, treelock.Write("/a"))
		var blocked *treelock.BlockedError[path]
		if !errors.As(err, &blocked) || !errors.Is(err, treelock.ErrGaveUp) || blocked.Blockers[0].Label != "the helper" {
			t.Errorf("Acquire() = %v, want ErrGaveUp, blocked by the helper", err)
		}
		errs := make(chan error, 1)
		go func() {
			_, err := g.Acquire(t.Context(), treelock.Write("/a"))
			errs <- err
		}()
		synctest.Wait()
		stop()
		if err := <-errs; !errors.Is(err, treelock.ErrStopped) {
			t.Errorf("Acquire() = %v, want ErrStopped", err)
		}
		sub.Release()
		g.Release()
		<-m.Done()
	})
}

func TestRequestsInsideCountInTheLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := manager.Start(ctx, manager.WithMaxWaiting(1))
		g := must(m.Acquire(ctx, treelock.Write("/a")))
		sub := must(g.Acquire(ctx, treelock.Write("/a")))
		done := make(chan struct{})
		go func() { defer close(done); must(g.Acquire(ctx, treelock.Write("/a"))).Release() }()
		synctest.Wait()
		snapshot := must(m.Snapshot(ctx, manager.Query[path]{}))
		if w := snapshot.Waiters; len(w) != 1 || w[0].Inside != g.Number() || !slices.Equal(w[0].BlockedBy, []uint64{sub.Number()}) {
			t.Errorf("the snapshot shows the waiters %+v, want one inside %v that waits for %v alone", w, g, sub)
		}
		if s := m.Stats(); s.Live != 3 || s.Waiting != 1 {
			t.Errorf("%d live, %d waiting, want 3 and 1", s.Live, s.Waiting)
		}
		for _, locker := range []treelock.Locker[path]{m, g} {
			if _, err := locker.Acquire(ctx, treelock.Write("/a")); !errors.Is(err, treelock.ErrBusy) {
				t.Errorf("Acquire() beyond the limit = %v, want ErrBusy", err)
			}
		}
		sub.Release()
		<-done
		g.Release()
	})
}
