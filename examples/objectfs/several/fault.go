package main

// A fault is something that is to be done to a worker in the middle of an operation.
type fault struct {
	worker  int
	between bool // do it between a check of the worker and the write that follows
	do      func()
	done    chan struct{} // closed when it is done
}

// A fault strikes when an operation on so many objects has changed some: then it has calls under
// way, and others to make.
const (
	faultOf    = 10
	faultAfter = 2
)

// strike counts a change by op, and does the fault that waits for it. If that is to be done between
// a check and a write, it returns true instead: then the worker is to call Between there.
func (s *service) strike(op *operation) (between bool) {
	s.statsMu.Lock()
	defer s.statsMu.Unlock()
	op.changed++
	f := s.armed
	if f == nil || f.worker != op.worker || op.changed != faultAfter || op.listed < faultOf {
		return false
	}
	if !f.between {
		s.fire()
	}
	return f.between
}

// between does the fault that waits for a worker between a check and a write.
func (s *service) between(worker int) {
	s.statsMu.Lock()
	defer s.statsMu.Unlock()
	if f := s.armed; f != nil && f.worker == worker && f.between {
		s.fire()
	}
}

// fire does the fault that waits. The caller holds statsMu.
func (s *service) fire() {
	f := s.armed
	s.armed = nil
	f.do()
	close(f.done)
}

// listed notes that op has listed n objects.
func (s *service) listed(op *operation, n int) {
	s.statsMu.Lock()
	defer s.statsMu.Unlock()
	if op != nil {
		op.listed = max(op.listed, n)
	}
}

// arm lets a fault wait for the middle of an operation.
func (s *service) arm(f *fault) {
	s.statsMu.Lock()
	defer s.statsMu.Unlock()
	s.armed = f
}

// disarm withdraws a fault. It returns false if the fault was done.
func (s *service) disarm(f *fault) bool {
	s.statsMu.Lock()
	defer s.statsMu.Unlock()
	if s.armed != f {
		return false
	}
	s.armed = nil
	return true
}
