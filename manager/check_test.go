package manager_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// TestCheckSaysWhatTryAcquireWould compares the two, and looks for traces.
func TestCheckSaysWhatTryAcquireWould(t *testing.T) {
	ctx := t.Context()
	m := manager.Start(ctx)
	must(m.Acquire(ctx, treelock.Read("/a").Labeled("backup 1")))
	must(m.Submit(ctx, treelock.Write("/a"))) // waits, and keeps out readers
	for _, req := range []treelock.Request[path]{
		treelock.Read("/a/b"), treelock.Write("/b"), treelock.Write("/b", "/a/c"), treelock.For[path](),
	} {
		before := m.Stats()
		check := m.Check(ctx, req)
		after := m.Stats()
		before.Nodes, after.Nodes = 0, 0 // it may remember idle nodes
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("Check(%v) leaves a trace: -before +after:\n%s", req, diff)
		}
		grant, try := m.TryAcquire(t.Context(), req)
		grant.Release()
		if (check == nil) != (try == nil) || errors.Is(check, treelock.ErrConflict) != errors.Is(try, treelock.ErrConflict) {
			t.Errorf("Check(%v) = %v, want as TryAcquire: %v", req, check, try)
		}
		var c, b *treelock.BlockedError[path]
		if errors.As(try, &b) && (!errors.As(check, &c) || len(c.Blockers) != len(b.Blockers) || c.Blockers[0].Number != b.Blockers[0].Number) {
			t.Errorf("Check(%v) names %v, want the blockers of %v", req, c, b)
		}
	}
}

// TestCheckKeepsNoRequestOut has many checks run beside TryAcquire of the same node.
func TestCheckKeepsNoRequestOut(t *testing.T) {
	m := manager.Start(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	for range 4 {
		go func() {
			for ctx.Err() == nil {
				if err := m.Check(context.Background(), treelock.Write("/a")); err != nil && !errors.Is(err, treelock.ErrConflict) {
					ended <- err
					return
				}
			}
			ended <- nil
		}()
	}
	for range 2000 {
		grant, err := m.TryAcquire(t.Context(), treelock.Write("/a"))
		if err != nil {
			t.Errorf("TryAcquire() = %v beside checks, want a grant", err)
			break
		}
		grant.Release()
	}
	cancel()
	for range 4 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// TestCheckFailsAsOthersDo: ended contexts, draining, a stopped manager, a refused node.
func TestCheckFailsAsOthersDo(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	m := manager.Start(ctx)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Check(ended, treelock.Read("/a")); !errors.Is(err, context.Canceled) || !errors.Is(err, treelock.ErrGaveUp) {
		t.Errorf("Check() = %v under an ended context, want its error and ErrGaveUp", err)
	}
	var refused *treelock.PathError
	if err := m.Check(t.Context(), treelock.Read("a")); !errors.As(err, &refused) {
		t.Errorf("Check() = %v of a relative path, want a PathError", err)
	}
	if err := m.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.Check(t.Context(), treelock.Read("/a")); !errors.Is(err, treelock.ErrDraining) {
		t.Errorf("Check() = %v while the manager drains, want ErrDraining", err)
	}
	stop()
	<-m.Done()
	if err := m.Check(t.Context(), treelock.Read("/a")); !errors.Is(err, treelock.ErrStopped) || errors.Is(err, treelock.ErrGaveUp) {
		t.Errorf("Check() = %v of a stopped manager, want ErrStopped alone", err)
	}
}

// TestTicketWaitReturnsTheGrantOrHoldsNothing takes each way in which a wait can end.
func TestTicketWaitReturnsTheGrantOrHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		managed, stop := context.WithCancel(t.Context())
		m := manager.Start(managed)
		holder := must(m.Acquire(t.Context(), treelock.Write("/a").Labeled("holder")))
		late := must(m.Submit(t.Context(), treelock.Write("/a").Labeled("late")))
		behind := must(m.Submit(t.Context(), treelock.Write("/a")))
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := late.Wait(ctx)
		const text = `treelock: wait "late": context deadline exceeded after 2s; ` +
			`write /a is blocked by "holder" (#1, write /a, holding for 2s)`
		if !errors.Is(err, treelock.ErrGaveUp) || !errors.Is(err, context.DeadlineExceeded) || err.Error() != text {
			t.Errorf("Wait() = %v, want ErrGaveUp, the error of the context and the text\n%s", err, text)
		}
		if err := late.Err(); !errors.Is(err, treelock.ErrWithdrawn) {
			t.Errorf("Err() = %v after a wait that ended, want ErrWithdrawn", err)
		}
		if _, err := late.Wait(t.Context()); !errors.Is(err, treelock.ErrWithdrawn) || errors.Is(err, treelock.ErrGaveUp) {
			t.Errorf("a second Wait() = %v, want ErrWithdrawn alone", err)
		}
		holder.Release()
		grant, err := behind.Wait(t.Context())
		if err != nil || m.Stats().Live != 1 {
			t.Errorf("Wait() = %v, with %d live, want the grant", err, m.Stats().Live)
		}
		waiting := must(m.Submit(t.Context(), treelock.Write("/a")))
		grant.Release()
		synctest.Wait() // its grant is there
		if _, err := waiting.Wait(ctx); !errors.Is(err, treelock.ErrGaveUp) || m.Stats().Live != 0 {
			t.Errorf("Wait() = %v under an ended context, with %d live, want ErrGaveUp and none", err, m.Stats().Live)
		}
		must(m.Acquire(t.Context(), treelock.Write("/a")))
		last := must(m.Submit(t.Context(), treelock.Write("/a")))
		stop()
		if _, err := last.Wait(t.Context()); !errors.Is(err, treelock.ErrStopped) {
			t.Errorf("Wait() = %v of a stopped manager, want ErrStopped", err)
		}
	})
}
