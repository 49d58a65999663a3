package manager_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

type (
	path   = treelock.Path
	grant  = treelock.Grant[path]
	ticket = manager.Ticket[path]
)

// TestCancellationAgainstGrantLeaksNothing ends the context of a waiter at the moment of its grant.
// Whatever the waiter returns, nothing is held afterwards.
func TestCancellationAgainstGrantLeaksNothing(t *testing.T) {
	m := manager.Start(t.Context())
	outcomes := map[bool]int{}
	for i := range 3000 {
		holder, err := m.Acquire(t.Context(), treelock.Write("/a"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		waiter := make(chan error)
		go func() {
			g, err := m.Acquire(ctx, treelock.Write("/a/b"))
			g.Release()
			waiter <- err
		}()
		go func() {
			for range i % 8 {
				runtime.Gosched() // so that either may be first
			}
			cancel()
		}()
		holder.Release()
		err = <-waiter
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("Acquire() = %v, want nil or Canceled", err)
		}
		outcomes[err == nil]++
		after, err := m.TryAcquire(t.Context(), treelock.Write("/"))
		if err != nil {
			t.Fatalf("something is held after the race: %v", err)
		}
		after.Release()
		cancel()
	}
	t.Logf("granted %d times, cancelled %d times", outcomes[true], outcomes[false])
}

// TestDoneMeansThatEveryWaiterHasItsError checks Err of each ticket once Done is closed.
func TestDoneMeansThatEveryWaiterHasItsError(t *testing.T) {
	for range 200 {
		ctx, stop := context.WithCancel(t.Context())
		m := manager.Start(ctx)
		if _, err := m.Acquire(ctx, treelock.Write("/a")); err != nil {
			t.Fatal(err)
		}
		var waiters []*ticket
		for range 10 {
			waiter, err := m.Submit(ctx, treelock.Write("/a"))
			if err != nil {
				t.Fatal(err)
			}
			waiters = append(waiters, waiter)
		}
		stop()
		<-m.Done()
		for i, waiter := range waiters {
			if !errors.Is(waiter.Err(), treelock.ErrStopped) {
				t.Fatalf("when the manager is done, Err() of waiter %d = %v, want ErrStopped", i, waiter.Err())
			}
		}
	}
}
