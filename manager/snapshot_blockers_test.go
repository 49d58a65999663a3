package manager_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// TestSnapshotNamesEachBlockerOnceAndByArrival has one that blocks at several nodes, in several
// modes.
func TestSnapshotNamesEachBlockerOnceAndByArrival(t *testing.T) {
	m := manager.Start(t.Context())
	must(m.TryAcquire(t.Context(), treelock.Read("/a").Read("/b"))) // #1
	must(m.TryAcquire(t.Context(), treelock.Read("/a/b")))          // #2
	must(m.TryAcquire(t.Context(), treelock.Read("/a")))            // #3
	must(m.Submit(t.Context(), treelock.Write("/a", "/b")))
	got := must(m.Snapshot(t.Context(), query{})).Waiters[0]
	if diff := cmp.Diff([]uint64{1, 2, 3}, got.BlockedBy); diff != "" || got.More != 0 {
		t.Errorf("%d more, want 0; -want +got:\n%s", got.More, diff)
	}
}

// TestSnapshotNamesFewBlockersAndCountsMore names the first 8, and counts up to 64 at a node.
func TestSnapshotNamesFewBlockersAndCountsMore(t *testing.T) {
	for holders, atLeast := range map[int]bool{8: false, 20: false, 63: false, 64: false, 65: true} {
		m := manager.Start(t.Context())
		for range holders {
			must(m.TryAcquire(t.Context(), treelock.Read("/a")))
		}
		must(m.Submit(t.Context(), treelock.Write("/a")))
		got := must(m.Snapshot(t.Context(), query{})).Waiters[0]
		if diff := cmp.Diff([]uint64{1, 2, 3, 4, 5, 6, 7, 8}, got.BlockedBy); diff != "" {
			t.Errorf("%d holders: -want +got:\n%s", holders, diff)
		}
		if more := min(holders, 64) - 8; got.More != more || got.AtLeast != atLeast {
			t.Errorf("%d holders: %d more, at least: %t, want %d and %t",
				holders, got.More, got.AtLeast, more, atLeast)
		}
	}
}

// TestSnapshotFindsBlockersAmongMany finds one among many requests. Of many blockers it names the
// first, and does not count all.
func TestSnapshotFindsBlockersAmongMany(t *testing.T) {
	m := manager.Start(t.Context())
	for range 3000 {
		must(m.TryAcquire(t.Context(), treelock.Read("/crowd")))
	}
	must(m.TryAcquire(t.Context(), treelock.Write("/a/b"))) // 3001
	must(m.Submit(t.Context(), treelock.Write("/a")))
	must(m.Submit(t.Context(), treelock.Write("/crowd")))
	s := must(m.Snapshot(t.Context(), query{}))
	if got := s.Waiters[0]; len(got.BlockedBy) != 1 || got.BlockedBy[0] != 3001 || got.More != 0 || got.AtLeast {
		t.Errorf("the first waits for %v, %d more, at least: %t; want 3001 alone", got.BlockedBy, got.More, got.AtLeast)
	}
	if got := s.Waiters[1]; len(got.BlockedBy) != 8 || got.BlockedBy[0] != 1 || got.More == 0 || !got.AtLeast {
		t.Errorf("the second waits for %v, %d more, at least: %t; want the first eight, and at least some more", got.BlockedBy, got.More, got.AtLeast)
	}
}
