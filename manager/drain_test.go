package manager_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// TestDrainOfAManagerThatWasDrainedAndStopped returns nil only if the manager was drained before it
// stopped.
func TestDrainOfAManagerThatWasDrainedAndStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	m := manager.Start(ctx)
	if err := m.Drain(t.Context()); err != nil {
		t.Fatalf("Drain() = %v, want nil", err)
	}
	stop()
	<-m.Done()
	for range 100 { // each time the same, whatever a select chooses
		if err := m.Drain(t.Context()); err != nil {
			t.Fatalf("Drain() of a manager that was drained and has stopped = %v, want nil", err)
		}
	}

	ctx, stop = context.WithCancel(t.Context())
	m = manager.Start(ctx)
	must(m.TryAcquire(t.Context(), treelock.Write("/a")))
	stop()
	<-m.Done()
	if err := m.Drain(t.Context()); !errors.Is(err, treelock.ErrStopped) {
		t.Errorf("Drain() of a manager that has stopped while a request held = %v, want ErrStopped", err)
	}
}

// TestDrainReturnsTheSameWhereSeveralEndsAreKnown repeats each call, since a select chooses at
// random.
func TestDrainReturnsTheSameWhereSeveralEndsAreKnown(t *testing.T) {
	ended, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	cancel(why)
	drained := manager.Start(t.Context())
	if err := drained.Drain(t.Context()); err != nil {
		t.Fatalf("Drain() = %v, want nil", err)
	}
	for range 100 {
		if err := drained.Drain(ended); err != nil {
			t.Fatalf("Drain() of a manager that is drained = %v, want nil", err)
		}
	}
	for range 100 { // one context for both
		ctx, stop := context.WithCancelCause(t.Context())
		m := manager.Start(ctx)
		must(m.TryAcquire(t.Context(), treelock.Write("/a")))
		told := make(chan error)
		go func() { told <- m.Drain(ctx) }()
		for !errors.Is(second(m.TryAcquire(t.Context(), treelock.Read("/b"))), treelock.ErrDraining) {
		}
		stop(why)
		if err := <-told; !errors.Is(err, context.Canceled) || !errors.Is(err, why) || !errors.Is(err, treelock.ErrStopped) {
			t.Fatalf("Drain() = %v, want ErrStopped, and the error and the cause of its context", err)
		}
		<-m.Done()
	}
}

// TestGrantsOfADrainingManagerCanBeNarrowed checks that a request that waited for the rest is
// granted.
func TestGrantsOfADrainingManagerCanBeNarrowed(t *testing.T) {
	m := manager.Start(t.Context())
	holder := must(m.TryAcquire(t.Context(), treelock.Write("/a")))
	waiter := must(m.Submit(t.Context(), treelock.Write("/a/x")))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Drain(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Drain() = %v, want the error of its context", err)
	}
	if err := holder.Narrow(treelock.Write("/a/y")); err != nil {
		t.Errorf("Narrow() = %v, want nil", err)
	}
	grant := <-waiter.Granted()
	holder.Release()
	grant.Release()
	if err := m.Drain(t.Context()); err != nil {
		t.Errorf("Drain() = %v, want nil", err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestDrainNamesTheLiveRequestsWhenItsContextEnds has requests that hold, wait, and are inside a
// grant. (The empty request claims nothing.)
func TestDrainNamesTheLiveRequestsWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context(), manager.WithBlockers(3))
		outer := must(m.TryAcquire(t.Context(), treelock.Write("/a").Labeled("backup 3").Tagged(7)))
		must(m.Submit(t.Context(), treelock.Read("/a/x")))
		must(outer.Acquire(t.Context(), treelock.Read("/a/y")))
		must(m.TryAcquire(t.Context(), treelock.Read("/b")))
		must(m.TryAcquire(t.Context(), treelock.Read("/b")))
		why := errors.New("the deadline of the deployment")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(why) })
		err := m.Drain(ctx)
		for _, want := range []error{treelock.ErrGaveUp, context.Canceled, why} {
			if !errors.Is(err, want) {
				t.Errorf("Drain() = %v, want %v", err, want)
			}
		}
		var blocked *treelock.BlockedError[path]
		if !errors.As(err, &blocked) {
			t.Fatalf("Drain() = %v, want a BlockedError", err)
		}
		for i := range blocked.Blockers {
			blocked.Blockers[i].For = 0 // as exact as the manager's clock
		}
		read := func(p path) treelock.Claim[path] { return treelock.Claim[path]{Node: p} }
		want := &treelock.BlockedError[path]{Op: "drain", More: 2, Blockers: []treelock.Blocker[path]{
			{Number: 1, Label: "backup 3", Tag: 7, State: treelock.Holding, Claim: treelock.Claim[path]{Node: "/a", Access: treelock.Exclusive}},
			{Number: 2, State: treelock.Waiting, Claim: read("/a/x")},
			{Number: 3, State: treelock.Holding, Claim: read("/a/y")},
		}}
		if diff := cmp.Diff(want, blocked, cmpopts.IgnoreFields(*want, "Err")); diff != "" {
			t.Errorf("Drain() (-want +got):\n%s", diff)
		}
		if text := err.Error(); !strings.Contains(text, `drain: context canceled: the deadline of the deployment; blocked by "backup 3" (#1, write /a, holding`) {
			t.Errorf("Drain() = %s", text)
		}
	})
}

// TestDrainNamesNothingWithoutBlockers has WithBlockers(0), or a manager that stops meanwhile.
func TestDrainNamesNothingWithoutBlockers(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	m := manager.Start(t.Context(), manager.WithBlockers(0))
	must(m.TryAcquire(t.Context(), treelock.Write("/a")))
	var blocked *treelock.BlockedError[path]
	if err := m.Drain(ended); !errors.Is(err, treelock.ErrGaveUp) || errors.As(err, &blocked) {
		t.Errorf("Drain() = %v, want ErrGaveUp and no BlockedError", err)
	}
}
