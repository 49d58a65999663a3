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

// line is a queue whose requests are known by their names. They arrive one after the other.
type client struct {
	*testing.T
	queue    queue
	entries  map[string]*entry         // of those that wait
	admitted map[string]waitqueue.Mode // of the others
	seqs     map[string]uint64
}

func newClient(t *testing.T) *client {
	return &client{T: t, entries: map[string]*entry{}, admitted: map[string]waitqueue.Mode{}, seqs: map[string]uint64{}}
}

// arrive is the arrival of one request, which must be admitted or not, as want says.
func (l *client) arrive(name string, want bool, mode waitqueue.Mode) {
	l.Helper()
	l.seqs[name] = uint64(len(l.seqs) + 1)
	got := l.queue.Arrive(mode)
	if got != want {
		l.Errorf("Arrive(%v) of %s = %t, want %t", mode, name, got, want)
	}
	if got {
		l.admitted[name] = mode
	} else {
		l.entries[name] = new(entry)
		l.queue.Wait(l.entries[name], name, l.seqs[name], mode)
	}
	l.check()
}

// leave is the departure of a request, which must admit those in want.
func (l *client) leave(name string, want ...string) {
	l.Helper()
	var got []*entry
	if e := l.entries[name]; e != nil {
		delete(l.entries, name)
		got = l.queue.Withdraw(e, nil)
	} else if mode := l.admitted[name]; l.queue.Leave(mode) {
		got = l.queue.Advance(mode, nil)
	}
	var names []string
	for _, e := range got {
		names = append(names, e.Request())
		l.admitted[e.Request()] = e.Mode()
		delete(l.entries, e.Request())
	}
	if diff := cmp.Diff(want, names); diff != "" {
		l.Errorf("the departure of %s admits, -want +got:\n%s", name, diff)
	}
	l.check()
}

// hold narrows the hold of a request to mode, where those in revoked have to wait from now on. The latest come first.
func (l *client) hold(name string, mode waitqueue.Mode, revoked ...string) {
	l.Helper()
	l.queue.Hold(mode)
	l.admitted[name] = mode
	for _, revoked := range revoked {
		l.entries[revoked] = new(entry)
		l.queue.Revoke(l.entries[revoked], revoked, l.seqs[revoked], l.admitted[revoked])
	}
	l.check()
}

func (l *client) check() {
	l.Helper()
	if err := l.queue.Check(); err != nil {
		l.Error(err)
	}
}

func TestLaterRequestIsKeptOutExactlyByConflictingModes(t *testing.T) {
	for _, held := range allModes {
		for _, asked := range allModes {
			l := newClient(t)
			l.arrive("first", true, held)
			l.arrive("second", !held.Conflicts(asked), asked)
			if held.Conflicts(asked) {
				l.leave("first", "second")
			} else {
				l.leave("first")
			}
		}
	}
}

func TestReaderDoesNotOvertakeWaitingWriter(t *testing.T) {
	l := newClient(t)
	l.arrive("early", true, TR)
	l.arrive("writer", false, TW)
	l.arrive("late", false, TR)
	l.leave("early", "writer")
	l.leave("writer", "late")
}

func TestWithdrawnHeadAdmitsThoseBehind(t *testing.T) {
	l := newClient(t)
	l.arrive("early", true, TR)
	l.arrive("writer", false, TW)
	l.arrive("late 1", false, TR)
	l.arrive("late 2", false, TR)
	l.arrive("later", false, NR)
	l.leave("writer", "later", "late 1", "late 2")
}

func TestWithdrawalBehindTheHeadAdmitsNobody(t *testing.T) {
	l := newClient(t)
	l.arrive("holder", true, TR)
	l.arrive("writer 1", false, TW)
	l.arrive("writer 2", false, TW)
	l.arrive("reader", false, TR)
	l.leave("writer 2")
	l.leave("reader")
	l.leave("holder", "writer 1")
}

func TestRunOfReadersIsAdmittedUpToTheNextWriter(t *testing.T) {
	l := newClient(t)
	l.arrive("writer", true, NW)
	l.arrive("reader 1", false, NR)
	l.arrive("reader 2", false, NR)
	l.arrive("next writer", false, NW)
	l.arrive("reader 3", false, NR)
	l.leave("writer", "reader 1", "reader 2")
	l.leave("reader 1")
	l.leave("reader 2", "next writer")
	l.leave("next writer", "reader 3")
}

