package waitqueue_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock/waitqueue"
)

type (
	queue = waitqueue.Queue[string]
	entry = waitqueue.Entry[string]
)

// A namedQueue is a queue whose requests have names. They arrive one after the other.
type namedQueue struct {
	*testing.T
	queue    queue
	entries  map[string]*entry         // waiting requests
	admitted map[string]waitqueue.Mode // admitted requests
	seqs     map[string]uint64
}

func newNamedQueue(t *testing.T) *namedQueue {
	return &namedQueue{T: t, entries: map[string]*entry{}, admitted: map[string]waitqueue.Mode{}, seqs: map[string]uint64{}}
}

// arrive lets a request arrive. want says whether it must be admitted.
func (q *namedQueue) arrive(name string, want bool, mode waitqueue.Mode) {
	q.Helper()
	q.seqs[name] = uint64(len(q.seqs) + 1)
	got := q.queue.Arrive(mode)
	if got != want {
		q.Errorf("Arrive(%v) of %s = %t, want %t", mode, name, got, want)
	}
	if got {
		q.admitted[name] = mode
	} else {
		q.entries[name] = new(entry)
		q.queue.Wait(q.entries[name], name, q.seqs[name], mode)
	}
	q.check()
}

// leave releases or withdraws a request. That must admit the requests in want.
func (q *namedQueue) leave(name string, want ...string) {
	q.Helper()
	var got []*entry
	if e := q.entries[name]; e != nil {
		delete(q.entries, name)
		got = q.queue.Withdraw(e, nil)
	} else if mode := q.admitted[name]; q.queue.Leave(mode) {
		got = q.queue.Advance(mode, nil)
	}
	var names []string
	for _, e := range got {
		names = append(names, e.Request())
		q.admitted[e.Request()] = e.Mode()
		delete(q.entries, e.Request())
	}
	if diff := cmp.Diff(want, names); diff != "" {
		q.Errorf("the departure of %s admits, -want +got:\n%s", name, diff)
	}
	q.check()
}

// hold admits a request in mode by ForceAdmit, and makes the requests in requeued wait. The latest
// comes first.
func (q *namedQueue) hold(name string, mode waitqueue.Mode, requeued ...string) {
	q.Helper()
	q.queue.ForceAdmit(mode)
	q.admitted[name] = mode
	for _, requeued := range requeued {
		q.entries[requeued] = new(entry)
		q.queue.Requeue(q.entries[requeued], requeued, q.seqs[requeued], 0, q.admitted[requeued])
	}
	q.check()
}

func (q *namedQueue) check() {
	q.Helper()
	if err := q.queue.Check(); err != nil {
		q.Error(err)
	}
}

func TestLaterRequestIsKeptOutExactlyByConflictingModes(t *testing.T) {
	for _, held := range allModes {
		for _, asked := range allModes {
			q := newNamedQueue(t)
			q.arrive("first", true, held)
			q.arrive("second", !held.Conflicts(asked), asked)
			if held.Conflicts(asked) {
				q.leave("first", "second")
			} else {
				q.leave("first")
			}
		}
	}
}

func TestReaderDoesNotOvertakeWaitingWriter(t *testing.T) {
	q := newNamedQueue(t)
	q.arrive("early", true, TR)
	q.arrive("writer", false, TW)
	q.arrive("late", false, TR)
	q.leave("early", "writer")
	q.leave("writer", "late")
}

func TestWithdrawnHeadAdmitsThoseBehind(t *testing.T) {
	q := newNamedQueue(t)
	q.arrive("early", true, TR)
	q.arrive("writer", false, TW)
	q.arrive("late 1", false, TR)
	q.arrive("late 2", false, TR)
	q.arrive("later", false, NR)
	q.leave("writer", "later", "late 1", "late 2")
}

func TestWithdrawalBehindTheHeadAdmitsNone(t *testing.T) {
	q := newNamedQueue(t)
	q.arrive("holder", true, TR)
	q.arrive("writer 1", false, TW)
	q.arrive("writer 2", false, TW)
	q.arrive("reader", false, TR)
	q.leave("writer 2")
	q.leave("reader")
	q.leave("holder", "writer 1")
}

func TestRunOfReadersIsAdmittedUpToTheNextWriter(t *testing.T) {
	q := newNamedQueue(t)
	q.arrive("writer", true, NW)
	q.arrive("reader 1", false, NR)
	q.arrive("reader 2", false, NR)
	q.arrive("next writer", false, NW)
	q.arrive("reader 3", false, NR)
	q.leave("writer", "reader 1", "reader 2")
	q.leave("reader 1")
	q.leave("reader 2", "next writer")
	q.leave("next writer", "reader 3")
}

func TestIntentionsPassAWaitingNodeWriter(t *testing.T) {
	q := newNamedQueue(t)
	q.arrive("reader", true, NR)
	q.arrive("writer", false, NW)
	q.arrive("reads below", true, IR)
	q.arrive("writes below", true, IW)
	q.leave("reader", "writer")
}

