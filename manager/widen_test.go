package manager_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

func TestReadBecomesAWriteWhenOtherReadersAreGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := manager.Start(ctx)
		g := must(m.Acquire(ctx, treelock.Read("/a")))
		other := must(m.Acquire(ctx, treelock.Read("/a")))
		late := must(m.Submit(ctx, treelock.Write("/a"))) // waits for g, so g passes it
		if _, err := g.TryWiden(ctx, treelock.Write("/a")); !errors.Is(err, treelock.ErrConflict) {
			t.Errorf("TryWiden() = %v, want ErrConflict", err)
		}
		time.AfterFunc(time.Second, other.Release)
		wide, err := g.Widen(ctx, treelock.Write("/a"))
		if err != nil || !wide.Holds(treelock.Write("/a")) || !g.Holds(treelock.Write("/a")) {
			t.Fatalf("Widen() = %v, %v, want a grant that holds the write", wide, err)
		}
		if wide.Number() != g.Number() || wide.Token() <= other.Token() {
			t.Errorf("the grant is %v, was %v, want its number and a token above that of %v", wide, g, other)
		}
		same, err := wide.Widen(ctx, treelock.Read("/a/b").Write("/a"))
		if err != nil || same != wide {
			t.Errorf("Widen() by what is held = %v, %v, want %v", same, err, wide)
		}
		if same, err = g.Widen(ctx, treelock.Read("/a/b")); err != nil || same.Token() != wide.Token() {
			t.Errorf("Widen() of an older copy = %v, %v, want the token of %v", same, err, wide)
		}
		sub := must(g.TryAcquire(ctx, treelock.Write("/a/b")))
		if sub.Token() != wide.Token() {
			t.Errorf("a grant inside an older copy is %v, want the token of %v", sub, wide)
		}
		sub.Release()
		g.Release()
		if last := <-late.Granted(); last.Token() <= wide.Token() {
			t.Errorf("a later grant is %v, want a token above that of %v", last, wide)
		}
	})
}

func TestTransactionTakesLocksAsItGoes(t *testing.T) {
	ctx := t.Context()
	m := manager.Start(ctx)
	g := must(m.Acquire(ctx, treelock.Request[path]{}))
	for _, p := range []path{"/a", "/b/c", "/b"} {
		g = must(g.Widen(ctx, treelock.Write(p)))
	}
	if !g.Holds(treelock.Write("/a", "/b")) {
		t.Errorf("%v does not hold all that it took", g)
	}
	if s := m.Stats(); s.Live != 1 || s.Widened != 3 || s.Granted != 1 {
		t.Errorf("%d live, %d widened, %d granted, want 1, 3 and 1", s.Live, s.Widened, s.Granted)
	}
	g.Release()
	must(m.TryAcquire(ctx, treelock.Write("/"))).Release()
}

