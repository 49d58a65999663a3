package waitqueue

import "fmt"

// Check recomputes from scratch what the queue keeps up step by step and returns an error for the first
// difference. It is for tests and for builds with the race detector: it takes time in proportion to the
// number of entries.
//
// What it checks: an entry is admitted exactly if no earlier conflicting entry is in the queue (the queue's part of
// I2), each entry is in the list of its mode (I3), and within a mode the admitted entries come first, and the
// queue knows where they end (I4).
func (q *Queue[R]) Check() error {
	var modes, blocked Modes
	for mode := range q.heads {
		waiting, err := q.checkList(mode)
		if err != nil {
			return err
		}
		if q.heads[mode] != nil {
			modes = modes.With(Mode(mode))
		}
		if waiting != nil {
			blocked = blocked.With(Mode(mode))
		}
		if waiting != q.waiting[mode] {
			return fmt.Errorf("I4: the queue is wrong about where the waiting entries of %v begin", Mode(mode))
		}
	}
	if modes != q.modes || blocked != q.blocked {
		return fmt.Errorf("I4: the queue is wrong about which modes have entries, or waiting ones")
	}
	return nil
}

// checkList checks one list and returns its first waiting entry.
func (q *Queue[R]) checkList(mode int) (waiting *Entry[R], err error) {
	earliest := q.earliest(matrix[mode])
	for e := range q.list(mode) {
		if e.mode != Mode(mode) || e.next.prev != e {
			return nil, fmt.Errorf("I3: entry %v of %d is in the list of %v, or linked into it badly", e.mode, e.seq, Mode(mode))
		}
		if free := e.seq <= earliest; e.admitted != free {
			return nil, fmt.Errorf("I2: entry %v of %d has admitted=%t, but a recount gives %t", e.mode, e.seq, e.admitted, free)
		}
		if e.admitted && waiting != nil {
			return nil, fmt.Errorf("I4: entry %v of %d is admitted behind one that waits", e.mode, e.seq)
		}
		if !e.admitted && waiting == nil {
			waiting = e
		}
	}
	return waiting, nil
}

// earliest returns the smallest sequence number in modes, found without trust in the order.
func (q *Queue[R]) earliest(modes Modes) uint64 {
	earliest := ^uint64(0)
	for ; modes != 0; modes = modes.Rest() {
		for e := range q.list(int(modes.First())) {
			earliest = min(earliest, e.seq)
		}
	}
	return earliest
}