// TestReadAndWriteBelowKeepOutOtherReaders is where the original library goes wrong.
func TestReadAndWriteBelowKeepOutOtherReaders(t *testing.T) {
	q := newNamedQueue(t)
	q.arrive("both", true, waitqueue.IWTR)
	q.arrive("reader", false, TR)
	q.leave("both", "reader")
}

func TestAdvanceAppendsToWhatItIsGiven(t *testing.T) {
	q := newNamedQueue(t)
	q.arrive("writer", true, TW)
	q.arrive("reader", false, TR)
	before := new(entry)
	if !q.queue.Leave(TW) {
		t.Error("Leave(TW) of the only writer = false, want true")
	}
	got := q.queue.Advance(TW, []*entry{before})
	if len(got) != 2 || got[0] != before || got[1] != q.entries["reader"] {
		t.Errorf("Advance(TW, [before]) = %v, want before and the reader", got)
	}
}

func TestQueueIsEmptyWhenAllHaveLeft(t *testing.T) {
	q := newNamedQueue(t)
	if !q.queue.Empty() {
		t.Error("Empty() = false, want true before the first arrival")
	}
	q.arrive("a", true, TW)
	q.arrive("b", false, IR)
	q.leave("a", "b")
	if q.queue.Empty() || q.queue.Admitted(IR) != 1 || q.queue.Admitted(TW) != 0 {
		t.Errorf("Empty() = %t, Admitted(IR) = %d, Admitted(TW) = %d, want false, 1, 0 while b is there",
			q.queue.Empty(), q.queue.Admitted(IR), q.queue.Admitted(TW))
	}
	q.leave("b")
	if !q.queue.Empty() {
		t.Error("Empty() = false, want true after all have left")
	}
}

func TestForceAdmitMakesRequeuedRequestsWait(t *testing.T) {
	q := newNamedQueue(t)
	q.arrive("owner", true, IR)    // also holds TW at an ancestor
	q.arrive("reader 1", true, NR) // waits at that ancestor
	q.arrive("below", true, IW)
	q.arrive("reader 2", true, NR)
	if blockers, earliest := q.queue.Blockers(NW); blockers != 2 || earliest != ^uint64(0) {
		t.Errorf("Blockers(NW) = %d, %d, want 2 admitted and none waiting", blockers, earliest)
	}
	q.queue.Leave(IR)
	q.hold("owner", NW, "reader 2", "reader 1")
	q.arrive("reader 3", false, NR)
	q.leave("owner", "reader 1", "reader 2", "reader 3")
}

func TestBlockersAreCountedAndTheEarliestWaiterIsKnown(t *testing.T) {
	q := newNamedQueue(t)
	q.arrive("reader 1", true, TR)
	q.arrive("reader 2", true, IR)
	q.arrive("writer 1", false, NW)
	q.arrive("writer 2", false, TW)
	q.arrive("reader 3", false, TR)
	for _, test := range []struct {
		mode     waitqueue.Mode
		admitted int
		earliest uint64
	}{{TW, 2, 3}, {IW, 1, 4}, {NR, 0, 3}, {IR, 0, 4}, {waitqueue.IWNR, 1, 3}} {
		if admitted, earliest := q.queue.Blockers(test.mode); admitted != test.admitted || earliest != test.earliest {
			t.Errorf("Blockers(%v) = %d, %d, want %d, %d", test.mode, admitted, earliest, test.admitted, test.earliest)
		}
	}
}

func TestWaitingRunsModeByModeInOrderOfArrivalAndStopsWhenTold(t *testing.T) {
	q := newNamedQueue(t)
	q.arrive("holder", true, TW)
	q.arrive("tree 1", false, TR)
	q.arrive("node 1", false, NR)
	q.arrive("tree 2", false, TR)
	q.arrive("both", false, waitqueue.IWTR)
	q.arrive("node 2", false, NR)
	var got []string
	for e := range q.queue.Waiting(waitqueue.AllModes.Without(waitqueue.IWTR)) {
		got = append(got, e.Request())
	}
	if diff := cmp.Diff([]string{"node 1", "node 2", "tree 1", "tree 2"}, got); diff != "" {
		t.Errorf("Waiting(all but IWTR): -want +got:\n%s", diff)
	}
	for range q.queue.Waiting(waitqueue.AllModes) {
		break
	}
}

func TestQueueAllocatesNothing(t *testing.T) {
	var q queue
	var reader, writer entry
	admitted := make([]*entry, 0, 4)
	seq := uint64(0)
	got := testing.AllocsPerRun(100, func() {
		seq += 3
		q.Arrive(TW)
		q.Wait(&reader, "reader", seq+1, TR)
		q.Wait(&writer, "writer", seq+2, NW)
		for _, mode := range []waitqueue.Mode{TW, TR, NW} {
			if q.Leave(mode) {
				admitted = q.Advance(mode, admitted[:0])
			}
		}
	})
	if got != 0 || !q.Empty() {
		t.Errorf("the steps allocate %v times, want 0; Empty() = %t", got, q.Empty())
	}
}
