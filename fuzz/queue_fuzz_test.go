package fuzz_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/treelock/treelock/waitqueue"
)

// FuzzQueue plays steps with the wait queue of one node, and compares it with the rule after each: a request is
// admitted exactly if no earlier request that conflicts is there.
func FuzzQueue(f *testing.F) {
	f.Fuzz(playQueue)
}

func TestQueueAdmitsWhatTheRuleSays(t *testing.T) {
	data := make([]byte, 400)
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		playQueue(t, data)
	}
}

// playQueue plays the steps that data stands for.
func playQueue(t *testing.T, data []byte) {
	q := &queueGame{t: t}
	for step := range slices.Chunk(data[:min(len(data), 400)], 2) {
		modes := waitqueue.Modes(0)
		which := step[0]
		if len(step) > 1 {
			modes = waitqueue.Modes(step[1] & 63)
		}
		switch pick := int(which >> 2); {
		case (len(q.all) == 0 || which&3 == 0) && modes != 0:
			q.arrive(modes.Combined())
		case len(q.all) == 0:
		case which&3 == 1 && modes != 0:
			q.narrow(q.all[pick%len(q.all)], modes.Combined())
		default:
			q.leave(q.all[pick%len(q.all)])
		}
		q.check()
	}
	for len(q.all) > 0 {
		q.leave(q.all[0])
		q.check()
	}
	if !q.queue.Empty() {
		t.Errorf("I8: the queue is not empty after all have left:\n%s", &q.script)
	}
}

type entry = waitqueue.Entry[*standing] // of a standing that waits

// A standing is a request in the queue.
type standing struct {
	seq   uint64
	mode  waitqueue.Mode
	entry *entry // nil once it is admitted
	holds bool   // it has narrowed, and so its request holds all that it claims
}

func (g *standing) String() string { return fmt.Sprintf("request %d, in %v", g.seq, g.mode) }

// A queueGame is a queue and who is in it, by arrival.
type queueGame struct {
	t        *testing.T
	queue    waitqueue.Queue[*standing]
	all      []*standing
	requests uint64
	script   strings.Builder
}

// arrive queues a new request.
func (q *queueGame) arrive(mode waitqueue.Mode) {
	q.requests++
	g := &standing{seq: q.requests, mode: mode}
	fmt.Fprintf(&q.script, "%v arrives\n", g)
	if q.all = append(q.all, g); !q.queue.Arrive(mode) {
		q.wait(g, (*waitqueue.Queue[*standing]).Wait)
	}
}

// wait lets g wait, at the end of the queue or at its front.
func (q *queueGame) wait(g *standing, put func(*waitqueue.Queue[*standing], *entry, *standing, uint64, waitqueue.Mode)) {
	g.entry = new(entry)
	put(&q.queue, g.entry, g, g.seq, g.mode)
}

// narrow gives g another mode, as if it held a subtree above before, if that may be: it does not wait, no conflicting
// request came earlier, and none holds. What conflicts and came later waits for it, in the queue of an ancestor; now it has to wait here.
func (q *queueGame) narrow(g *standing, mode waitqueue.Mode) {
	rivals := func(is func(*standing) bool) (found []*standing) {
		for _, o := range q.all {
			if o != g && o.mode.Conflicts(mode) && is(o) {
				found = append(found, o)
			}
		}
		return found
	}
	waits := func(o *standing) bool { return o.entry != nil }
	passed := rivals(func(o *standing) bool { return !waits(o) })
	q.checkRivals(g, mode, len(passed), rivals(waits))
	if waits(g) || len(rivals(func(o *standing) bool { return o.holds || o.seq < g.seq })) > 0 {
		return
	}
	fmt.Fprintf(&q.script, "%v narrows to %v\n", g, mode)
	old := g.mode
	q.queue.Hold(mode)
	g.mode, g.holds = mode, true
	for _, o := range slices.Backward(passed) {
		q.wait(o, (*waitqueue.Queue[*standing]).Revoke)
	}
	q.advance(old)
}

// checkRivals checks what the queue says of those that are in g's way to mode.
func (q *queueGame) checkRivals(g *standing, mode waitqueue.Mode, admitted int, waiting []*standing) {
	if g.entry == nil && g.mode.Conflicts(mode) {
		admitted++ // itself
	} else if g.mode.Conflicts(mode) {
		waiting = append(waiting, g)
	}
	earliest := ^uint64(0)
	for _, o := range waiting {
		earliest = min(earliest, o.seq)
	}
	if gotAdmitted, gotEarliest := q.queue.Rivals(mode); gotAdmitted != admitted || gotEarliest != earliest {
		q.fail("Rivals(%v) = %d, %d, want %d, %d", mode, gotAdmitted, gotEarliest, admitted, earliest)
	}
}

// leave takes g out.
func (q *queueGame) leave(g *standing) {
	fmt.Fprintf(&q.script, "%v leaves\n", g)
	q.all = slices.DeleteFunc(q.all, func(o *standing) bool { return o == g })
	if g.entry == nil {
		q.advance(g.mode)
	} else {
		q.admit(q.queue.Withdraw(g.entry, nil))
	}
}

// advance takes out one that was admitted in mode.
func (q *queueGame) advance(mode waitqueue.Mode) {
	if q.queue.Leave(mode) {
		q.admit(q.queue.Advance(mode, nil))
	}
}

// admit takes in who was admitted.
func (q *queueGame) admit(admitted []*entry) {
	for _, e := range admitted {
		if e.Request().entry != e {
			q.fail("I6: %v was admitted again", e.Request())
		}
		e.Request().entry = nil
	}
}

// check compares the queue with the rule.
func (q *queueGame) check() {
	waiting := 0
	for _, g := range q.all {
		free := !slices.ContainsFunc(q.all, func(o *standing) bool { return o.mode.Conflicts(g.mode) && o.before(g) })
		if free != (g.entry == nil) {
			q.fail("I2: %v has admitted=%t, want %t", g, g.entry == nil, free)
		}
		if g.entry != nil {
			waiting++
		}
	}
	if err := q.queue.Check(); err != nil {
		q.fail("%v", err)
	}
	found := map[*entry]bool{}
	for e := range q.queue.Waiting(waitqueue.AllModes) {
		if found[e] || e.Request().entry != e || e.Seq() != e.Request().seq || e.Mode() != e.Request().mode {
			q.fail("I3: the queue has an entry that has left, or has it twice, or wrong: %v", e.Request())
		}
		found[e] = true
	}
	if len(found) != waiting || q.queue.Empty() != (len(q.all) == 0) {
		q.fail("I3: %d entries wait, want %d; Empty() = %t", len(found), waiting, q.queue.Empty())
	}
}

// before reports whether g comes before o by the rule.
func (g *standing) before(o *standing) bool { return g.seq < o.seq }

func (q *queueGame) fail(format string, args ...any) {
	q.t.Helper()
	q.t.Fatalf(format+"\n\n%s", append(args, &q.script)...)
}
