package waitqueue

import "iter"

// An Entry is a waiting request in the queue of one node. The caller provides its memory. While the
// entry is in a queue it must not move, and only the queue may change it.
type Entry[R any] struct {
	next, prev *Entry[R] // neighbours in its list; circular, so head.prev is the tail
	request    R
	seq        uint64
	mode       Mode
	held       Modes // the mode that is widened; empty for any other request
}

// Request returns the request of the entry.
func (e *Entry[R]) Request() R { return e.request }

// Seq returns the sequence number of the request.
func (e *Entry[R]) Seq() uint64 { return e.seq }

// Mode returns how the request wants to use the node.
func (e *Entry[R]) Mode() Mode { return e.mode }

// Held returns the mode that its grant has at the node, if the request is a widening. It is empty
// otherwise.
func (e *Entry[R]) Held() Modes { return e.held }

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
	waiting  Modes            // the modes with waiting entries, and widening if one of them is one
}

// widening is in counts.waiting while a widening waits. It is not the bit of a mode.
const widening Modes = 1 << NumModes

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

// Widen is Arrive for the widening of a request that is admitted in the one mode of held. It admits
// the widening in mode, as one more request, under two conditions. No other request with a
// conflicting mode is admitted. And each one that waits in such a mode conflicts with held: it
// waits for the holder here in any case. Mode must not be covered by held. If Widen returns false,
// nothing has changed, and the caller must call [Queue.WaitToWiden]. O(1).
func (t *counts) Widen(held Modes, mode Mode) (admitted bool) {
	if t.others(held, mode)|conflicts[mode]&t.waiting&^passed(held) != 0 {
		return false
	}
	t.add(mode)
	return true
}

// Wait appends e for a request in mode that [Queue.Arrive] did not admit. seq must be larger than
// every sequence number in the queue. O(1).
func (q *Queue[R]) Wait(e *Entry[R], request R, seq uint64, mode Mode) {
	q.WaitToWiden(e, request, seq, 0, mode)
}

// WaitToWiden is Wait for a widening that [Queue.Widen] did not admit. O(1).
func (q *Queue[R]) WaitToWiden(e *Entry[R], request R, seq uint64, held Modes, mode Mode) {
	*e = Entry[R]{request: request, seq: seq, mode: mode, held: held}
	q.insert(e)
}

// Widened makes one request of a holder in the one mode of held and its widening in mode, which are
// both admitted. It admits no entry, since the combined mode conflicts with all that both conflict
// with. It returns the combined mode. O(1).
func (t *counts) Widened(held Modes, mode Mode) (combined Mode) {
	combined = (held.First().Parts() | mode.Parts()).Combined()
	t.Leave(held.First())
	t.Leave(mode)
	t.add(combined)
	return combined
}

// Leave removes one request that was admitted in mode. It reports whether an entry may have become
// admissible: then the caller must call [Queue.Advance]. That is so if the request was the last one
// in mode, or the last but one where a widening waits. (The widening does not wait for its own
// grant, which may be the one that is left.) O(1).
func (t *counts) Leave(mode Mode) (advance bool) {
	t.byMode[mode]--
	switch t.byMode[mode] {
	case 0:
		t.admitted = t.admitted.Without(mode)
		return true
	case 1:
		return t.waiting&widening != 0
	}
	return false
}

// Advance removes the entries that became admissible when a request in mode left, and appends them
// to admitted, in order of arrival within each list. O(1), and O(1) for each such entry.
func (q *Queue[R]) Advance(mode Mode, admitted []*Entry[R]) []*Entry[R] {
	for affected := conflicts[mode] & q.waiting; affected != 0; affected = affected.WithoutFirst() {
		admitted = q.advance(affected.First(), admitted)
	}
	return admitted
}

