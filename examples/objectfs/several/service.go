package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/treelock/treelock/examples/objectfs/job"
	"github.com/treelock/treelock/examples/objectfs/store"
)

// A service is the store that the workers use, with its ledger. It runs in the parent.
type service struct {
	store   store.Store
	ledger  *job.Memory
	guarded bool // compare tokens: those of one order of grants
	start   time.Time

	// mu is held for reading while an object is read or written, and for writing while tokens grow.
	// So no token grows between the check of a call and its effect.
	mu     sync.RWMutex
	tokens guard
	open   map[int]*operation
	last   int // the number of the last operation

	statsMu sync.Mutex // also guards operation.changed and listed
	stats   []stats    // of each worker
	left    []*leftover
	holder  map[string]int // the worker that was last granted a folder
	overlap int            // grants while another process was in the folder
	armed   *fault
}

// An operation is one that a worker has begun, and that is neither recorded nor over.
type operation struct {
	id, worker int
	token      uint64
	label      string
	claims     []Claim
	inside     bool
	listed     int // the most objects in one of its folders
	changed    int // objects written or deleted
}

func (o *operation) conflicts(claims []Claim) bool {
	return slices.ContainsFunc(o.claims, func(c Claim) bool { return slices.ContainsFunc(claims, c.conflicts) })
}

// writes returns the claims of o that write.
func (o *operation) writes() []Claim {
	return slices.DeleteFunc(slices.Clone(o.claims), func(c Claim) bool { return !c.Write })
}

// A stats is what the service knows of a worker.
type stats struct {
	result    job.Result
	waits     []time.Duration
	handOvers int
	tookOver  int
	late      int            // calls that were refused by token
	lateTo    map[string]int // by what was called
	fault     string         // what was done to it
	faultAt   time.Time
	faultFor  time.Duration // how long it was stopped
}

// A leftover is an operation that a process has left half done.
type leftover struct {
	worker  int
	label   string
	writes  []string
	changed int
	taker   int // -1 while there is none
	after   time.Duration
}

func newService(s store.Store, workers int, guarded bool) *service {
	v := &service{
		store: s, ledger: job.NewMemory(), guarded: guarded, start: time.Now(), tokens: guard{map[string]tokens{}},
		open: map[int]*operation{}, stats: make([]stats, workers), holder: map[string]int{},
	}
	for i := range v.stats {
		v.stats[i].result.Ops = map[string]job.Count{}
		v.stats[i].lateTo = map[string]int{}
	}
	return v
}

// begin registers an operation of worker. The token grows for all that it claims, so whatever comes
// under a smaller token is late from now on.
func (s *service) begin(worker int, b Begin) (r Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op := &operation{worker: worker, token: b.Token, label: b.Label, claims: b.Claims, inside: b.Inside}
	if s.guarded {
		if s.late(worker, b.Token, "begin", b.Claims) {
			return Reply{Failure: failure(errLate)}
		}
		if b.Takes != 0 {
			old := s.open[b.Takes]
			if old == nil {
				return Reply{} // another process was faster
			}
			op.changed = old.changed
			s.drop(old)
			s.tookOver(old, worker)
		} else if left := s.leftBy(b); len(left) > 0 {
			return Reply{Left: left}
		}
		for _, c := range b.Claims {
			s.tokens.raise(c, b.Token)
		}
	}
	s.last++
	op.id = s.last
	s.count(op, b.Waited)
	s.open[op.id] = op
	return Reply{Op: op.id}
}

// leftHalfDone reports whether an operation of a worker that was stopped was not yet taken over.
func (s *service) leftHalfDone(worker int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, op := range s.open {
		if s.guarded && op.worker == worker && op.changed > 0 {
			return true
		}
	}
	return false
}

// leftBy returns the operations that must be taken over before b: those that have written to what b
// claims. They are over, as b was granted what they held. Those that have written nothing are
// forgotten, and what they may still send is late.
func (s *service) leftBy(b Begin) (left []Left) {
	for _, op := range s.open {
		switch {
		case op.token >= b.Token || !op.conflicts(b.Claims):
		case op.changed == 0:
			s.drop(op)
		case slices.ContainsFunc(op.writes(), func(c Claim) bool { return slices.ContainsFunc(b.Claims, c.conflicts) }):
			l := Left{Op: op.id, Label: op.label}
			for _, c := range op.writes() {
				l.Writes = append(l.Writes, c.Key)
			}
			left = append(left, l)
		}
	}
	return left
}

