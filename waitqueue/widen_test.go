package waitqueue_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock/waitqueue"
)

// only is the set of one mode.
func only(mode waitqueue.Mode) waitqueue.Modes { return waitqueue.Modes(0).With(mode) }

// widen lets the widening of a request that holds held arrive. want says whether it is admitted.
func (q *namedQueue) widen(name string, want bool, held, mode waitqueue.Mode) {
	q.Helper()
	q.seqs[name] = uint64(len(q.seqs) + 1)
	if got := q.queue.Widen(only(held), mode); got != want {
		q.Errorf("Widen(%v, %v) of %s = %t, want %t", held, mode, name, got, want)
	}
	if want {
		q.admitted[name] = mode
	} else {
		q.entries[name] = new(entry)
		q.queue.WaitToWiden(q.entries[name], name, q.seqs[name], only(held), mode)
	}
	q.check()
}

func TestWideningPassesThoseThatWaitForItsGrant(t *testing.T) {
	q := newNamedQueue(t)
	q.arrive("grant", true, waitqueue.TR)
	q.arrive("other", true, waitqueue.TR)
	q.arrive("writer", false, waitqueue.TW)
	q.widen("widening", false, waitqueue.TR, waitqueue.TW)
	q.leave("other", "widening") // one reader is left, the grant
	q.leave("widening")
	q.leave("grant", "writer")
}

func TestWideningDoesNotPassThoseThatWaitForOthers(t *testing.T) {
	q := newNamedQueue(t)
	q.arrive("grant", true, waitqueue.IR)
	q.arrive("holder", true, waitqueue.TR)
	q.arrive("writer below", false, waitqueue.IW)
	q.widen("widening", false, waitqueue.IR, waitqueue.TR)
	q.arrive("late", false, waitqueue.TR)
	q.leave("holder", "writer below")
	q.leave("writer below", "late", "widening")
}

func TestWideningsOfDifferentHeldModesWaitApart(t *testing.T) {
	q := newNamedQueue(t)
	q.arrive("reader", true, waitqueue.TR)
	q.arrive("node reader", true, waitqueue.NR)
	q.widen("first", false, waitqueue.TR, waitqueue.TW)
	q.widen("second", false, waitqueue.NR, waitqueue.TW)
	q.leave("first")
	q.leave("reader", "second")
}

func TestWidenedModeConflictsWithAllThatBothConflictWith(t *testing.T) {
	for _, held := range allModes {
		for _, mode := range allModes {
			var q queue
			q.Arrive(held)
			if held.Covers(mode) || !q.Widen(only(held), mode) {
				continue
			}
			combined := q.Widened(only(held), mode)
			if want := held.Conflicting() | mode.Conflicting(); combined.Conflicting() != want || q.Admitted(combined) != 1 {
				t.Errorf("%v widened by %v is %v, which conflicts with %b, want %b", held, mode, combined, combined.Conflicting(), want)
			}
			if q.Leave(combined); !q.Empty() {
				t.Errorf("%v widened by %v: the queue is not empty after the end", held, mode)
			}
		}
	}
}

func TestSearchTakesEachEntryOnce(t *testing.T) {
	q := newNamedQueue(t)
	q.arrive("holder", true, waitqueue.TW)
	for _, name := range []string{"a", "b", "c", "d"} {
		q.arrive(name, false, waitqueue.TW)
	}
	take := func(search, after uint64, want ...string) {
		t.Helper()
		var got []string
		for _, e := range q.queue.TakeWaiters(search, waitqueue.TW, after, nil) {
			got = append(got, e.Request())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("search %d, after %d: -want +got:\n%s", search, after, diff)
		}
	}
	take(1, q.seqs["d"])
	take(1, q.seqs["b"], "d", "c")
	take(1, q.seqs["c"])
	take(1, q.seqs["a"], "b")
	take(1, 0, "a")
	take(1, 0)
	take(2, 0, "d", "c", "b", "a")
	q.queue.Untake(q.entries["b"])
	take(2, q.seqs["c"], "d")
}