func TestIntentionsPassAWaitingNodeWriter(t *testing.T) {
	l := newClient(t)
	l.arrive("reader", true, NR)
	l.arrive("writer", false, NW)
	l.arrive("reads below", true, IR)
	l.arrive("writes below", true, IW)
	l.leave("reader", "writer")
}

// TestReadAndWriteBelowKeepOutOtherReaders is where the original library goes wrong.
func TestReadAndWriteBelowKeepOutOtherReaders(t *testing.T) {
	l := newClient(t)
	l.arrive("both", true, waitqueue.IWTR)
	l.arrive("reader", false, TR)
	l.leave("both", "reader")
}

func TestAdvanceAppendsToWhatItIsGiven(t *testing.T) {
	l := newClient(t)
	l.arrive("writer", true, TW)
	l.arrive("reader", false, TR)
	before := new(entry)
	if !l.queue.Leave(TW) {
		t.Error("Leave(TW) of the only writer = false, want true")
	}
	got := l.queue.Advance(TW, []*entry{before})
	if len(got) != 2 || got[0] != before || got[1] != l.entries["reader"] {
		t.Errorf("Advance(TW, [before]) = %v, want before and the reader", got)
	}
}

func TestQueueIsEmptyWhenAllHaveLeft(t *testing.T) {
	l := newClient(t)
	if !l.queue.Empty() {
		t.Error("Empty() = false, want true before anybody arrived")
	}
	l.arrive("a", true, TW)
	l.arrive("b", false, IR)
	l.leave("a", "b")
	if l.queue.Empty() || l.queue.Admitted(IR) != 1 || l.queue.Admitted(TW) != 0 {
		t.Errorf("Empty() = %t, Admitted(IR) = %d, Admitted(TW) = %d, want false, 1, 0 while b is there",
			l.queue.Empty(), l.queue.Admitted(IR), l.queue.Admitted(TW))
	}
	l.leave("b")
	if !l.queue.Empty() {
		t.Error("Empty() = false, want true after all have left")
	}
}

func TestHoldMakesThoseWhoAreRevokedWait(t *testing.T) {
	l := newClient(t)
	l.arrive("owner", true, IR)    // holds the tree above with TW, too, which is not seen here
	l.arrive("reader 1", true, NR) // waits for that, above
	l.arrive("below", true, IW)
	l.arrive("reader 2", true, NR)
	if rivals, earliest := l.queue.Rivals(NW); rivals != 2 || earliest != ^uint64(0) {
		t.Errorf("Rivals(NW) = %d, %d, want 2 admitted and nobody waiting", rivals, earliest)
	}
	l.queue.Leave(IR)
	l.hold("owner", NW, "reader 2", "reader 1")
	l.arrive("reader 3", false, NR)
	l.leave("owner", "reader 1", "reader 2", "reader 3")
}

func TestRivalsAreCountedAndTheEarliestThatWaitsIsKnown(t *testing.T) {
	l := newClient(t)
	l.arrive("reader 1", true, TR)
	l.arrive("reader 2", true, IR)
	l.arrive("writer 1", false, NW)
	l.arrive("writer 2", false, TW)
	l.arrive("reader 3", false, TR)
	for _, test := range []struct {
		mode     waitqueue.Mode
		admitted int
		earliest uint64
	}{{TW, 2, 3}, {IW, 1, 4}, {NR, 0, 3}, {IR, 0, 4}, {waitqueue.IWNR, 1, 3}} {
		if admitted, earliest := l.queue.Rivals(test.mode); admitted != test.admitted || earliest != test.earliest {
			t.Errorf("Rivals(%v) = %d, %d, want %d, %d", test.mode, admitted, earliest, test.admitted, test.earliest)
		}
	}
}

func TestWaitingRunsModeByModeInOrderOfArrivalAndStopsWhenTold(t *testing.T) {
	l := newClient(t)
	l.arrive("holder", true, TW)
	l.arrive("tree 1", false, TR)
	l.arrive("node 1", false, NR)
	l.arrive("tree 2", false, TR)
	l.arrive("both", false, waitqueue.IWTR)
	l.arrive("node 2", false, NR)
	var got []string
	for e := range l.queue.Waiting(waitqueue.AllModes.Without(waitqueue.IWTR)) {
		got = append(got, e.Request())
	}
	if diff := cmp.Diff([]string{"node 1", "node 2", "tree 1", "tree 2"}, got); diff != "" {
		t.Errorf("Waiting(all but IWTR): -want +got:\n%s", diff)
	}
	for range l.queue.Waiting(waitqueue.AllModes) {
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
