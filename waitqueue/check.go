package waitqueue

import "fmt"

// Check recomputes from scratch what the queue keeps up step by step and returns an error for the first
// difference. It is for tests and for builds with the race detector: it takes time in proportion to the
// number of entries.
//
// What it checks: each entry that waits has somebody to wait for (the queue's part of I2), is in the list of its
// mode, in order of arrival (I3, I4), and the queue knows which modes have somebody admitted or waiting (I4). Who it is that
// was admitted the queue does not know; its owner does.
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
		return fmt.Errorf("I4: the queue is wrong about which modes have somebody admitted, or waiting")
	}
	for rest := waiting; rest != 0; rest = rest.Rest() {
		if err := q.checkList(rest.First()); err != nil {
			return err
		}
	}
	return nil
}

// checkList checks one list.
func (q *Queue[R]) checkList(mode Mode) error {
	head := q.lists[mode]
	earliest := q.earliest(conflicts[mode] & q.waiting)
	for e, last := head, uint64(0); ; e = e.next {
		if e.mode != mode || e.next == nil || e.next.prev != e {
			return fmt.Errorf("I3: entry %v of %d is in the list of %v, or linked into it badly", e.mode, e.seq, mode)
		}
		if e.seq <= last {
			return fmt.Errorf("I4: entry %v of %d waits behind that of %d", e.mode, e.seq, last)
		}
		if conflicts[mode]&q.admitted == 0 && e.seq <= earliest {
			return fmt.Errorf("I2: entry %v of %d waits for nobody", e.mode, e.seq)
		}
		if last = e.seq; e.next == head {
			return nil
		}
	}
}

// earliest returns the smallest sequence number of those that wait in modes, found without trust in the order.
func (q *Queue[R]) earliest(modes Modes) uint64 {
	earliest := ^uint64(0)
	for e := range q.Waiting(modes) {
		earliest = min(earliest, e.seq)
	}
	return earliest
}