// drop forgets an operation that is over. Its token is the largest that is late: a later grant may
// have a token that is larger by one.
func (s *service) drop(op *operation) {
	for _, c := range op.claims {
		s.tokens.raise(c, op.token+1)
	}
	delete(s.open, op.id)
}

// end forgets an operation whose process says that it is over.
func (s *service) end(by By) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, by.Op)
}

// late reports whether any of claims is late, and counts that. The caller holds mu.
func (s *service) late(worker int, token uint64, what string, claims []Claim) bool {
	if !s.guarded || !slices.ContainsFunc(claims, func(c Claim) bool { return s.tokens.late(c, token) }) {
		return false
	}
	s.statsMu.Lock()
	defer s.statsMu.Unlock()
	s.stats[worker].late++
	s.stats[worker].lateTo[what]++
	return true
}

// call does an operation on the store, unless it is late.
func (s *service) call(worker int, c Call) (r Reply) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	op := s.open[c.By.Op]
	if s.late(worker, c.By.Token, string(c.Verb), c.claims()) {
		return Reply{Failure: failure(fmt.Errorf("%s %q with token %d: %w", c.Verb, c.target(), c.By.Token, errLate))}
	}
	if c.changes() && op != nil {
		r.Between = s.strike(op)
	}
	ctx, err := context.Background(), error(nil)
	switch c.Verb {
	case list:
		r.Keys, err = s.store.List(ctx, c.Key+"/")
		s.listed(op, len(r.Keys))
	case read:
		r.Data, err = s.store.Read(ctx, c.Key)
	case write:
		err = s.store.Write(ctx, c.Key, c.Data)
	case copies:
		err = s.store.Copy(ctx, c.Key, c.Dst)
	case remove:
		err = s.store.Delete(ctx, c.Key)
	default:
		err = fmt.Errorf("several: no such call: %q", c.Verb)
	}
	r.Failure = failure(err)
	return r
}

// versions returns what slots must hold.
func (s *service) versions(worker int, r Record) Reply {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r.By.Op != 0 && s.late(worker, r.By.Token, "versions", claimsOf(false, r.Transfer.Src)) {
		return Reply{Failure: failure(errLate)}
	}
	versions, err := s.ledger.Versions(context.Background(), r.Transfer.Src)
	return Reply{Versions: versions, Failure: failure(err)}
}

// record writes the outcome of an operation into the ledger, unless it is late. An operation that
// is recorded is done.
func (s *service) record(worker int, r Record) Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := r.Transfer
	claims := slices.Concat(claimsOf(true, []string{r.Slot}), claimsOf(!t.Keep, t.Src), claimsOf(true, t.Dst))
	if r.Slot == "" {
		claims = claims[1:]
	}
	if s.late(worker, r.By.Token, "record", claims) || s.guarded && s.open[r.By.Op] == nil {
		return Reply{Failure: failure(errLate)}
	}
	ctx, err := context.Background(), error(nil)
	if r.Slot != "" {
		err = s.ledger.Put(ctx, r.Slot, r.Version)
	} else {
		err = s.ledger.Transfer(ctx, t, r.Outcome.err())
	}
	if err == nil && r.Outcome == nil {
		delete(s.open, r.By.Op)
	}
	return Reply{Failure: failure(err)}
}

// repaired records what the worker has made of an operation that it took over.
func (s *service) repaired(worker int, by By) Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	op := s.open[by.Op]
	if op == nil || s.late(worker, by.Token, "record", op.claims) {
		return Reply{Failure: failure(errLate)}
	}
	writes := op.writes()
	if kindOf(op.label) == renames {
		s.ledger.Move(writes[0].Key, writes[1].Key)
	} else {
		s.ledger.Clear(writes[0].Key)
	}
	delete(s.open, by.Op)
	return Reply{}
}

func claimsOf(write bool, keys []string) (claims []Claim) {
	for _, key := range keys {
		claims = append(claims, Claim{key, write})
	}
	return claims
}
