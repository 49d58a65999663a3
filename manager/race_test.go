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
	grant  = manager.Grant[path]
	ticket = manager.Ticket[path]
)

// TestCancellationAgainstGrantLeaksNothing lets the context of a waiter end at the moment when it is granted. Whatever
// it makes of that, nothing is held afterwards.
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
		after, err := m.TryAcquire(treelock.Write("/"))
		if err != nil {
			t.Fatalf("something is held after the race: %v", err)
		}
		after.Release()
		cancel()
	}
	t.Logf("granted %d times, cancelled %d times", outcomes[true], outcomes[false])
}
