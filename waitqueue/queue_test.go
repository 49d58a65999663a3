package waitqueue_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock/waitqueue"
)

type (
	queue = waitqueue.Queue[string]
	entry = waitqueue.Entry[string]
)

// line is a queue whose entries are known by the names of their requests. Requests arrive one after the other.
type line struct {
	*testing.T
	queue   queue
	entries map[string]*entry
	seq     uint64
}

func newLine(t *testing.T) *line { return &line{T: t, entries: map[string]*entry{}} }

// arrive is the arrival of one request in some modes, each of which must be admitted or not, as want says.
func (l *line) arrive(name string, want bool, modes ...waitqueue.Mode) {
	l.Helper()
	l.seq++
	for _, mode := range modes {
		e := new(entry)
		l.entries[name+" "+mode.String()] = e
		if got := l.queue.Arrive(e, name, l.seq, mode); got != want {
			l.Errorf("Arrive(%s, %v) = %t, want %t", name, mode, got, want)
		}
	}
	l.check()
}

// leave is the departure of an entry, such as "writer TW", which must admit those in want.
func (l *line) leave(name string, want ...string) {
	l.Helper()
	if diff := cmp.Diff(want, l.queue.Leave(l.entries[name], nil)); diff != "" {
		l.Errorf("Leave(%s): -want +got:\n%s", name, diff)
	}
	l.check()
}

// hold narrows the hold of an entry's request to mode, which must make those in want wait.
func (l *line) hold(name string, mode waitqueue.Mode, want ...string) {
	l.Helper()
	e, wide := new(entry), l.entries[name]
	l.entries[wide.Request()+" "+mode.String()] = e
	if diff := cmp.Diff(want, l.queue.Hold(e, wide.Request(), wide.Seq(), mode, nil)); diff != "" {
		l.Errorf("Hold(%s, %v): -want +got:\n%s", name, mode, diff)
	}
	l.check()
}

func (l *line) check() {
	l.Helper()
	if err := l.queue.Check(); err != nil {
		l.Error(err)
	}
}

func TestLaterEntryIsKeptOutExactlyByConflictingModes(t *testing.T) {
	for _, held := range allModes {
		for _, asked := range allModes {
			l := newLine(t)
			l.arrive("first", true, held)
			l.arrive("second", !held.Conflicts(asked), asked)
			if held.Conflicts(asked) {
				l.leave("first "+held.String(), "second")
			} else {
				l.leave("first " + held.String())
			}
		}
	}
}

func TestReaderDoesNotOvertakeWaitingWriter(t *testing.T) {
	l := newLine(t)
	l.arrive("early", true, TR)
	l.arrive("writer", false, TW)
	l.arrive("late", false, TR)
	l.leave("early TR", "writer")
	l.leave("writer TW", "late")
}

func TestWithdrawnHeadAdmitsThoseBehind(t *testing.T) {
	l := newLine(t)
	l.arrive("early", true, TR)
	l.arrive("writer", false, TW)
	l.arrive("late 1", false, TR)
	l.arrive("late 2", false, TR)
	l.arrive("later", false, NR)
	l.leave("writer TW", "later", "late 1", "late 2")
}

func TestWithdrawalBehindTheHeadAdmitsNobody(t *testing.T) {
	l := newLine(t)
	l.arrive("holder", true, TR)
	l.arrive("writer 1", false, TW)
	l.arrive("writer 2", false, TW)
	l.arrive("reader", false, TR)
	l.leave("writer 2 TW")
	l.leave("reader TR")
	l.leave("holder TR", "writer 1")
}

func TestRunOfReadersIsAdmittedUpToTheNextWriter(t *testing.T) {
	l := newLine(t)
	l.arrive("writer", true, NW)
	l.arrive("reader 1", false, NR)
	l.arrive("reader 2", false, NR)
	l.arrive("next writer", false, NW)
	l.arrive("reader 3", false, NR)
	l.leave("writer NW", "reader 1", "reader 2")
	l.leave("reader 1 NR")
	l.leave("reader 2 NR", "next writer")
	l.leave("next writer NW", "reader 3")
}

func TestIntentionsPassAWaitingNodeWriter(t *testing.T) {
	l := newLine(t)
	l.arrive("reader", true, NR)
	l.arrive("writer", false, NW)
	l.arrive("reads below", true, IR)
	l.arrive("writes below", true, IW)
	l.leave("reader NR", "writer")
}

// TestReadAndWriteBelowKeepOutOtherReaders is where the original library goes wrong.
func TestReadAndWriteBelowKeepOutOtherReaders(t *testing.T) {
	l := newLine(t)
	l.arrive("both", true, TR, IW)
	l.arrive("reader", false, TR)
	l.leave("both TR")
	l.leave("both IW", "reader")
}

