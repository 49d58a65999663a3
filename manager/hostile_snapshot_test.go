package manager_test

import (
	"context"
	"errors"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// TestSnapshotCallsNoParent has a node whose Parent panics once the node is locked.
func TestSnapshotCallsNoParent(t *testing.T) {
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

// TestSnapshotIsLeftByItsContext ends the context, or lets it panic, when the snapshot is built: at
// the first row, and at the last check of its context. The next snapshot shows all requests.
func TestSnapshotIsLeftByItsContext(t *testing.T) {
	m := manager.Start(t.Context())
	must(m.TryAcquire(t.Context(), treelock.Write("/a")))
	for range 1000 {
		must(m.Submit(t.Context(), treelock.Write("/a")))
	}
	counter := &mine{Context: t.Context()}
	must(m.Snapshot(counter, query{}))
	if counter.calls < 9 {
		t.Errorf("Snapshot() calls its context %d times for 1,000 waiters, want at least 9", counter.calls)
	}
	for _, at := range []int{2, counter.calls} {
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := m.Snapshot(&mine{Context: ctx, at: at, harm: cancel}, query{}); !errors.Is(err, context.Canceled) {
			t.Errorf("Snapshot() = %v with a context that ends at call %d, want its error", err, at)
		}
		func() {
			defer func() {
				if got := recover(); got != "mine" {
					t.Errorf("Snapshot() panics with %v, want the panic of the context", got)
				}
			}()
			m.Snapshot(&mine{Context: t.Context(), at: at, harm: func() { panic("mine") }}, query{})
		}()
		if s := must(m.Snapshot(t.Context(), query{})); len(s.Waiters) != 1000 {
			t.Errorf("the next snapshot shows %d waiters, want 1,000", len(s.Waiters))
		}
	}
}