// Withdraw removes the waiting entry e. It appends newly admitted entries to admitted, as
// [Queue.Advance] does, at the same cost.
func (q *Queue[R]) Withdraw(e *Entry[R], admitted []*Entry[R]) []*Entry[R] {
	wasHead := *q.head(e) == e
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

// Requeue makes a request that was admitted in mode wait again, at the front of its list, as if the
// caller of [Queue.ForceAdmit] had been here first. Of several requests the latest must be passed
// first, so that the list stays in order of arrival. If the request is a widening, held is the mode
// that its grant has here. It is empty otherwise. O(1).
func (q *Queue[R]) Requeue(e *Entry[R], request R, seq uint64, held Modes, mode Mode) {
	q.Leave(mode)
	*e = Entry[R]{request: request, seq: seq, mode: mode, held: held}
	*q.insert(e) = e
}

// Blockers returns the number of requests that are admitted in a mode that conflicts with mode. It
// also returns the smallest sequence number that waits in such a mode, or the largest uint64 if
// none does. O(1).
func (q *Queue[R]) Blockers(mode Mode) (admitted int, earliest uint64) {
	for conflicting := conflicts[mode] & q.admitted; conflicting != 0; conflicting = conflicting.WithoutFirst() {
		admitted += int(q.byMode[conflicting.First()])
	}
	earliest = ^uint64(0)
	for conflicting := conflicts[mode] & q.waiting; conflicting != 0; conflicting = conflicting.WithoutFirst() {
		earliest = min(earliest, q.earliest(conflicting.First()))
	}
	return admitted, earliest
}

// Waiting returns an iterator over the entries that wait in one of modes: mode by mode, and list by
// list, each in order of arrival. The queue must not change during the iteration.
func (q *Queue[R]) Waiting(modes Modes) iter.Seq[*Entry[R]] {
	return q.WaitingBefore(^uint64(0), modes)
}

// WaitingBefore is Waiting without the entries that have this sequence number or a larger one.
func (q *Queue[R]) WaitingBefore(seq uint64, modes Modes) iter.Seq[*Entry[R]] {
	return func(yield func(*Entry[R]) bool) {
		for rest := modes & q.waiting & AllModes; rest != 0; rest = rest.WithoutFirst() {
			if !q.lists.heads[rest.First()].before(seq, yield) {
				return
			}
			for g := q.firstGroup(rest.First()); g != nil; g = g.next.to(g.mode) {
				if !g.head.before(seq, yield) {
					return
				}
			}
		}
	}
}

// before calls yield for the entries with smaller numbers of the list that begins with e. It
// reports whether each call returned true.
func (e *Entry[R]) before(seq uint64, yield func(*Entry[R]) bool) bool {
	for next := e; next != nil && next.seq < seq; {
		if !yield(next) {
			return false
		}
		if next = next.next; next == e {
			break
		}
	}
	return true
}

// add counts one more request that is admitted in mode.
func (t *counts) add(mode Mode) {
	t.byMode[mode]++
	t.admitted = t.admitted.With(mode)
}

// others returns the modes that conflict with mode in which a request is admitted, except for one
// request in the mode of held.
func (t *counts) others(held Modes, mode Mode) Modes {
	others := conflicts[mode] & t.admitted
	if held != 0 && t.byMode[held.First()] == 1 {
		others &^= held
	}
	return others
}

// passed returns the modes that a widening of the one mode in held passes: requests that wait in
// one of them wait for its grant. It is empty if held is.
func passed(held Modes) Modes {
	if held == 0 {
		return 0
	}
	return conflicts[held.First()]
}

// earliest returns the smallest sequence number that waits in mode. One must wait.
func (q *Queue[R]) earliest(mode Mode) uint64 {
	if q.waiting&widening == 0 {
		return q.lists.heads[mode].seq
	}
	earliest := ^uint64(0)
	if e := q.lists.heads[mode]; e != nil {
		earliest = e.seq
	}
	for g := q.firstGroup(mode); g != nil; g = g.next.to(mode) {
		earliest = min(earliest, g.head.seq)
	}
	return earliest
}

// admissible reports whether e, the head of a list, waits for no request. It compares no numbers
// with admitted requests. One that conflicts is earlier than e, or is a widening that passed e:
// then e waits here for its grant.
func (q *Queue[R]) admissible(e *Entry[R]) bool {
	if q.others(e.held, e.mode) != 0 {
		return false
	}
	for conflicting := conflicts[e.mode] & q.waiting &^ passed(e.held); conflicting != 0; conflicting = conflicting.WithoutFirst() {
		if q.earliest(conflicting.First()) < e.seq {
			return false
		}
	}
	return true
}

// advance admits the entries that wait in mode, in each list up to the first that is not
// admissible.
func (q *Queue[R]) advance(mode Mode, admitted []*Entry[R]) []*Entry[R] {
	for e := q.lists.heads[mode]; e != nil && q.admissible(e); e = q.lists.heads[mode] {
		q.remove(e)
		q.add(mode)
		admitted = append(admitted, e)
	}
	if q.waiting&widening != 0 {
		admitted = q.advanceGroups(mode, admitted)
	}
	return admitted
}

// advanceGroups is advance for the widenings.
func (q *Queue[R]) advanceGroups(mode Mode, admitted []*Entry[R]) []*Entry[R] {
	for g := q.firstGroup(mode); g != nil; g = g.next.to(mode) {
		for left := true; left && q.admissible(g.head); {
			e := g.head
			left = e.next != e // the group is removed with its last entry
			q.remove(e)
			q.add(mode)
			admitted = append(admitted, e)
		}
	}
	return admitted
}
