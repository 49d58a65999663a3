package clustertest_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/cluster"
	"github.com/treelock/treelock/manager/page"
)

// soon returns a context for what must not take long.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(background, 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestRequestsOfAllProcessesAreGrantedInTheOrderOfArrival(t *testing.T) {
	managers := []*cluster.Manager{start(t, "worker-1"), start(t, "worker-2"), start(t, "worker-3")}
	first := acquire(t, managers[0], treelock.Write("/a"))
	var tickets []<-chan treelock.Grant[treelock.Path]
	for i := range 30 {
		tickets = append(tickets, submit(t, managers[i%3], treelock.Write("/a")))
	}
	last := first
	last.Release()
	for i, ticket := range tickets {
		g := wait(t, ticket, "the next request is granted")
		for j := i + 1; j < len(tickets); j++ {
			if len(tickets[j]) > 0 {
				t.Errorf("request %d is granted while %d holds", j, i)
			}
		}
		if g.Token() <= last.Token() {
			t.Errorf("token %d after %d", g.Token(), last.Token())
		}
		g.Release()
		last = g
	}
	wantNoKeys(t)
}

func TestReaderDoesNotOvertakeAWriterOfAnotherProcess(t *testing.T) {
	a, b, c := start(t, "worker-1"), start(t, "worker-2"), start(t, "worker-3")
	reader := acquire(t, a, treelock.Read("/a"))
	writer := submit(t, b, treelock.Write("/a/x"))
	if err := c.Check(background, treelock.Read("/a")); !errors.Is(err, treelock.ErrConflict) {
		t.Errorf("Check behind a writer: %v, want ErrConflict", err)
	}
	late := submit(t, c, treelock.Read("/a"))
	acquire(t, c, treelock.Read("/a/y")).Release() // does not conflict
	if len(late) > 0 || len(writer) > 0 {
		t.Error("granted too early")
	}
	reader.Release()
	g := wait(t, writer, "the writer is granted")
	if len(late) > 0 {
		t.Error("the late reader has overtaken the writer")
	}
	g.Release()
	wait(t, late, "the late reader is granted").Release()
	if err := c.Check(background, treelock.Write("/")); err != nil {
		t.Errorf("Check when all is free: %v", err)
	}
}

func TestCheckSeesWhatHappenedBefore(t *testing.T) {
	a, b := start(t, "worker-1"), start(t, "worker-2")
	for range 20 {
		g := acquire(t, a, treelock.Write("/a"))
		if err := b.Check(soon(t), treelock.Write("/a")); !errors.Is(err, treelock.ErrConflict) {
			t.Errorf("Check of what another process holds: %v, want ErrConflict", err)
		}
		g.Release()
	}
}

func TestErrorsAndSnapshotsNameTheOtherProcess(t *testing.T) {
	a, b := start(t, "worker-1"), start(t, "worker-2")
	g := acquire(t, b, treelock.Read("/photos").Labeled("backup 3"))
	_, err := a.TryAcquire(background, treelock.Write("/photos/2024").Labeled("rename 17"))
	want := regexp.MustCompile(`"backup 3" on worker-2 \(#\d+, read /photos, holding for [^)]+\)`)
	if err == nil || !want.MatchString(err.Error()) {
		t.Errorf("%v, want one that matches %v", err, want)
	}
	ctx, cancel := context.WithTimeout(background, 50*time.Millisecond)
	defer cancel()
	if _, err := a.Acquire(ctx, treelock.Write("/photos")); err == nil || !want.MatchString(err.Error()) {
		t.Errorf("%v, want one that matches %v", err, want)
	}
	waiter := submit(t, a, treelock.Write("/photos"))
	s, err := a.Snapshot(background, manager.Query[treelock.Path]{})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Holders) != 1 || s.Holders[0].Process != "worker-2" || s.Holders[0].Label != "backup 3" {
		t.Errorf("holders %+v, want backup 3 on worker-2", s.Holders)
	}
	if len(s.Waiters) != 1 || s.Waiters[0].Process != "" || !slices.Equal(s.Waiters[0].BlockedBy, []uint64{s.Holders[0].Number}) {
		t.Errorf("waiters %+v, want one of this process behind the holder", s.Waiters)
	}
	waiting := s.Waiters[0].Token
	if s.Holders[0].Token != g.Token() || waiting <= g.Token() {
		t.Errorf("tokens %d and %d in the snapshot, want %d of the holder and a larger one", s.Holders[0].Token, waiting, g.Token())
	}
	answer := httptest.NewRecorder()
	page.Handler(a.Manager).ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
	if !strings.Contains(answer.Body.String(), "backup 3") {
		t.Error("the page does not show the request of the other process")
	}
	var _ interface{ Stats() manager.Stats } = a // what package metrics takes
	g.Release()
	h := wait(t, waiter, "the waiter is granted")
	if h.Token() != waiting {
		t.Errorf("the waiter is granted with token %d, and the snapshot had %d", h.Token(), waiting)
	}
	h.Release()
}

