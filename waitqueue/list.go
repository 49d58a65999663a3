package waitqueue

// lists holds the head of the circular list of each mode, nil if no entry waits in the mode.
type lists[R any] [NumModes]*Entry[R]

// insert links e between the tail and the head of the list of its mode. That is the end of the
// list, unless the caller makes e the head.
func (q *Queue[R]) insert(e *Entry[R]) {
	if q.lists == nil {
		q.lists = new(lists[R])
	}
	head := q.lists[e.mode]
	if head == nil {
		e.next, e.prev = e, e
		q.lists[e.mode] = e
		q.waiting = q.waiting.With(e.mode)
		return
	}
	e.next, e.prev = head, head.prev
	head.prev.next = e
	head.prev = e
}

// remove unlinks e from the list of its mode.
func (q *Queue[R]) remove(e *Entry[R]) {
	if e.next == e {
		q.lists[e.mode] = nil
		q.waiting = q.waiting.Without(e.mode)
	} else {
		e.prev.next = e.next
		e.next.prev = e.prev
		if q.lists[e.mode] == e {
			q.lists[e.mode] = e.next
		}
	}
	e.next, e.prev = nil, nil
}
