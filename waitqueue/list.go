package waitqueue

// lists holds the waiting entries of a queue. A queue without any has none, as most nodes never
// have a request that waits.
type lists[R any] struct {
	heads [NumModes]*Entry[R] // of the circular list of each mode, nil if no entry waits in it
	more  *more[R]            // nil until a widening waits or a search passes
}

// more is what few queues have.
type more[R any] struct {
	groups *group[R] // of the widenings that wait, in no order
	taken  [NumModes]taken[R]
}

// A group is the circular list of the widenings that wait in one mode and hold another. It exists
// while a widening waits in it.
type group[R any] struct {
	held  Modes // one mode
	mode  Mode
	head  *Entry[R]
	taken taken[R]
	next  *group[R]
}

// taken says which entries of a list a search has taken: those from one on, up to the tail. So one
// mark in the list is enough, and the entries need none. The number of the search tells whether the
// mark is of this search, so no mark has to be removed.
type taken[R any] struct {
	search uint64
	from   *Entry[R]
}

// extra returns q.lists.more, which it makes if need be.
func (q *Queue[R]) extra() *more[R] {
	if q.lists.more == nil {
		q.lists.more = new(more[R])
	}
	return q.lists.more
}

// groups returns the first group.
func (q *Queue[R]) groups() *group[R] {
	if q.lists == nil || q.lists.more == nil {
		return nil
	}
	return q.lists.more.groups
}

// group returns the group of a widening to mode of what holds held, or nil. There are few groups at
// a node, as each pair of modes has one at most. So a list of them is searched, with no map.
func (q *Queue[R]) group(held Modes, mode Mode) *group[R] {
	g := q.groups()
	for g != nil && (g.held != held || g.mode != mode) {
		g = g.next
	}
	return g
}

// head returns the head of the list of e: that of its mode, or that of its group. The entry knows
// held, so the two kinds of lists need no further mark.
func (q *Queue[R]) head(e *Entry[R]) **Entry[R] {
	if e.held == 0 {
		return &q.lists.heads[e.mode] // inlined
	}
	return q.groupHead(e)
}

// groupHead returns the head of the group of e, which it makes if need be.
func (q *Queue[R]) groupHead(e *Entry[R]) **Entry[R] {
	g := q.group(e.held, e.mode)
	if g == nil {
		g = &group[R]{held: e.held, mode: e.mode, next: q.extra().groups}
		q.extra().groups = g
	}
	return &g.head
}

// insert links e between the tail and the head of its list, and returns the head. That is the end
// of the list, unless the caller makes e the head, as Requeue does: in a circle the place before
// the head is also that behind the tail.
func (q *Queue[R]) insert(e *Entry[R]) (head **Entry[R]) {
	if q.lists == nil {
		q.lists = new(lists[R])
	}
	head = q.head(e)
	if first := *head; first != nil {
		e.next, e.prev = first, first.prev
		first.prev.next = e
		first.prev = e
		return head
	}
	// The first entry makes the list, so its mode waits from now on. An arrival and an admission
	// look at this set before they look at lists.
	e.next, e.prev = e, e
	*head = e
	q.waiting = q.waiting.With(e.mode)
	if e.held != 0 {
		q.waiting |= widening
	}
	return head
}

// remove unlinks e from its list.
func (q *Queue[R]) remove(e *Entry[R]) {
	head := q.head(e)
	if e.next == e {
		*head = nil
		q.removeList(e)
	} else {
		e.prev.next = e.next
		e.next.prev = e.prev
		// The list is in order of arrival (I4), so the next entry is the earliest of the rest.
		if *head == e {
			*head = e.next
		}
	}
	e.next, e.prev = nil, nil
}

// removeList notes that the list of e is empty. Its mode waits on if another list of that mode, a
// group or the plain one, has an entry.
func (q *Queue[R]) removeList(e *Entry[R]) {
	if e.held != 0 {
		q.removeGroup(e)
	}
	if q.lists.heads[e.mode] == nil && q.firstGroup(e.mode) == nil {
		q.waiting = q.waiting.Without(e.mode)
	}
}

// removeGroup removes the group of e. It goes before removeList looks for further groups of the
// mode. With the last group the mark widening goes, so that departures are cheap again.
func (q *Queue[R]) removeGroup(e *Entry[R]) {
	all := &q.lists.more.groups
	for (*all).held != e.held || (*all).mode != e.mode {
		all = &(*all).next
	}
	if *all = (*all).next; q.lists.more.groups == nil {
		q.waiting &^= widening
	}
}

// firstGroup returns the first group of widenings to mode, or nil. With to it makes a loop over all
// of them. The mark widening spares it a look at the groups, as few queues have one.
func (q *Queue[R]) firstGroup(mode Mode) *group[R] {
	if q.waiting&widening == 0 {
		return nil
	}
	return q.groups().to(mode)
}

// to returns g, or the first group after it, of widenings to mode.
func (g *group[R]) to(mode Mode) *group[R] {
	for g != nil && g.mode != mode {
		g = g.next
	}
	return g
}