func TestEntriesOfOneRequestDoNotConflict(t *testing.T) {
	l := newLine(t)
	l.arrive("all", true, allModes...)
	l.arrive("all again", false, allModes...)
	l.leave("all TW", "all again") // its IR
	for _, mode := range []waitqueue.Mode{NW, TR, IR, NR} {
		l.queue.Leave(l.entries["all "+mode.String()], nil)
		l.check()
	}
	l.leave("all IW", "all again", "all again") // its TR and TW
}

func TestLeaveAppendsToWhatItIsGiven(t *testing.T) {
	l := newLine(t)
	l.arrive("writer", true, TW)
	l.arrive("reader", false, TR)
	got := l.queue.Leave(l.entries["writer TW"], []string{"before"})
	if diff := cmp.Diff([]string{"before", "reader"}, got); diff != "" {
		t.Errorf("Leave(writer, [before]): -want +got:\n%s", diff)
	}
}

func TestQueueIsEmptyWhenAllHaveLeft(t *testing.T) {
	l := newLine(t)
	if !l.queue.Empty() {
		t.Error("Empty() = false, want true before anybody arrived")
	}
	l.arrive("a", true, TW)
	l.arrive("b", false, IR)
	l.leave("a TW", "b")
	if l.queue.Empty() {
		t.Error("Empty() = true, want false while b is there")
	}
	l.leave("b IR")
	if !l.queue.Empty() {
		t.Error("Empty() = false, want true after all have left")
	}
}

func TestHoldMakesLaterEntriesWait(t *testing.T) {
	l := newLine(t)
	l.arrive("owner", true, IR)    // holds the tree above with TW, too, which is not seen here
	l.arrive("reader 1", true, NR) // waits for that, above
	l.arrive("below", true, IW)
	l.arrive("reader 2", true, NR)
	l.hold("owner IR", NW, "reader 1", "reader 2")
	l.leave("owner IR")
	l.arrive("reader 3", false, NR)
	l.leave("owner NW", "reader 1", "reader 2", "reader 3")
}

func TestHoldSparesEntriesOfItsOwnRequest(t *testing.T) {
	l := newLine(t)
	l.arrive("owner", true, TW)
	l.arrive("reader", false, TR)
	l.hold("owner TW", IW)
	l.hold("owner TW", TR)
	l.leave("owner TW")
	l.leave("owner IW", "reader")
}

func TestHoldStandsBeforeThoseItSharesWith(t *testing.T) {
	l := newLine(t)
	l.arrive("early", true, NR)
	l.arrive("owner", true, TR)
	l.arrive("writer", false, NW)
	l.hold("owner TR", NR)
	l.leave("owner TR")
	l.leave("owner NR")
	l.leave("early NR", "writer")
}

func TestHolderOfARequestMayLeaveInAnyOrder(t *testing.T) {
	for seed := range uint64(50) {
		l := newLine(t)
		l.arrive("owner", true, TW)
		l.arrive("reader", false, TR)
		l.hold("owner TW", NW)
		l.hold("owner TW", IW)
		rng, last := rand.New(rand.NewPCG(seed, 0)), []string(nil)
		for _, i := range rng.Perm(3) {
			last = l.queue.Leave(l.entries["owner "+[]string{"TW", "NW", "IW"}[i]], nil)
			l.check()
		}
		if !slices.Equal(last, []string{"reader"}) {
			t.Errorf("the last entry of the owner admits %v, want the reader", last)
		}
	}
}

func TestEntriesRunModeByModeAndStopWhenTold(t *testing.T) {
	l := newLine(t)
	l.arrive("a", true, TR)
	l.arrive("b", true, IR)
	l.arrive("c", true, TR, NR)
	var got []string
	for e := range l.queue.Entries() {
		got = append(got, fmt.Sprint(e.Request(), " ", e.Seq(), " ", e.Mode(), " ", e.Admitted()))
	}
	if diff := cmp.Diff([]string{"b 2 IR true", "c 3 NR true", "a 1 TR true", "c 3 TR true"}, got); diff != "" {
		t.Errorf("Entries(): -want +got:\n%s", diff)
	}
	for range l.queue.Entries() {
		break
	}
}

func TestQueueAllocatesNothing(t *testing.T) {
	var q queue
	var holder, reader, writer entry
	admitted := make([]string, 0, 4)
	seq := uint64(0)
	got := testing.AllocsPerRun(100, func() {
		seq += 3
		q.Arrive(&holder, "holder", seq, TW)
		q.Arrive(&reader, "reader", seq+1, TR)
		q.Arrive(&writer, "writer", seq+2, NW)
		admitted = q.Leave(&holder, admitted[:0])
		admitted = q.Leave(&reader, admitted[:0])
		admitted = q.Leave(&writer, admitted[:0])
	})
	if got != 0 {
		t.Errorf("Arrive and Leave allocate %v times, want 0", got)
	}
}