func TestRevokeReachesTheOtherProcess(t *testing.T) {
	a, b := start(t, "worker-1"), start(t, "worker-2")
	cause := errors.New("it takes too long")
	for range 5 {
		g := acquire(t, b, treelock.Write("/a"))
		lost := g.Lost()
		waiter := submit(t, a, treelock.Read("/a"))
		ticket, err := b.Submit(background, treelock.Write("/a"))
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Check(background, treelock.Read("/")); err == nil { // brings the mirror up to date
			t.Error("free")
		}
		s, err := a.Snapshot(background, manager.Query[treelock.Path]{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range s.Waiters {
			if r.Process == "" {
				continue
			}
			if err := a.Revoke(soon(t), r.Number, cause); err != nil {
				t.Error(err)
			}
			if _, ok := <-ticket.Granted(); ok || !errors.Is(ticket.Err(), treelock.ErrLost) || !strings.Contains(ticket.Err().Error(), cause.Error()) {
				t.Errorf("the ticket that was revoked: %v, want ErrLost", ticket.Err())
			}
		}
		if err := a.Revoke(soon(t), s.Holders[0].Number, cause); err != nil {
			t.Error(err)
		}
		select {
		case <-lost:
		default:
			t.Error("Revoke returned before Lost was closed")
		}
		if err := g.Err(); !errors.Is(err, treelock.ErrLost) || !strings.Contains(err.Error(), cause.Error()) {
			t.Errorf("%v, want ErrLost with the cause", err)
		}
		if err := a.Revoke(soon(t), s.Holders[0].Number, cause); !errors.Is(err, treelock.ErrNotHeld) {
			t.Errorf("revoked twice: %v, want ErrNotHeld", err)
		}
		g.Release()
		wait(t, waiter, "the waiter is granted").Release()
	}
	wantNoKeys(t)
}

func TestNarrowedGrantLetsOtherProcessesIn(t *testing.T) {
	a, b := start(t, "worker-1"), start(t, "worker-2")
	g := acquire(t, a, treelock.Write("/a", "/b"))
	waiter := submit(t, b, treelock.Write("/a/x"))
	narrow(t, g, treelock.Write("/a/y").Read("/b"))
	wait(t, waiter, "what was given up is granted").Release()
	wantConflict(t, b, treelock.Read("/a/y"))
	acquire(t, b, treelock.Read("/b")).Release()
	// A process that starts later reads it from the list.
	c := start(t, "worker-3")
	acquire(t, c, treelock.Write("/a/x").Read("/b")).Release()
	wantConflict(t, c, treelock.Read("/a/y"))
	g.Release()
}

func TestSubGrantsNeedNoNetwork(t *testing.T) {
	a, b := start(t, "worker-1"), start(t, "worker-2")
	err := a.Do(soon(t), treelock.Write("/tenant"), func(ctx context.Context) error {
		outer, _ := treelock.FromContext[treelock.Path](ctx)
		inner := acquire(t, outer, treelock.Write("/tenant/1"))
		if _, err := outer.TryAcquire(ctx, treelock.Read("/tenant/1")); !errors.Is(err, treelock.ErrConflict) {
			t.Errorf("inside: %v, want ErrConflict", err)
		}
		helper := acquire(t, treelock.Inside(ctx, a), treelock.Write("/tenant/2"))
		if inner.Token() != outer.Token() || helper.Token() != outer.Token() {
			t.Error("a sub-grant has not the token of its grant")
		}
		outer.Release() // the sub-grants keep it
		wantConflict(t, b, treelock.Read("/tenant/3"))
		inner.Release()
		helper.Release()
		acquire(t, b, treelock.Write("/tenant")).Release()
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestDoReportsACircleOfItsOwnProcess(t *testing.T) {
	a := start(t, "worker-1")
	err := a.Do(soon(t), treelock.Write("/a"), func(ctx context.Context) error {
		_, err := a.Acquire(ctx, treelock.Read("/a/x"))
		return err
	})
	if !errors.Is(err, treelock.ErrDeadlock) {
		t.Errorf("%v, want ErrDeadlock", err)
	}
	wantNoKeys(t)
}

func TestSuspendConcernsItsProcessAlone(t *testing.T) {
	a, b := start(t, "worker-1"), start(t, "worker-2")
	other := acquire(t, b, treelock.Write("/a/x"))
	wantConflict(t, a, treelock.Write("/a/x")) // the mirror has it
	resume, err := a.Suspend(soon(t), "moved to another bucket", "/a")
	if err != nil {
		t.Errorf("Suspend waits for a request of another process: %v", err)
	}
	if _, err := a.Acquire(soon(t), treelock.Read("/a/y")); !errors.Is(err, treelock.ErrSuspended) {
		t.Errorf("%v, want ErrSuspended", err)
	}
	acquire(t, b, treelock.Read("/a/y")).Release()
	resume()
	acquire(t, a, treelock.Read("/a/y")).Release()
	other.Release()
}

func TestShutdownFreesAtOnceAndDrainsItsProcessAlone(t *testing.T) {
	a, b := start(t, "worker-1", cluster.WithTTL(time.Minute)), start(t, "worker-2")
	other := acquire(t, b, treelock.Write("/b"))
	held := acquire(t, a, treelock.Write("/a"))
	waiter := submit(t, b, treelock.Write("/a"))
	ctx, cancel := context.WithTimeout(background, 100*time.Millisecond)
	defer cancel()
	err := a.Drain(ctx)
	if !errors.Is(err, treelock.ErrGaveUp) || !strings.Contains(err.Error(), "write /a") || strings.Contains(err.Error(), "worker-2") {
		t.Errorf("%v, want ErrGaveUp that names the request of this process alone", err)
	}
	if _, err := a.Acquire(background, treelock.Read("/c")); !errors.Is(err, treelock.ErrDraining) {
		t.Errorf("%v, want ErrDraining", err)
	}
	if err := a.Shutdown(ctx); !errors.Is(err, treelock.ErrGaveUp) {
		t.Errorf("%v, want ErrGaveUp", err)
	}
	wait(t, waiter, "what was held is free, long before the lease ends").Release()
	held.Release()
	other.Release()
	acquire(t, b, treelock.Write("/")).Release()
	wantNoKeys(t)
}

func TestWithdrawnTicketLeavesNothing(t *testing.T) {
	a, b := start(t, "worker-1"), start(t, "worker-2")
	held := acquire(t, a, treelock.Write("/a"))
	ticket, err := b.Submit(background, treelock.Write("/a"))
	if err != nil {
		t.Fatal(err)
	}
	behind := submit(t, a, treelock.Write("/a"))
	ticket.Withdraw()
	if err := ticket.Err(); !errors.Is(err, treelock.ErrWithdrawn) {
		t.Errorf("%v, want ErrWithdrawn", err)
	}
	held.Release()
	wait(t, behind, "the request behind is granted").Release()
	wantNoKeys(t)
}

func TestWideningAcrossProcessesIsNotSupported(t *testing.T) {
	a := start(t, "worker-1")
	g := acquire(t, a, treelock.Read("/a"))
	if _, err := g.Widen(background, treelock.Write("/a")); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "widen write /a: ") || !strings.Contains(err.Error(), "several processes") {
		t.Errorf("Widen: %v, want ErrUnsupported, with the request and why", err)
	}
	if _, err := g.TryWiden(background, treelock.Write("/a")); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("TryWiden: %v, want ErrUnsupported", err)
	}
	g.Release()
}
