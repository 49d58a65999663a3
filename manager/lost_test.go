package manager_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

var errExpired = errors.New("the lease has expired")

// isClosed reports whether c is closed. A nil channel is not.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// checkOver fails the test unless g is over, as err says: lost if err is not ErrReleased.
func checkOver(t *testing.T, what string, g treelock.Grant[path], want ...error) {
	t.Helper()
	for _, want := range want {
		if err := g.Err(); !errors.Is(err, want) {
			t.Errorf("%s: Err() = %v, want %v", what, err, want)
		}
	}
	if g.Holds(treelock.Request[path]{}) {
		t.Errorf("%s: the grant holds something", what)
	}
}

func TestRevokedGrantIsLostAndTheNextIsGranted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := manager.Start(ctx)
		g := must(m.Acquire(ctx, treelock.Write("/a")))
		next := must(m.Submit(ctx, treelock.Write("/a/b")))
		lost := g.Lost()
		if err := g.Err(); err != nil || isClosed(lost) || g.Lost() != lost {
			t.Errorf("a held grant: Err() = %v, lost %t, the same channel again %t", err, isClosed(lost), g.Lost() == lost)
		}
		if err := m.Revoke(ctx, g.Number(), errExpired); err != nil {
			t.Fatal(err)
		}
		if !isClosed(lost) || !isClosed(g.Lost()) {
			t.Error("Lost() of a revoked grant is not closed")
		}
		checkOver(t, "revoked", g, treelock.ErrLost, errExpired)
		if want := "treelock: the request was lost: the lease has expired"; g.Err().Error() != want {
			t.Errorf("Err() = %q, want %q", g.Err(), want)
		}
		successor := <-next.Granted()
		_, err := g.Acquire(ctx, treelock.Read("/a"))
		if !errors.Is(err, treelock.ErrLost) || !errors.Is(err, errExpired) {
			t.Errorf("Acquire() inside a lost grant = %v, want ErrLost and the cause", err)
		}
		if err := g.Narrow(treelock.Read("/a")); !errors.Is(err, treelock.ErrNotHeld) {
			t.Errorf("Narrow() of a lost grant = %v, want ErrNotHeld", err)
		}
		g.Release()
		checkOver(t, "revoked and released", g, treelock.ErrReleased)
		if err := successor.Err(); err != nil {
			t.Errorf("the release of a lost grant ended its successor: %v", err)
		}
		if err := m.Revoke(ctx, g.Number(), errExpired); !errors.Is(err, treelock.ErrNotHeld) ||
			!strings.Contains(err.Error(), "#1: no such request is live") {
			t.Errorf("Revoke() of a request that is over = %v, want ErrNotHeld, with the number", err)
		}
		successor.Release()
	})
}

func TestRevokedGrantTakesAllInsideWithIt(t *testing.T) {
	for _, released := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ctx := t.Context()
			m := manager.Start(ctx)
			g := must(m.Acquire(ctx, treelock.Write("/a")))
			sub := must(g.Acquire(ctx, treelock.Write("/a/b")))
			deeper := must(sub.Acquire(ctx, treelock.Write("/a/b")))
			beside := must(g.Acquire(ctx, treelock.Read("/a/c")))
			gLost, deeperLost := g.Lost(), deeper.Lost()
			errs := make(chan error, 2)
			for _, in := range []treelock.Grant[path]{sub, beside} {
				go func() {
					_, err := in.Acquire(ctx, treelock.Read("/a/b"))
					errs <- err
				}()
			}
			synctest.Wait()
			if err := <-errs; !errors.Is(err, treelock.ErrNotHeld) { // beside does not hold it
				t.Errorf("Acquire() = %v, want ErrNotHeld", err)
			}
			outside := must(m.Submit(ctx, treelock.Write("/")))
			if released {
				g.Release()
			}
			if err := m.Revoke(ctx, g.Number(), errExpired); err != nil {
				t.Fatal(err)
			}
			if err := <-errs; !errors.Is(err, treelock.ErrLost) || !errors.Is(err, errExpired) {
				t.Errorf("a request that waited inside a revoked grant: %v, want ErrLost and the cause", err)
			}
			(<-outside.Granted()).Release()
			for _, lost := range []treelock.Grant[path]{sub, deeper, beside} {
				checkOver(t, "inside a revoked grant", lost, treelock.ErrLost, errExpired)
				lost.Release()
			}
			if !isClosed(deeperLost) {
				t.Error("Lost() of a grant inside a revoked one is not closed")
			}
			if released {
				checkOver(t, "released, then revoked", g, treelock.ErrReleased)
			} else {
				checkOver(t, "revoked", g, treelock.ErrLost)
			}
			if isClosed(gLost) == released {
				t.Errorf("released %t: Lost() is closed: %t", released, isClosed(gLost))
			}
			if s := m.Stats(); s.Live != 0 || s.Waiting != 0 {
				t.Errorf("%d live, %d waiting, want none", s.Live, s.Waiting)
			}
			must(0, m.Drain(ctx))
		})
	}
}

func TestRevokedSubGrantLeavesTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := manager.Start(ctx)
		g := must(m.Acquire(ctx, treelock.Write("/a")))
		sub := must(g.Acquire(ctx, treelock.Write("/a/b")))
		next := make(chan treelock.Grant[path])
		go func() { next <- must(g.Acquire(ctx, treelock.Write("/a/b"))) }()
		synctest.Wait()
		must(0, m.Revoke(ctx, sub.Number(), nil))
		successor := <-next
		for _, held := range []treelock.Grant[path]{g, successor} {
			if err := held.Err(); err != nil {
				t.Errorf("%v: Err() = %v after another grant was revoked, want nil", held, err)
			}
		}
		checkOver(t, "revoked without a cause", sub, treelock.ErrLost)
		g.Release()
		successor.Release()
	})
}

func TestRevokedWaiterFailsAndLetsOthersIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := manager.Start(ctx)
		g := must(m.Acquire(ctx, treelock.Read("/a")))
		ticket := must(m.Submit(ctx, treelock.Write("/a")))  // 2
		behind := must(m.Submit(ctx, treelock.Read("/a/b"))) // 3
		errs := make(chan error, 1)
		go func() {
			_, err := m.Acquire(ctx, treelock.Write("/a").Labeled("mover")) // 4
			errs <- err
		}()
		synctest.Wait()
		must(0, m.Revoke(ctx, 2, errExpired))
		if _, ok := <-ticket.Granted(); ok {
			t.Error("a revoked ticket delivers a grant")
		}
		(<-behind.Granted()).Release()
		must(0, m.Revoke(ctx, 4, errExpired))
		_, waitErr := ticket.Wait(ctx)
		ticket.Withdraw()
		for what, err := range map[string]error{"Acquire": <-errs, "Err": ticket.Err(), "Wait": waitErr} {
			if !errors.Is(err, treelock.ErrLost) || !errors.Is(err, errExpired) {
				t.Errorf("%s of a revoked request = %v, want ErrLost and the cause", what, err)
			}
		}
		g.Release()
		if s := m.Stats(); s.Live != 0 || s.Waiting != 0 || s.Withdrawn != 2 {
			t.Errorf("%d live, %d waiting, %d withdrawn, want 0, 0 and 2", s.Live, s.Waiting, s.Withdrawn)
		}
	})
}

func TestGrantsAreLostWhenTheManagerStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		m := manager.Start(ctx)
		g := must(m.Acquire(ctx, treelock.Write("/a")))
		sub := must(g.Acquire(ctx, treelock.Write("/a/b")))
		over := must(m.Acquire(ctx, treelock.Read("/b")))
		revoked := must(m.Acquire(ctx, treelock.Read("/c")))
		overLost := over.Lost()
		over.Release()
		told := make(chan error, 2)
		for _, g := range []treelock.Grant[path]{g, sub} {
			lost := g.Lost()
			go func() { <-lost; told <- g.Err() }()
		}
		revokedLost := revoked.Lost()
		must(0, m.Revoke(ctx, revoked.Number(), errExpired))
		synctest.Wait()
		if len(told) > 0 || isClosed(overLost) || !isClosed(revokedLost) {
			t.Error("a grant is lost while its manager runs, or is not when it is revoked")
		}
		why := errors.New("power failure")
		stop(why)
		for range 2 {
			if err := <-told; !errors.Is(err, treelock.ErrLost) || !errors.Is(err, treelock.ErrStopped) || !errors.Is(err, why) {
				t.Errorf("Err() = %v, want ErrLost, ErrStopped and the cause", err)
			}
		}
		<-m.Done()
		if isClosed(overLost) || !isClosed(over.Lost()) || !isClosed(g.Lost()) || g.Wanted() != nil {
			t.Error("after the stop: want Lost() closed, but not that of a grant that was released before, and no Wanted()")
		}
		if err := m.Revoke(t.Context(), g.Number(), nil); !errors.Is(err, treelock.ErrStopped) {
			t.Errorf("Revoke() = %v, want ErrStopped", err)
		}
		g.Release()
	})
}

