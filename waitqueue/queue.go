package waitqueue

import "iter"

// An Entry is a waiting request in the queue of one node. The caller provides its memory. While the
// entry is in a queue it must not move, and only the queue may change it.
type Entry[R any] struct {
	next, prev *Entry[R] // neighbours in the list of the mode; circular, so head.prev is the tail
	request    R
	seq        uint64
	mode       Mode
}

// Request returns the request of the entry.
func (e *Entry[R]) Request() R { return e.request }

// Seq returns the sequence number of the request.
func (e *Entry[R]) Seq() uint64 { return e.seq }

// Mode returns how the request wants to use the node.
func (e *Entry[R]) Mode() Mode { return e.mode }

// A Queue is the wait queue of one node. The zero Queue is empty and ready for use. It must not be
// copied after first use. R identifies a request: the queue returns it with each admitted entry.
//
// The queue counts admitted requests by mode and stores nothing else about them. So a request that
// need not wait allocates nothing here.
type Queue[R any] struct {
	counts
	lists *lists[R] // nil until a request waits
}

// counts is the part of a queue that does not depend on R. It is not generic, so that the compiler
// inlines its methods in the lock table. See BenchmarkQueue.
type counts struct {
	byMode   [NumModes]uint32 // admitted requests, by mode
	admitted Modes            // the modes with admitted requests
	waiting  Modes            // the modes with waiting entries
}

// Empty reports whether no request is admitted and none waits. O(1).
func (t *counts) Empty() bool { return t.admitted|t.waiting == 0 }

// HasWaiting reports whether a request waits. O(1).
func (t *counts) HasWaiting() bool { return t.waiting != 0 }

// Uses reports whether a request, admitted or waiting, has one of modes. O(1).
func (t *counts) Uses(modes Modes) bool { return (t.admitted|t.waiting)&modes != 0 }

// Admitted returns the number of requests admitted in mode. O(1).
func (t *counts) Admitted(mode Mode) int { return int(t.byMode[mode]) }

// Arrive admits a new request in mode if no request with a conflicting mode is admitted or waits.
// If it returns false, nothing has changed, and the caller must call [Queue.Wait]. O(1).
func (t *counts) Arrive(mode Mode) (admitted bool) {
	if conflicts[mode]&(t.admitted|t.waiting) != 0 {
		return false
	}
	t.add(mode)
	return true
}

// Wait appends e for a request in mode that [Queue.Arrive] did not admit. seq must be larger than
// every sequence number in the queue. O(1).
func (q *Queue[R]) Wait(e *Entry[R], request R, seq uint64, mode Mode) {
	*e = Entry[R]{request: request, seq: seq, mode: mode}
	q.insert(e)
}

// Leave removes one request that was admitted in mode. It reports whether it was the last one in
// that mode: then the caller must call [Queue.Advance]. O(1).
func (t *counts) Leave(mode Mode) (last bool) {
	if t.byMode[mode]--; t.byMode[mode] > 0 {
		return false
	}
	t.admitted = t.admitted.Without(mode)
	return true
}

// Advance removes the entries that became admissible when the last request in mode left, and
// appends them to admitted, in order of arrival within each mode. O(1), and O(1) for each such
// entry.
func (q *Queue[R]) Advance(mode Mode, admitted []*Entry[R]) []*Entry[R] {
	for affected := conflicts[mode] & q.waiting; affected != 0; affected = affected.WithoutFirst() {
		admitted = q.advance(affected.First(), admitted)
	}
	return admitted
}

// Withdraw removes the waiting entry e. It appends newly admitted entries to admitted, as
// [Queue.Advance] does, at the same cost.
func (q *Queue[R]) Withdraw(e *Entry[R], admitted []*Entry[R]) []*Entry[R] {
	wasHead := q.lists[e.mode] == e
	q.remove(e)
	if !wasHead {
		return admitted // each entry that e blocks is also blocked by the head
	}
	return q.Advance(e.mode, admitted)
}

// ForceAdmit admits a request in mode without any check. It is for a holder that narrows what it
// holds to claims that use this node.
//
// Exclusion stays intact, because the caller still holds something that conflicts with everything
// that mode conflicts with, at this node or at an ancestor. So each conflicting request that is
// admitted here waits for the caller at another node. The caller must call [Queue.Requeue] for each
// of them: no grant is taken back. Arrival order stays intact, because no conflicting request was
// granted since the caller arrived. O(1).
func (q *Queue[R]) ForceAdmit(mode Mode) { q.add(mode) }

// Requeue makes a request that was admitted in mode wait again, at the front of the list of its
// mode, as if the caller of [Queue.ForceAdmit] had been here first. Of several requests the latest
// must be passed first, so that the list stays in order of arrival. O(1).
func (q *Queue[R]) Requeue(e *Entry[R], request R, seq uint64, mode Mode) {
	q.Leave(mode)
	*e = Entry[R]{request: request, seq: seq, mode: mode}
	q.insert(e)
	q.lists[mode] = e
}

// Blockers returns the number of requests that are admitted in a mode that conflicts with mode, and
// the smallest sequence number that waits in such a mode, or the largest uint64 if none does. O(1).
func (q *Queue[R]) Blockers(mode Mode) (admitted int, earliest uint64) {
	for conflicting := conflicts[mode] & q.admitted; conflicting != 0; conflicting = conflicting.WithoutFirst() {
		admitted += int(q.byMode[conflicting.First()])
	}
	earliest = ^uint64(0)
	for conflicting := conflicts[mode] & q.waiting; conflicting != 0; conflicting = conflicting.WithoutFirst() {
		earliest = min(earliest, q.lists[conflicting.First()].seq)
	}
	return admitted, earliest
}

// Waiting returns an iterator over the entries that wait in one of modes: mode by mode, each in
// order of arrival. The queue must not change during the iteration.
func (q *Queue[R]) Waiting(modes Modes) iter.Seq[*Entry[R]] {
	return func(yield func(*Entry[R]) bool) {
		for rest := modes & q.waiting; rest != 0; rest = rest.WithoutFirst() {
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

// add counts one more request that is admitted in mode.
func (t *counts) add(mode Mode) {
	t.byMode[mode]++
	t.admitted = t.admitted.With(mode)
}

// admissible reports whether no earlier request conflicts with e, the head of a list. Every
// admitted request that conflicts is earlier: a later one would have had to wait for e.
func (q *Queue[R]) admissible(e *Entry[R]) bool {
	if conflicts[e.mode]&q.admitted != 0 {
		return false
	}
	for conflicting := conflicts[e.mode] & q.waiting; conflicting != 0; conflicting = conflicting.WithoutFirst() {
		if q.lists[conflicting.First()].seq < e.seq {
			return false
		}
	}
	return true
}

// advance admits the entries that wait in mode, up to the first that is not admissible.
func (q *Queue[R]) advance(mode Mode, admitted []*Entry[R]) []*Entry[R] {
	for e := q.lists[mode]; e != nil && q.admissible(e); e = q.lists[mode] {
		q.remove(e)
		q.add(mode)
		admitted = append(admitted, e)
	}
	return admitted
}
