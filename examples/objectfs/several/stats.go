package main

import (
	"slices"
	"time"

	"github.com/treelock/treelock/examples/objectfs/job"
)

// count counts a grant. The caller holds mu. Without tokens it also counts grants while another
// process is in the folder. With tokens see [report.unexplained].
func (s *service) count(op *operation, waited time.Duration) {
	if op.inside {
		return
	}
	s.statsMu.Lock()
	defer s.statsMu.Unlock()
	for _, other := range s.open {
		if !s.guarded && other.worker != op.worker && other.conflicts(op.claims) {
			s.overlap++
			break
		}
	}
	handed := false
	for _, c := range op.claims {
		if holder, known := s.holder[c.Key]; known && holder != op.worker {
			handed = true
		}
		s.holder[c.Key] = op.worker
	}
	if handed {
		s.stats[op.worker].handOvers++
	}
	s.stats[op.worker].waits = append(s.stats[op.worker].waits, waited)
}

// tookOver notes that a worker has begun to end old.
func (s *service) tookOver(old *operation, worker int) {
	s.statsMu.Lock()
	defer s.statsMu.Unlock()
	l := s.leftover(old)
	l.taker = worker
	if at := s.stats[old.worker].faultAt; !at.IsZero() {
		l.after = time.Since(at)
	}
	s.left = append(s.left, l)
	s.stats[worker].tookOver++
}

func (s *service) leftover(op *operation) *leftover {
	l := &leftover{worker: op.worker, label: op.label, changed: op.changed, taker: -1}
	for _, c := range op.writes() {
		l.writes = append(l.writes, c.Key)
	}
	return l
}

// ended counts an operation of a client that has ended.
func (s *service) ended(worker int, e Ended) {
	s.statsMu.Lock()
	defer s.statsMu.Unlock()
	s.stats[worker].result.Add(e.Op, e.Count, &Failure{Text: e.Text, Kind: len(kinds)})
}

// done returns how many operations have ended.
func (s *service) done() (n int) {
	s.statsMu.Lock()
	defer s.statsMu.Unlock()
	for _, w := range s.stats {
		c := total(w.result)
		n += c.Done + c.Refused + c.Lost + c.Failed
	}
	return n
}

// struck notes what was done to a worker.
func (s *service) struck(worker int, what string) {
	s.statsMu.Lock()
	defer s.statsMu.Unlock()
	s.stats[worker].fault, s.stats[worker].faultAt = what, time.Now()
}

// resumed notes that a stopped worker goes on.
func (s *service) resumed(worker int) {
	s.statsMu.Lock()
	defer s.statsMu.Unlock()
	s.stats[worker].faultFor = time.Since(s.stats[worker].faultAt)
}

// finish adds the operations that are half done, now that no worker is left.
func (s *service) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, op := range s.open {
		if op.changed > 0 {
			s.left = append(s.left, s.leftover(op))
		}
	}
	slices.SortStableFunc(s.left, func(a, b *leftover) int { return a.worker - b.worker })
}

func total(r job.Result) (sum job.Count) {
	for _, c := range r.Ops {
		sum.Done += c.Done
		sum.Refused += c.Refused
		sum.Lost += c.Lost
		sum.Failed += c.Failed
		sum.WrongReads += c.WrongReads
	}
	return sum
}
