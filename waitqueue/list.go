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

// Clear takes all entries out and admits none. It cuts their links, so that an entry that somebody keeps does not
// keep the others in memory. It takes time in proportion to the number of entries.
func (q *Queue[R]) Clear() {
	for _, head := range q.heads {
		for e := head; e != nil; {
			next := e.next
			*e = Entry[R]{}
			e = next
		}
	}
	*q = Queue[R]{}
}

// Entries returns an iterator over all entries, mode by mode in the order of the modes' declaration, from
// the first to the last of each mode. The queue must not change while it runs.
func (q *Queue[R]) Entries() iter.Seq[*Entry[R]] {
	return func(yield func(*Entry[R]) bool) {
		for mode := range q.heads {
			for e := range q.list(mode) {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// list returns an iterator over one list, which does not depend on what its entries say.
func (q *Queue[R]) list(mode int) iter.Seq[*Entry[R]] {
	return func(yield func(*Entry[R]) bool) {
		head := q.heads[mode]
		for e := head; e != nil; {
			if !yield(e) {
				return
			}
			if e = e.next; e == head {
				return
			}
		}
	}
}
