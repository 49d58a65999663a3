package waitqueue

import "fmt"

// Check recounts what the queue keeps up to date and returns an error for the first difference. It
// is for tests and for builds with the race detector: it takes time in proportion to the number of
// entries.
//
// It checks that each waiting entry waits for an earlier request (the queue's part of I2), that it
// is in the list of its mode (I3) in order of arrival (I4), and that the sets of modes are right
// (I4). The queue does not know which requests are admitted. Package locktable checks that.
func (q *Queue[R]) Check() error {
	var admitted, waiting Modes
	for mode := range Mode(NumModes) {
		if q.byMode[mode] > 0 {
			admitted = admitted.With(mode)
		}
		if q.lists != nil && q.lists[mode] != nil {
			waiting = waiting.With(mode)
		}
	}
	if admitted != q.admitted || waiting != q.waiting {
		return fmt.Errorf("I4: the sets of admitted or waiting modes differ from the counts and the lists")
	}
	for rest := waiting; rest != 0; rest = rest.WithoutFirst() {
		if err := q.checkList(rest.First()); err != nil {
			return err
		}
	}
	return nil
}

// checkList checks the list of one mode.
func (q *Queue[R]) checkList(mode Mode) error {
	head := q.lists[mode]
	earliest := q.earliest(conflicts[mode] & q.waiting)
	for e, last := head, uint64(0); ; e = e.next {
		if e.mode != mode || e.next == nil || e.next.prev != e {
			return fmt.Errorf("I3: entry %v of request %d is in the list of %v by mistake, or its links are broken", e.mode, e.seq, mode)
		}
		if e.seq <= last {
			return fmt.Errorf("I4: entry %v of request %d waits behind the entry of request %d", e.mode, e.seq, last)
		}
		if conflicts[mode]&q.admitted == 0 && e.seq <= earliest {
			return fmt.Errorf("I2: entry %v of request %d waits for no request", e.mode, e.seq)
		}
		if last = e.seq; e.next == head {
			return nil
		}
	}
}

// earliest returns the smallest sequence number that waits in modes. It does not rely on the order.
func (q *Queue[R]) earliest(modes Modes) uint64 {
	earliest := ^uint64(0)
	for e := range q.Waiting(modes) {
		earliest = min(earliest, e.seq)
	}
	return earliest
}