func TestWideningEndsWithoutTrace(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(cancel context.CancelFunc, g treelock.Grant[path], stop context.CancelFunc)
		want error
	}{
		"canceled": {func(cancel context.CancelFunc, _ treelock.Grant[path], _ context.CancelFunc) { cancel() }, treelock.ErrGaveUp},
		"released": {func(_ context.CancelFunc, g treelock.Grant[path], _ context.CancelFunc) { g.Release() }, treelock.ErrReleased},
		"stopped":  {func(_ context.CancelFunc, _ treelock.Grant[path], stop context.CancelFunc) { stop() }, treelock.ErrStopped},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				life, stop := context.WithCancel(t.Context())
				defer stop()
				m := manager.Start(life)
				g := must(m.Acquire(t.Context(), treelock.Read("/a")))
				holder := must(m.Acquire(t.Context(), treelock.Write("/b").Labeled("holder")))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				result := make(chan error, 1)
				go func() {
					got, err := g.Widen(ctx, treelock.Write("/b").Labeled("more"))
					if got != g {
						t.Errorf("Widen() returns %v with its error, want %v", got, g)
					}
					result <- err
				}()
				synctest.Wait()
				if _, err := g.TryWiden(t.Context(), treelock.Write("/c")); !errors.Is(err, treelock.ErrWidening) {
					t.Errorf("a second widening: %v, want ErrWidening", err)
				}
				if err := g.Narrow(treelock.Read("/a/b")); !errors.Is(err, treelock.ErrWidening) {
					t.Errorf("Narrow() meanwhile: %v, want ErrWidening", err)
				}
				tt.end(cancel, g, stop)
				if err := <-result; !errors.Is(err, tt.want) {
					t.Errorf("Widen() = %v, want %v", err, tt.want)
				}
				holder.Release()
				if name == "canceled" {
					must(m.TryAcquire(t.Context(), treelock.Write("/b"))).Release()
					if !g.Holds(treelock.Read("/a")) || g.Holds(treelock.Read("/b")) {
						t.Error("after the cancellation the grant does not hold what it held")
					}
					g.Release()
				}
				if s := m.Stats(); name != "stopped" && (s.Live != 0 || s.Waiting != 0) {
					t.Errorf("%d live, %d waiting, want none", s.Live, s.Waiting)
				}
			})
		})
	}
}

// TestTwoReadersThatBothWidenAreTold: the second one closes a circle.
func TestTwoReadersThatBothWidenAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := manager.Start(ctx)
		first := must(m.Acquire(ctx, treelock.Read("/a").Labeled("first")))
		second := must(m.Acquire(ctx, treelock.Read("/a").Labeled("second")))
		done := make(chan treelock.Grant[path])
		go func() { done <- must(first.Widen(ctx, treelock.Write("/a"))) }()
		synctest.Wait()
		same, err := second.Widen(ctx, treelock.Write("/a"))
		if same != second {
			t.Errorf("Widen() returns %v with its error, want %v", same, second)
		}
		if numbers, links := deadlockOf(t, err); len(numbers) != 2 || numbers[0] != 2 || links[1] != treelock.LinkWaits {
			t.Errorf("the circle is %v, %v, want the two grants, the refused one first", numbers, links)
		}
		second.Release()
		(<-done).Release()
	})
}

func TestGrantInsideWidensInsideOnly(t *testing.T) {
	ctx := t.Context()
	m := manager.Start(ctx, manager.WithMaxClaims(3))
	g := must(m.Acquire(ctx, treelock.Write("/a")))
	sub := must(g.Acquire(ctx, treelock.Read("/a/x")))
	if _, err := sub.Widen(ctx, treelock.Write("/b")); !errors.Is(err, treelock.ErrNotHeld) {
		t.Errorf("Widen() of a sub-grant beyond its grant = %v, want ErrNotHeld", err)
	}
	wide := must(sub.Widen(ctx, treelock.Write("/a/x")))
	if wide.Token() != g.Token() || !wide.Holds(treelock.Write("/a/x")) {
		t.Errorf("Widen() of a sub-grant = %v, want the token of %v", wide, g)
	}
	if _, err := g.Widen(ctx, treelock.Write("/b", "/c", "/d")); !errors.Is(err, treelock.ErrTooWide) {
		t.Errorf("Widen() beyond the limit of claims = %v, want ErrTooWide", err)
	}
	g.Release()
	if _, err := sub.Widen(ctx, treelock.Write("/a/y")); !errors.Is(err, treelock.ErrReleased) {
		t.Errorf("Widen() of a sub-grant when its grant is released = %v, want ErrReleased", err)
	}
	wide.Release()
	if _, err := g.Widen(ctx, treelock.Write("/a")); !errors.Is(err, treelock.ErrReleased) {
		t.Errorf("Widen() of a released grant = %v, want ErrReleased", err)
	}
	if _, err := (treelock.Grant[path]{}).Widen(ctx, treelock.Write("/a")); !errors.Is(err, treelock.ErrNotHeld) {
		t.Errorf("Widen() of no grant = %v, want ErrNotHeld", err)
	}
}
