package waitqueue

import "iter"

// An Entry is the place of a request that waits in the queue of one node. It belongs to whoever owns the
// queue; while it is in a queue it must stay where it is in memory, and only the queue may change it.
type Entry[R any] struct {
	next, prev *Entry[R] // neighbours in the list of the mode; circular, so head.prev is the tail
	request    R
	seq        uint64
	mode       Mode
}

// Request returns the request that the entry stands for.
func (e *Entry[R]) Request() R { return e.request }

// Seq returns the sequence number of the entry's request.
func (e *Entry[R]) Seq() uint64 { return e.seq }

// Mode returns how the request wants to use the node.
func (e *Entry[R]) Mode() Mode { return e.mode }

// A Queue is the wait queue of one node. The zero Queue is empty and ready for use; it must not be
// copied once used. R is what the owner wants to be told when an entry is admitted.
//
// Of those admitted it knows their number by mode, and no more. So a request that need not wait costs
// the queue a count, up and down, and its owner no storage.
type Queue[R any] struct {
	counts
	lists *lists[R] // nil until somebody waits
}

// A tally is what a queue knows without knowing who. It is not generic, for the compiler to inline it where a queue is
// used. See BenchmarkQueue.
type counts struct {
	byMode   [NumModes]uint32 // of those admitted, by mode
	admitted Modes            // the modes with a count
	waiting  Modes            // the modes with a list
}

// Empty reports whether nobody is admitted and nobody waits. O(1).
func (t *counts) Empty() bool { return t.admitted|t.waiting == 0 }

// Calm reports whether nothing waits. O(1).
func (t *counts) Calm() bool { return t.waiting == 0 }

// Uses reports whether a request is there in one of modes, admitted or waiting. O(1).
func (t *counts) Uses(modes Modes) bool { return (t.admitted|t.waiting)&modes != 0 }

// Admitted returns the number of requests that are admitted in mode. O(1).
func (t *counts) Admitted(mode Mode) int { return int(t.byMode[mode]) }

// Arrive is the arrival of a request in mode. It reports whether that is admitted: if nobody who conflicts is there,
// admitted or waiting. If it returns false nothing has changed, and the caller must call [Queue.Wait]. O(1).
func (t *counts) Arrive(mode Mode) (admitted bool) {
	if conflicts[mode]&(t.admitted|t.waiting) != 0 {
		return false
	}
	t.add(mode)
	return true
}

// Wait puts e at the end of the queue, for a request in mode that was not admitted. The
// sequence number must be larger than those of all others in the queue. O(1).
func (q *Queue[R]) Wait(e *Entry[R], request R, seq uint64, mode Mode) {
	*e = Entry[R]{request: request, seq: seq, mode: mode}
	q.insert(e)
}

// Leave is the departure of one that was admitted in mode. It reports whether that was the last one: then the caller
// must call [Queue.Advance]. O(1).
func (t *counts) Leave(mode Mode) (last bool) {
	if t.byMode[mode]--; t.byMode[mode] > 0 {
		return false
	}
	t.admitted = t.admitted.Without(mode)
	return true
}

// Advance appends to admitted the entries that are admitted by the departure of the last one in mode, in order within
// each mode; they are in the queue no longer. O(1), and O(1) for each entry appended.
func (q *Queue[R]) Advance(mode Mode, admitted []*Entry[R]) []*Entry[R] {
	for affected := conflicts[mode] & q.waiting; affected != 0; affected = affected.Rest() {
		admitted = q.advance(affected.First(), admitted)
	}
	return admitted
}

// Withdraw takes e, which waits, out of the queue. It appends to admitted as [Queue.Advance] does. O(1), and O(1) for
// each entry appended.
func (q *Queue[R]) Withdraw(e *Entry[R], admitted []*Entry[R]) []*Entry[R] {
	wasHead := q.lists[e.mode] == e
	q.remove(e)
	if !wasHead {
		return admitted // what waits for this mode waits for an earlier entry too
	}
	return q.Advance(e.mode, admitted)
}

// Hold admits a request in mode whoever is there, for one that narrows a wider hold to one that includes this node.
//
// The caller must hold, up to now, something that conflicts with all that mode conflicts with, be it at
// an ancestor, and must call [Queue.Revoke] for all others that are admitted in a mode that conflicts: their
// requests are waiting, each for the caller's wider hold, so no grant is ever taken back. For the same
// reason it does no harm that the request may come to stand before some that came earlier: nothing that
// conflicts arrived in between. O(1).
func (q *Queue[R]) Hold(mode Mode) { q.add(mode) }

// Revoke makes a request that was admitted in mode wait again, as it would have if the caller of [Queue.Hold] had been
// there first: e goes to the front of the queue, so of several the latest must be revoked first. O(1).
func (q *Queue[R]) Revoke(e *Entry[R], request R, seq uint64, mode Mode) {
	q.Leave(mode)
	*e = Entry[R]{request: request, seq: seq, mode: mode}
	q.insert(e)
	q.lists[mode] = e
}

// Rivals returns the number of requests that are admitted in a mode that conflicts with mode, and the smallest sequence
// number of those that wait in such a mode, or the largest uint64 if none does. O(1).
func (q *Queue[R]) Rivals(mode Mode) (admitted int, earliest uint64) {
	for conflicting := conflicts[mode] & q.admitted; conflicting != 0; conflicting = conflicting.Rest() {
		admitted += int(q.byMode[conflicting.First()])
	}
	earliest = ^uint64(0)
	for conflicting := conflicts[mode] & q.waiting; conflicting != 0; conflicting = conflicting.Rest() {
		earliest = min(earliest, q.lists[conflicting.First()].seq)
	}
	return admitted, earliest
}

// Waiting returns an iterator over the entries that wait in one of modes, mode by mode, each mode's in order of
// arrival. The queue must not change while it runs.
func (q *Queue[R]) Waiting(modes Modes) iter.Seq[*Entry[R]] {
	return func(yield func(*Entry[R]) bool) {
		for rest := modes & q.waiting; rest != 0; rest = rest.Rest() {
			head := q.lists[rest.First()]
			for e := head; e != nil; {
				if !yield(e) {
					return
				}
				if e = e.next; e == head {
					break
				}
			}
		}
	}
}

// add counts one more who is admitted in mode.
func (t *counts) add(mode Mode) {
	t.byMode[mode]++
	t.admitted = t.admitted.With(mode)
}

// admissible reports whether nobody who conflicts with e, the head of a list, came earlier. Whoever is admitted
// did: one who came later would have had to wait for e.
func (q *Queue[R]) admissible(e *Entry[R]) bool {
	if conflicts[e.mode]&q.admitted != 0 {
		return false
	}
	for conflicting := conflicts[e.mode] & q.waiting; conflicting != 0; conflicting = conflicting.Rest() {
		if q.lists[conflicting.First()].seq < e.seq {
			return false
		}
	}
	return true
}

// advance admits the entries that wait in mode, up to the first that still has to.
func (q *Queue[R]) advance(mode Mode, admitted []*Entry[R]) []*Entry[R] {
	for e := q.lists[mode]; e != nil && q.admissible(e); e = q.lists[mode] {
		q.remove(e)
		q.add(mode)
		admitted = append(admitted, e)
	}
	return admitted
}
