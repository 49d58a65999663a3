package waitqueue

// TakeWaiters appends to found the entries that wait here for a request in mode, as far as this
// search has not taken them. The number of a search must be positive, and of no earlier search.
// after says what the request does in mode:
//
//   - if after is 0, it holds, so all entries that conflict wait for it;
//   - otherwise it asks, and after is its sequence number. Later entries that conflict wait for it,
//     except for widenings that pass it.
//
// Each call takes the end of some lists, so a list needs one mark, and each entry is taken once.
// The queue must not change during a search. O(1), and O(1) for each entry that is appended.
func (q *Queue[R]) TakeWaiters(search uint64, mode Mode, after uint64, found []*Entry[R]) []*Entry[R] {
	for conflicting := conflicts[mode] & q.waiting; conflicting != 0; conflicting = conflicting.WithoutFirst() {
		wanted := conflicting.First()
		if head := q.lists.heads[wanted]; head != nil {
			found = q.extra().taken[wanted].take(search, head, after, found)
		}
		for g := q.firstGroup(wanted); g != nil; g = g.next.to(wanted) {
			if after == 0 || !passed(g.held).Has(mode) {
				found = g.taken.take(search, g.head, after, found)
			}
		}
	}
	return found
}

// take appends to found the entries after that number of the list that begins with head, as far as
// they were not taken.
func (t *taken[R]) take(search uint64, head *Entry[R], after uint64, found []*Entry[R]) []*Entry[R] {
	e := head.prev
	if t.search == search {
		if t.from == head {
			return found // all of the list was taken
		}
		e = t.from.prev
	}
	for ; e.seq > after; e = e.prev {
		found = append(found, e)
		t.search, t.from = search, e
		if e == head {
			break
		}
	}
	return found
}

// Untake makes the search take all of the list of e again, which it has taken. O(1).
func (q *Queue[R]) Untake(e *Entry[R]) {
	if e.held == 0 {
		q.extra().taken[e.mode] = taken[R]{}
	} else {
		q.group(e.held, e.mode).taken = taken[R]{}
	}
}
