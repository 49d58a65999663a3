package manager_test

import (
	"context"
	"errors"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A node whose Parent has gone bad since it was locked spoils no snapshot: nobody asks it.
func TestSnapshotAsksNoNodeForItsParent(t *testing.T) {
	m := manager.StartNodes[*trap](t.Context())
	root := plain()
	bad := &trap{func() (*trap, bool) { return root, true }}
	must(m.Acquire(t.Context(), treelock.Request[*trap]{}.Write(bad)))
	must(m.Submit(t.Context(), treelock.Request[*trap]{}.Read(root)))
	bad.parent = func() (*trap, bool) { panic("gone bad") }
	s := must(m.Snapshot(t.Context(), manager.Query[*trap]{}))
	if len(s.Holders) != 1 || len(s.Waiters) != 1 || len(s.Waiters[0].BlockedBy) != 1 || s.Waiters[0].BlockedBy[0] != 1 {
		t.Errorf("Snapshot() shows %v, waiting: %v; want one that waits for the other", s.Holders, s.Waiters)
	}
}

// A moody context is fine when it is asked for the first time, and panics later.
type moody struct {
	context.Context
	asked, patience int
}

func (c *moody) Err() error {
	if c.asked++; c.asked > c.patience {
		panic("moody")
	}
	return nil
}

// A context that panics in the middle of a snapshot leaves nothing behind: the manager does not go on showing its requests to it.
func TestSnapshotWithAContextThatPanics(t *testing.T) {
	m := manager.Start(t.Context())
	for range still {
		must(m.TryAcquire(treelock.ReadNode("/a")))
	}
	func() {
		defer func() {
			if got := recover(); got != "moody" {
				t.Errorf("Snapshot() has panicked with %v, want the panic of the context", got)
			}
		}()
		m.Snapshot(&moody{Context: t.Context(), patience: 1}, query{})
	}()
	if s := must(m.Snapshot(t.Context(), query{})); len(s.Holders) != still {
		t.Errorf("the next snapshot shows %d holders, want %d", len(s.Holders), still)
	}
}

// Whoever gives up in the middle gets the error of the context.
func TestSnapshotIsGivenUpInTheMiddle(t *testing.T) {
	m := manager.Start(t.Context())
	for range still {
		must(m.TryAcquire(treelock.ReadNode("/a")))
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := m.Snapshot(&fickle{ctx, cancel, 2}, query{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Snapshot() = %v, want that the context has ended", err)
	}
}

// Even when the manager has done its part.
func TestSnapshotIsGivenUpAtTheEnd(t *testing.T) {
	m := manager.Start(t.Context())
	must(m.TryAcquire(treelock.ReadNode("/a")))
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := m.Snapshot(&fickle{ctx, cancel, 1}, query{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Snapshot() = %v, want that the context has ended", err)
	}
}

// A fickle context ends when it has been asked so many times.
type fickle struct {
	context.Context
	cancel func()
	left   int
}

func (c *fickle) Err() error {
	if c.left--; c.left == 0 {
		c.cancel()
	}
	return c.Context.Err()
}