func TestReleasedAndZeroGrantsAreNotLost(t *testing.T) {
	ctx := t.Context()
	m := manager.Start(ctx)
	g := must(m.Acquire(ctx, treelock.Write("/a")))
	sub := must(g.Acquire(ctx, treelock.Write("/a")))
	g.Release()
	sub.Release()
	var none treelock.Grant[path]
	for _, tt := range []struct {
		g    treelock.Grant[path]
		want error
	}{{g, treelock.ErrReleased}, {sub, treelock.ErrReleased}, {none, treelock.ErrNotHeld}} {
		if err := tt.g.Err(); !errors.Is(err, tt.want) || errors.Is(err, treelock.ErrLost) {
			t.Errorf("Err() of %v = %v, want %v", tt.g, err, tt.want)
		}
		if tt.g.Lost() != nil || tt.g.Wanted() != nil {
			t.Errorf("Lost() or Wanted() of %v, which is over, is not nil", tt.g)
		}
	}
}

func TestRevocationEndsWidenings(t *testing.T) {
	for _, which := range []string{"the grant", "the widening", "the owner", "released"} {
		synctest.Test(t, func(t *testing.T) {
			ctx := t.Context()
			m := manager.Start(ctx)
			owner := must(m.Acquire(ctx, treelock.Write("/a")))        // 1
			g := must(owner.Acquire(ctx, treelock.Read("/a/b")))       // 2
			beside := must(owner.Acquire(ctx, treelock.Write("/a/c"))) // 3
			told := make(chan error, 1)
			go func() {
				_, err := g.Widen(ctx, treelock.Read("/a/c")) // 4
				told <- err
			}()
			synctest.Wait()
			behind := make(chan treelock.Grant[path], 1)
			go func() { // 5 waits for the widening and for beside
				next, _ := owner.Acquire(ctx, treelock.Write("/a/c"))
				behind <- next
			}()
			synctest.Wait()
			number := map[string]uint64{"the grant": 2, "the widening": 4, "the owner": 1, "released": 2}[which]
			if which == "released" {
				deeper := must(g.Acquire(ctx, treelock.Read("/a/b")))
				g.Release()
				if err := <-told; !errors.Is(err, treelock.ErrReleased) {
					t.Errorf("Widen() of a released grant = %v, want ErrReleased", err)
				}
				must(0, m.Revoke(ctx, number, errExpired))
				checkOver(t, which, deeper, treelock.ErrLost, errExpired)
			} else {
				must(0, m.Revoke(ctx, number, errExpired))
				if err := <-told; !errors.Is(err, treelock.ErrLost) || !errors.Is(err, errExpired) {
					t.Errorf("%s: Widen() = %v, want ErrLost and the cause", which, err)
				}
			}
			if held := which == "the widening"; held != (g.Err() == nil) {
				t.Errorf("%s: Err() = %v after the revocation", which, g.Err())
			}
			if _, err := g.TryWiden(ctx, treelock.Read("/a/d")); (err == nil) != (which == "the widening") {
				t.Errorf("%s: TryWiden() = %v after the revocation", which, err)
			}
			beside.Release()
			next := <-behind
			if (next == treelock.Grant[path]{}) != (which == "the owner") {
				t.Errorf("%s: the request behind the widening has got %v", which, next)
			}
			next.Release()
			g.Release()
			owner.Release()
			if s := m.Stats(); s.Live != 0 || s.Waiting != 0 {
				t.Errorf("%s: %d live, %d waiting, want none", which, s.Live, s.Waiting)
			}
		})
	}
}
