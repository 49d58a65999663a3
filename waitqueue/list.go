package waitqueue

import "iter"

// insert links e between the tail and the head of the list of its mode. As the list is circular this is
// its end, unless the caller then makes e the head.
func (q *Queue[R]) insert(e *Entry[R]) {
	head := q.heads[e.mode]
	if head == nil {
		e.next, e.prev = e, e
		q.heads[e.mode] = e
		q.modes = q.modes.With(e.mode)
		return
	}
	e.next, e.prev = head, head.prev
	head.prev.next = e
	head.prev = e
}

// remove unlinks e from the list of its mode.
func (q *Queue[R]) remove(e *Entry[R]) {
	if e.next == e {
		q.heads[e.mode] = nil
		q.modes = q.modes.Without(e.mode)
	} else {
		e.prev.next = e.next
		e.next.prev = e.prev
		if q.heads[e.mode] == e {
			q.heads[e.mode] = e.next
		}
	}
	e.next, e.prev = nil, nil
}

// after returns the entry behind e in the list of its mode, nil at the end.
func (q *Queue[R]) after(e *Entry[R]) *Entry[R] {
	if e.next == q.heads[e.mode] {
		return nil
	}
	return e.next
}

// Entries returns an iterator over all entries, mode by mode in the order of the modes' declaration, from
// the first to the last of each mode. The queue must not change while it runs.
func (q *Queue[R]) Entries() iter.Seq[*Entry[R]] {
	return func(yield func(*Entry[R]) bool) {
		for _, head := range q.heads {
			for e := head; e != nil; e = q.after(e) {
				if !yield(e) {
					return
				}
			}
		}
	}
}
