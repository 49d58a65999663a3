package fuzz_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/treelock/treelock/waitqueue"
)

// FuzzQueue plays steps with the wait queue of one node, and compares it with the rule after each:
// a request is admitted exactly if no earlier conflicting request is in the queue.
func FuzzQueue(f *testing.F) {
	f.Fuzz(playQueue)
}

func TestQueueAdmitsWhatTheRuleSays(t *testing.T) {
	randomHistories(t, 3, func(data []byte) { playQueue(t, data) })
}

// playQueue plays the steps that data encodes.
func playQueue(t *testing.T, data []byte) {
	g := &queueCheck{t: t}
	for step := range slices.Chunk(data[:min(len(data), 400)], 2) {
		modes := waitqueue.Modes(0)
		verb, pick := step[0]&3, int(step[0]>>2)
		if len(step) > 1 {
			modes = waitqueue.Modes(step[1] & 63)
		}
		switch {
		case (len(g.all) == 0 || verb == 0) && modes != 0:
			g.arrive(modes.Combined())
		case len(g.all) == 0:
		case verb == 1 && modes != 0:
			g.narrow(g.all[pick%len(g.all)], modes.Combined())
		case verb == 2 && modes != 0:
			g.widen(g.all[pick%len(g.all)], modes.Combined())
		default:
			g.leave(g.all[pick%len(g.all)])
		}
		g.check()
		g.checkSearch()
	}
	for len(g.all) > 0 {
		g.leave(g.all[0])
		g.check()
	}
	if !g.queue.Empty() {
		t.Errorf("I8: the queue is not empty after all requests have left:\n%s", &g.script)
	}
}

type (
	queue = waitqueue.Queue[*queued]
	entry = waitqueue.Entry[*queued]
)

// A queued is a request in the queue.
type queued struct {
	seq   uint64
	mode  waitqueue.Mode
	entry *entry // nil once it is admitted
	holds bool   // it has narrowed, or widens, so all of its request is held

	grant    *queued // of a widening: what it widens
	widening *queued // of a grant: its widening, which waits or is admitted
}

func (r *queued) String() string {
	if r.grant != nil {
		return fmt.Sprintf("widening %d of request %d, to %v", r.seq, r.grant.seq, r.mode)
	}
	return fmt.Sprintf("request %d, in %v", r.seq, r.mode)
}

// held returns the mode of the grant if r is a widening, otherwise none.
func (r *queued) held() (held waitqueue.Modes) {
	if r.grant != nil {
		held = 1 << r.grant.mode
	}
	return held
}

// waitsFor reports whether r waits for other: it conflicts and came earlier, unless r is a widening
// that passes it.
func (r *queued) waitsFor(other *queued) bool {
	passes := r.grant != nil && (other == r.grant || other.entry != nil && other.mode.Conflicts(r.grant.mode))
	return other.mode.Conflicts(r.mode) && other.seq < r.seq && !passes
}

// A queueCheck is a queue and the requests in it, by arrival.
type queueCheck struct {
	t        *testing.T
	queue    queue
	all      []*queued
	requests uint64
	searches uint64
	script   strings.Builder
}

// arrive queues a new request.
func (g *queueCheck) arrive(mode waitqueue.Mode) {
	g.requests++
	r := &queued{seq: g.requests, mode: mode}
	fmt.Fprintf(&g.script, "%v arrives\n", r)
	if g.all = append(g.all, r); !g.queue.Arrive(mode) {
		g.wait(r, (*queue).WaitToWiden)
	}
}

// widen lets r widen to another mode as well. If its widening is admitted, the two become one.
func (g *queueCheck) widen(r *queued, mode waitqueue.Mode) {
	switch w := r.widening; {
	case r.entry != nil || r.grant != nil || w != nil && w.entry != nil:
	case w != nil:
		fmt.Fprintf(&g.script, "%v is granted\n", w)
		r.mode, r.widening = g.queue.Widened(1<<r.mode, w.mode), nil
		g.remove(w)
	case !r.mode.Covers(mode):
		g.requests++
		w = &queued{seq: g.requests, mode: mode, grant: r}
		fmt.Fprintf(&g.script, "%v arrives\n", w)
		r.widening, r.holds = w, true
		if g.all = append(g.all, w); !g.queue.Widen(1<<r.mode, mode) {
			g.wait(w, (*queue).WaitToWiden)
		}
	}
}

func (g *queueCheck) remove(r *queued) {
	g.all = slices.DeleteFunc(g.all, func(other *queued) bool { return other == r })
}

// wait lets r wait, at the end of the queue or at its front.
func (g *queueCheck) wait(r *queued, put func(*queue, *entry, *queued, uint64, waitqueue.Modes, waitqueue.Mode)) {
	r.entry = new(entry)
	put(&g.queue, r.entry, r, r.seq, r.held(), r.mode)
}

