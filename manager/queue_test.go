package manager_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// TestRequestFailsWhenItsQueueIsFull has waiters at several nodes. Each request below is submitted
// and withdrawn at once.
func TestRequestFailsWhenItsQueueIsFull(t *testing.T) {
	m := manager.Start(t.Context())
	must(m.TryAcquire(t.Context(), treelock.Write("/a", "/b", "/c/d")))
	must(m.Submit(t.Context(), treelock.Read("/a")))
	must(m.Submit(t.Context(), treelock.Write("/a")))
	must(m.Submit(t.Context(), treelock.Write("/b")))
	must(m.Submit(t.Context(), treelock.Read("/c"))) // waits at /c
	for _, tt := range []struct {
		req   treelock.Request[path]
		limit int // the smallest one with which the request may wait
	}{
		{treelock.Write("/a"), 3},
		{treelock.Read("/a/x/y"), 3}, // waits at /a
		{treelock.Write("/b"), 2},
		{treelock.Write("/a", "/b"), 3},
		{treelock.Write("/b", "/free", "/a/x"), 3},
		{treelock.Read("/c/d"), 1},
		{treelock.Write("/c/d"), 2}, // waits at /c too, behind the reader
		{treelock.Write("/free"), 0},
		{treelock.Request[path]{}, 0},
	} {
		for n := range 5 {
			ticket, err := m.Submit(t.Context(), tt.req.Queue(n))
			var blocked *treelock.BlockedError[path]
			switch {
			case n >= tt.limit && err != nil:
				t.Errorf("Submit(%v, at most %d) = %v, want a ticket", tt.req, n, err)
			case n < tt.limit && (!errors.Is(err, treelock.ErrBusy) || !errors.As(err, &blocked) || len(blocked.Blockers) == 0):
				t.Errorf("Submit(%v, at most %d) = %v, want ErrBusy with blockers", tt.req, n, err)
			}
			if ticket != nil {
				ticket.Withdraw()
			}
		}
	}
	if stats := m.Stats(); stats.Busy != 17 || stats.Waiting != 4 {
		t.Errorf("Stats() = %+v, want 17 busy and 4 waiting", stats)
	}
}

func TestWithdrawalMakesRoomInAQueue(t *testing.T) {
	m := manager.Start(t.Context())
	holder := must(m.TryAcquire(t.Context(), treelock.Write("/a")))
	first := must(m.Submit(t.Context(), treelock.Write("/a").Queue(1)))
	if _, err := m.Submit(t.Context(), treelock.Write("/a").Queue(1)); !errors.Is(err, treelock.ErrBusy) {
		t.Fatalf("Submit() = %v, want ErrBusy", err)
	}
	first.Withdraw()
	second := must(m.Submit(t.Context(), treelock.Write("/a").Queue(1)))
	holder.Release()
	(<-second.Granted()).Release()
}

// TestQueueInsideAGrantCountsWaitersThere has many waiters outside, which play no part.
func TestQueueInsideAGrantCountsWaitersThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context())
		outer := must(m.TryAcquire(t.Context(), treelock.Write("/a")))
		for range 5 {
			must(m.Submit(t.Context(), treelock.Write("/a")))
		}
		inner := must(outer.Acquire(t.Context(), treelock.Write("/a/x").Queue(0)))
		if _, err := outer.Acquire(t.Context(), treelock.Write("/a/x").Queue(0)); !errors.Is(err, treelock.ErrBusy) {
			t.Errorf("Acquire() inside with Queue(0) = %v, want ErrBusy", err)
		}
		granted := make(chan treelock.Grant[path])
		go func() { granted <- must(outer.Acquire(t.Context(), treelock.Write("/a/x").Queue(1))) }()
		synctest.Wait()
		if _, err := outer.Acquire(t.Context(), treelock.Write("/a/x").Queue(1)); !errors.Is(err, treelock.ErrBusy) {
			t.Errorf("a second Acquire() inside with Queue(1) = %v, want ErrBusy", err)
		}
		inner.Release()
		(<-granted).Release()
		outer.Release()
	})
}

func TestQueueLimitsAWidening(t *testing.T) {
	m := manager.Start(t.Context())
	must(m.TryAcquire(t.Context(), treelock.Write("/b")))
	must(m.Submit(t.Context(), treelock.Write("/b")))
	g := must(m.TryAcquire(t.Context(), treelock.Write("/a")))
	if _, err := g.Widen(t.Context(), treelock.Write("/b").Queue(1)); !errors.Is(err, treelock.ErrBusy) {
		t.Errorf("Widen() = %v, want ErrBusy", err)
	}
	if !g.Holds(treelock.Write("/a")) || g.Holds(treelock.Write("/b")) {
		t.Error("the grant does not hold what it held")
	}
	g.Release()
}
