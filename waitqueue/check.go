package waitqueue

import "fmt"

// Check recounts what the queue keeps up to date and returns an error for the first difference. It
// is for tests and for builds with the race detector: it takes time in proportion to the number of
// entries.
//
// It checks that each waiting entry waits for a request (the queue's part of I2). The entry must be
// in the list of its mode or in its group (I3), in order of arrival (I4). The sets of modes must be
// right (I4). The queue does not know which requests are admitted. Package locktable checks that.
func (q *Queue[R]) Check() error {
	var admitted, waiting Modes
	for mode := range Mode(NumModes) {
		if q.byMode[mode] > 0 {
			admitted = admitted.With(mode)
		}
		if q.lists != nil && q.lists.heads[mode] != nil {
			waiting = waiting.With(mode)
		}
	}
	// A pair of modes has one group, with an entry, for one held mode. A held mode that covers the
	// wanted one needs no entry, so it has no group.
	for g := q.groups(); g != nil; g = g.next {
		if g.head == nil || q.group(g.held, g.mode) != g || g.held.WithoutFirst() != 0 || g.held.First().Covers(g.mode) {
			return fmt.Errorf("I3: the group of widenings from %v to %v is empty, or should not exist", g.held.First(), g.mode)
		}
		waiting = waiting.With(g.mode) | widening
	}
	if admitted != q.admitted || waiting != q.waiting {
		return fmt.Errorf("I4: the sets of admitted or waiting modes differ from the counts and the lists")
	}
	return q.checkLists()
}

// checkLists checks each list.
func (q *Queue[R]) checkLists() error {
	if q.lists == nil {
		return nil
	}
	for mode, head := range q.lists.heads {
		if err := q.checkList(head, 0, Mode(mode)); err != nil {
			return err
		}
	}
	for g := q.groups(); g != nil; g = g.next {
		if err := q.checkList(g.head, g.held, g.mode); err != nil {
			return err
		}
	}
	return nil
}

// checkList checks one list. held is empty for the plain list of a mode.
//
// It is enough to compare with the earliest entry that conflicts. An entry waits for a request if
// an admitted one conflicts, other than its own grant, or if that entry is earlier. Otherwise a
// step has missed to admit it.
func (q *Queue[R]) checkList(head *Entry[R], held Modes, mode Mode) error {
	earliest := ^uint64(0)
	for e := range q.Waiting(conflicts[mode] &^ passed(held)) {
		earliest = min(earliest, e.seq)
	}
	// The loop ends where the ring closes. A link that is wrong ends it before, so it ends in any
	// case: numbers must grow.
	for e, last := head, uint64(0); e != nil; e = e.next {
		if e.mode != mode || e.held != held || e.next == nil || e.next.prev != e {
			return fmt.Errorf("I3: entry %v of request %d is in the list of %v by mistake, or its links are broken", e.mode, e.seq, mode)
		}
		if e.seq <= last {
			return fmt.Errorf("I4: entry %v of request %d waits behind the entry of request %d", e.mode, e.seq, last)
		}
		if q.others(held, mode) == 0 && e.seq <= earliest {
			return fmt.Errorf("I2: entry %v of request %d waits for no request", e.mode, e.seq)
		}
		if last = e.seq; e.next == head {
			return nil
		}
	}
	return nil
}
