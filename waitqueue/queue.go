package waitqueue

import "iter"

// An Entry is the place of one request in the queue of one node. It belongs to whoever owns the
// queue; between Arrive or Hold and Leave it must stay where it is in memory, and only the queue may
// change it.
//
// A request may have several entries in one queue, in different modes. They never conflict with one
// another, since an entry waits for earlier ones only.
type Entry[R any] struct {
	next, prev *Entry[R] // neighbours in the list of the mode; circular, so head.prev is the tail
	request    R
	seq        uint64
	mode       Mode
	admitted   bool
}

// Request returns the request that the entry stands for.
func (e *Entry[R]) Request() R { return e.request }

// Seq returns the sequence number of the entry's request.
func (e *Entry[R]) Seq() uint64 { return e.seq }

// Mode returns how the request uses the node.
func (e *Entry[R]) Mode() Mode { return e.mode }

// Admitted reports whether no earlier conflicting entry is in the queue.
func (e *Entry[R]) Admitted() bool { return e.admitted }

// A Queue is the wait queue of one node. The zero Queue is empty and ready for use; it must not be
// copied once used. R is what the owner wants to be told when an entry is admitted.
type Queue[R any] struct {
	heads   [numModes]*Entry[R] // the earliest entry of each mode
	waiting [numModes]*Entry[R] // the earliest entry of each mode that is not admitted
	modes   Modes               // the modes that have entries
	blocked Modes               // the modes that have entries that are not admitted
}

// Empty reports whether the queue has no entries. O(1).
func (q *Queue[R]) Empty() bool { return q.modes == 0 }

// Arrive puts e at the end of the queue, for request in mode, and reports whether it is admitted. The
// sequence number must be larger than those of all other requests in the queue. O(1).
func (q *Queue[R]) Arrive(e *Entry[R], request R, seq uint64, mode Mode) (admitted bool) {
	*e = Entry[R]{request: request, seq: seq, mode: mode}
	q.insert(e)
	if e.admitted = q.admissible(e); e.admitted {
		return true
	}
	if q.waiting[mode] == nil {
		q.waiting[mode] = e
		q.blocked = q.blocked.With(mode)
	}
	return false
}

// Leave takes e out of the queue, whether it was admitted or not, and appends to admitted the
// requests of all entries that are admitted by that, in order within each mode. O(1), and O(1) for
// each request appended.
func (q *Queue[R]) Leave(e *Entry[R], admitted []R) []R {
	wasHead := q.heads[e.mode] == e
	if q.waiting[e.mode] == e {
		q.setWaiting(e.mode, q.after(e))
	}
	q.remove(e)
	if !wasHead {
		return admitted // what waits for this mode waits for an earlier entry too
	}
	for stirred := matrix[e.mode] & q.blocked; stirred != 0; stirred = stirred.Rest() {
		admitted = q.advance(stirred.First(), admitted)
	}
	return admitted
}

// Hold puts e, admitted, at the front of the queue, for a request that narrows a wider hold to one
// that includes this node in mode. It appends to revoked the requests of all entries that were admitted
// and now have to wait for e.
//
// The caller must hold, up to now, something that conflicts with all that e conflicts with, be it at
// an ancestor. Then no earlier request that conflicts with e is live, and the requests in revoked are
// waiting, each for the caller's wider hold: no grant is ever taken back. [Queue.Rivals] tells whether this is
// so. For the same reason it does no harm that e may stand before entries that came earlier: nothing that
// conflicts arrived in between.
//
// O(1) if no other request that conflicts is in the queue, as when the node itself was held before; else O(1)
// for each request appended, and once more when e leaves and they are admitted again.
func (q *Queue[R]) Hold(e *Entry[R], request R, seq uint64, mode Mode, revoked []R) []R {
	*e = Entry[R]{request: request, seq: seq, mode: mode, admitted: true}
	q.insert(e)
	q.heads[mode] = e
	for rivals := matrix[mode] & q.modes; rivals != 0; rivals = rivals.Rest() {
		revoked = q.revoke(rivals.First(), seq, revoked)
	}
	return revoked
}

// Rivals returns an iterator over the entries that decide whether Hold may be called for a request with number seq:
// the admitted entries of other requests that conflict with mode, and for each mode that conflicts the
// first entry that waits. The queue must not change while it runs.
func (q *Queue[R]) Rivals(seq uint64, mode Mode) iter.Seq[*Entry[R]] {
	return func(yield func(*Entry[R]) bool) {
		for rivals := matrix[mode] & q.modes; rivals != 0; rivals = rivals.Rest() {
			for e := q.heads[rivals.First()]; e != nil; e = q.after(e) {
				if e.seq != seq && !yield(e) {
					return
				}
				if !e.admitted {
					break
				}
			}
		}
	}
}

// admissible reports whether no entry that conflicts with e came earlier. Entries of the same request
// have the same sequence number and are not earlier.
func (q *Queue[R]) admissible(e *Entry[R]) bool {
	for rivals := matrix[e.mode] & q.modes; rivals != 0; rivals = rivals.Rest() {
		if q.heads[rivals.First()].seq < e.seq {
			return false
		}
	}
	return true
}

// advance admits the waiting entries of mode up to the first that still has to wait.
func (q *Queue[R]) advance(mode Mode, admitted []R) []R {
	e := q.waiting[mode]
	for e != nil && q.admissible(e) {
		e.admitted = true
		admitted = append(admitted, e.request)
		e = q.after(e)
	}
	q.setWaiting(mode, e)
	return admitted
}

// revoke makes all admitted entries of mode wait, but for those of the request with number seq. These
// come first: an earlier request with an admitted entry in mode would conflict with that request.
func (q *Queue[R]) revoke(mode Mode, seq uint64, revoked []R) []R {
	first := q.heads[mode]
	for first != nil && first.seq == seq {
		first = q.after(first)
	}
	for e := first; e != nil && e.admitted; e = q.after(e) {
		e.admitted = false
		revoked = append(revoked, e.request)
	}
	if first != nil {
		q.setWaiting(mode, first)
	}
	return revoked
}

// setWaiting says that e is the first entry of mode that waits, nil for none.
func (q *Queue[R]) setWaiting(mode Mode, e *Entry[R]) {
	q.waiting[mode] = e
	if e != nil {
		q.blocked = q.blocked.With(mode)
	} else {
		q.blocked = q.blocked.Without(mode)
	}
}