// narrow gives r another mode, as if it held a subtree above before. That is possible if r does not
// wait, no conflicting request came earlier, and none holds. A later conflicting request waits for
// r, in the queue of an ancestor. Now it has to wait in this queue.
func (g *queueCheck) narrow(r *queued, mode waitqueue.Mode) {
	conflicting := func(is func(*queued) bool) (found []*queued) {
		for _, other := range g.all {
			if other != r && other.mode.Conflicts(mode) && is(other) {
				found = append(found, other)
			}
		}
		return found
	}
	waits := func(other *queued) bool { return other.entry != nil }
	admitted := conflicting(func(other *queued) bool { return !waits(other) })
	g.checkRivals(r, mode, len(admitted), conflicting(waits))
	keepsOut := func(other *queued) bool { return other.holds || other.seq < r.seq }
	if waits(r) || r.grant != nil || r.widening != nil || len(conflicting(keepsOut)) > 0 {
		return
	}
	fmt.Fprintf(&g.script, "%v narrows to %v\n", r, mode)
	old := r.mode
	g.queue.ForceAdmit(mode)
	r.mode, r.holds = mode, true
	for _, other := range slices.Backward(admitted) {
		g.wait(other, (*queue).Requeue)
	}
	g.advance(old)
}

// checkRivals checks the number of admitted requests, and the earliest waiting one, that conflict
// with mode.
func (g *queueCheck) checkRivals(r *queued, mode waitqueue.Mode, admitted int, waiting []*queued) {
	if r.entry == nil && r.mode.Conflicts(mode) {
		admitted++ // itself
	} else if r.mode.Conflicts(mode) {
		waiting = append(waiting, r)
	}
	earliest := ^uint64(0)
	for _, other := range waiting {
		earliest = min(earliest, other.seq)
	}
	if gotAdmitted, gotEarliest := g.queue.Blockers(mode); gotAdmitted != admitted || gotEarliest != earliest {
		g.fail("Blockers(%v) = %d, %d, want %d, %d", mode, gotAdmitted, gotEarliest, admitted, earliest)
	}
}

// leave takes r out.
func (g *queueCheck) leave(r *queued) {
	if r.widening != nil {
		g.leave(r.widening)
	}
	fmt.Fprintf(&g.script, "%v leaves\n", r)
	if g.remove(r); r.grant != nil {
		r.grant.widening = nil
	}
	if r.entry == nil {
		g.advance(r.mode)
	} else {
		g.admit(g.queue.Withdraw(r.entry, nil))
	}
}

// advance takes out a request that was admitted in mode.
func (g *queueCheck) advance(mode waitqueue.Mode) {
	if g.queue.Leave(mode) {
		g.admit(g.queue.Advance(mode, nil))
	}
}

// admit notes that requests were admitted.
func (g *queueCheck) admit(admitted []*entry) {
	for _, e := range admitted {
		if e.Request().entry != e {
			g.fail("I6: %v was admitted again", e.Request())
		}
		e.Request().entry = nil
	}
}

// check compares the queue with the rule.
func (g *queueCheck) check() {
	waiting := 0
	for _, r := range g.all {
		free := !slices.ContainsFunc(g.all, r.waitsFor)
		if free != (r.entry == nil) {
			g.fail("I2: %v has admitted=%t, want %t", r, r.entry == nil, free)
		}
		if r.entry != nil {
			waiting++
		}
	}
	if err := g.queue.Check(); err != nil {
		g.fail("%v", err)
	}
	found := map[*entry]bool{}
	for e := range g.queue.Waiting(waitqueue.AllModes) {
		if r := e.Request(); found[e] || r.entry != e || e.Seq() != r.seq || e.Mode() != r.mode || e.Held() != r.held() {
			g.fail("I3: the queue has an entry that has left, or has it twice, or wrong: %v", r)
		}
		found[e] = true
	}
	if len(found) != waiting || g.queue.Empty() != (len(g.all) == 0) {
		g.fail("I3: %d entries wait, want %d; Empty() = %t", len(found), waiting, g.queue.Empty())
	}
}

// checkSearch lets a search take the entries that wait for each request in turn, and checks that it
// takes exactly those, each once.
func (g *queueCheck) checkSearch() {
	g.searches++
	taken := map[*entry]bool{}
	for _, r := range g.all {
		after := r.seq
		if r.entry == nil && r.grant == nil {
			after = 0 // it holds
		}
		waits := func(other *queued) bool {
			later := after == 0 || other.seq > after && (other.grant == nil || !other.grant.mode.Conflicts(r.mode))
			return other.entry != nil && other != r && other.mode.Conflicts(r.mode) && later
		}
		for _, e := range g.queue.TakeWaiters(g.searches, r.mode, after, nil) {
			if taken[e] || !waits(e.Request()) {
				g.fail("I11: the search takes %v for %v, which is wrong or not the first time", e.Request(), r)
			}
			taken[e] = true
		}
		for _, other := range g.all {
			if waits(other) && !taken[other.entry] {
				g.fail("I11: the search does not take %v for %v", other, r)
			}
		}
	}
}

func (g *queueCheck) fail(format string, args ...any) {
	g.t.Helper()
	g.t.Fatalf(format+"\n\n%s", append(args, &g.script)...)
}
