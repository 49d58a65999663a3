package waitqueue

import "fmt"

// Check recomputes from scratch what the queue keeps up step by step and returns an error for the first
// difference. It is for tests and for builds with the race detector: it takes time in proportion to the
// number of entries.
//
// What it checks: an entry is admitted exactly if no earlier conflicting entry is in the queue, and
// (I4) within a mode the admitted entries come first, and the queue knows where they end.
func (q *Queue[R]) Check() error {
	var modes, blocked Modes
	var waiting [numModes]*Entry[R]
	earliest := q.earliest()
	for e := range q.Entries() {
		modes = modes.With(e.mode)
		free := true
		for rivals := matrix[e.mode]; rivals != 0; rivals = rivals.Rest() {
			free = free && earliest[rivals.First()] >= e.seq
		}
		if e.admitted != free {
			return fmt.Errorf("I2: entry %v of %d has admitted=%t, but a recount gives %t", e.mode, e.seq, e.admitted, free)
		}
		if e.admitted && waiting[e.mode] != nil {
			return fmt.Errorf("I4: entry %v of %d is admitted behind one that waits", e.mode, e.seq)
		}
		if !e.admitted && waiting[e.mode] == nil {
			waiting[e.mode] = e
			blocked = blocked.With(e.mode)
		}
	}
	if waiting != q.waiting || blocked != q.blocked || modes != q.modes {
		return fmt.Errorf("I4: the queue is wrong about where its waiting entries begin")
	}
	return nil
}

// earliest returns the smallest sequence number of each mode, found without trust in the order.
func (q *Queue[R]) earliest() (earliest [numModes]uint64) {
	for mode := range earliest {
		earliest[mode] = ^uint64(0)
	}
	for e := range q.Entries() {
		earliest[e.mode] = min(earliest[e.mode], e.seq)
	}
	return earliest
}
