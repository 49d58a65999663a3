package fuzz_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/treelock/treelock/waitqueue"
)

// FuzzQueue plays steps with the wait queue of one node, and compares it with the rule after each: an entry is
// admitted exactly if no conflicting entry of an earlier request is there.
func FuzzQueue(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		q := &queueGame{t: t, holds: map[uint64]bool{}}
		for step := range slices.Chunk(data[:min(len(data), 400)], 2) {
			modes := waitqueue.Modes(0)
			which := step[0]
			if len(step) > 1 {
				modes = waitqueue.Modes(step[1] & 63)
			}
			switch pick := int(which >> 2); {
			case len(q.entries) == 0 || which&3 == 0:
				q.arrive(modes)
			case which&3 == 1 && modes != 0:
				q.hold(q.entries[pick%len(q.entries)].Seq(), modes.First())
			default:
				q.leave(pick % len(q.entries))
			}
			q.check()
		}
		for len(q.entries) > 0 {
			q.leave(0)
			q.check()
		}
		if !q.queue.Empty() {
			t.Errorf("I8: the queue is not empty after all have left:\n%s", &q.script)
		}
	})
}

type (
	entry = waitqueue.Entry[uint64] // of the request with that number
	queue = waitqueue.Queue[uint64]
)

// A queueGame is a queue and what is known to be in it.
type queueGame struct {
	t        *testing.T
	queue    queue
	entries  []*entry
	holds    map[uint64]bool // the requests that have narrowed
	requests uint64
	script   strings.Builder
}

// arrive queues a new request in all of modes.
func (q *queueGame) arrive(modes waitqueue.Modes) {
	q.requests++
	for ; modes != 0; modes = modes.Rest() {
		fmt.Fprintf(&q.script, "request %d arrives in %v\n", q.requests, modes.First())
		e := new(entry)
		if admitted := q.queue.Arrive(e, q.requests, q.requests, modes.First()); admitted != e.Admitted() {
			q.fail("I2: Arrive() = %t, and Admitted() = %t", admitted, e.Admitted())
		}
		q.entries = append(q.entries, e)
	}
}

// hold adds an entry for a request that narrows to mode, if it may: it does not wait, no conflicting request came
// earlier, and none holds. (What conflicts and came later waits for it, in the queue of an ancestor.)
func (q *queueGame) hold(seq uint64, mode waitqueue.Mode) {
	earlier := false
	for rival := range q.queue.Rivals(seq, mode) {
		if earlier = rival.Seq() < seq; earlier {
			break
		}
	}
	if want := q.any(func(e *entry) bool { return e.Seq() < seq && e.Mode().Conflicts(mode) }); earlier != want {
		q.fail("Rivals(%d, %v) has earlier ones: %t, want %t", seq, mode, earlier, want)
	}
	rival := func(e *entry) bool { return e.Seq() != seq && q.holds[e.Seq()] && e.Mode().Conflicts(mode) }
	waits := func(e *entry) bool { return e.Seq() == seq && !e.Admitted() }
	if earlier || q.any(rival) || q.any(waits) {
		return
	}
	q.holds[seq] = true
	fmt.Fprintf(&q.script, "request %d holds in %v\n", seq, mode)
	before := q.admitted()
	e := new(entry)
	revoked := q.queue.Hold(e, seq, seq, mode, nil)
	q.entries = append(q.entries, e)
	q.compare("revoked", revoked, before, func(e *entry) bool { return !e.Admitted() })
}

// leave takes the i-th entry out.
func (q *queueGame) leave(i int) {
	e := q.entries[i]
	fmt.Fprintf(&q.script, "request %d leaves %v\n", e.Seq(), e.Mode())
	q.entries = slices.Delete(q.entries, i, i+1)
	waiting := slices.DeleteFunc(slices.Clone(q.entries), (*entry).Admitted)
	q.compare("admitted", q.queue.Leave(e, nil), waiting, (*entry).Admitted)
}

// any reports whether is is true of an entry.
func (q *queueGame) any(is func(*entry) bool) bool { return slices.ContainsFunc(q.entries, is) }

// admitted returns the entries that are admitted.
func (q *queueGame) admitted() []*entry {
	return slices.DeleteFunc(slices.Clone(q.entries), func(e *entry) bool { return !e.Admitted() })
}

// compare compares the requests that a step has returned with those of before that have changed.
func (q *queueGame) compare(what string, got []uint64, before []*entry, changed func(*entry) bool) {
	var want []uint64
	for _, e := range before {
		if changed(e) {
			want = append(want, e.Request())
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		q.fail("I2: %s: %v, want %v", what, got, want)
	}
}

// check compares the queue with the rule.
func (q *queueGame) check() {
	for _, e := range q.entries {
		free := !q.any(func(o *entry) bool { return o.Seq() < e.Seq() && o.Mode().Conflicts(e.Mode()) })
		if e.Admitted() != free {
			q.fail("I2: entry %v of request %d has admitted=%t, want %t", e.Mode(), e.Seq(), e.Admitted(), free)
		}
	}
	if err := q.queue.Check(); err != nil {
		q.fail("%v", err)
	}
	found := map[*entry]bool{}
	for e := range q.queue.Entries() {
		if found[e] || !slices.Contains(q.entries, e) {
			q.fail("I3: the queue has an entry that has left, or has it twice: %v of request %d", e.Mode(), e.Seq())
		}
		found[e] = true
		if len(found) == len(q.entries) {
			break // and none is left out
		}
	}
	if len(found) != len(q.entries) || q.queue.Empty() != (len(found) == 0) {
		q.fail("I3: %d entries were found, want %d; Empty() = %t", len(found), len(q.entries), q.queue.Empty())
	}
}

func (q *queueGame) fail(format string, args ...any) {
	q.t.Helper()
	q.t.Fatalf(format+"\n\n%s", append(args, &q.script)...)
}
