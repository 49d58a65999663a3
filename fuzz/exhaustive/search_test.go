package exhaustive_test

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/treelock/treelock/internal/model"
)

// A search visits all states of a world, in the order of their distance from the empty state, and
// takes all steps from each.
type search struct {
	w      *world
	states []state
	seen   map[string]struct{} // the keys of states; not written while workers run
	failed *failure            // the shortest, nil if none is known
	log    func(format string, args ...any)

	workers []*worker
	depth   int          // the steps to the states of the level
	end     int          // the first state of the next level
	next    atomic.Int64 // the first state of the level that no worker has taken
	stop    atomic.Bool  // no worker is to take states any more
	steps   atomic.Int64 // all steps, except on the way to a state and at the end of a visit
}

// A state is known by a shortest way to it. The first is the one in which nothing is live.
type state struct {
	parent int32 // index of the state that the last step leads from, -1 for none
	step   step
}

func newSearch(w *world, log func(format string, args ...any)) *search {
	s := &search{w: w, states: []state{{parent: -1}}, seen: map[string]struct{}{}, log: log}
	s.seen[string(newTable(w, 0).appendKey(nil))] = struct{}{}
	for range runtime.GOMAXPROCS(0) {
		s.workers = append(s.workers, &worker{search: s})
	}
	return s
}

// run visits all states. It ends early once it knows a failure and later levels can have no shorter
// one.
func (s *search) run() {
	start := time.Now()
	for from := 0; from < len(s.states) && (s.failed == nil || len(s.failed.steps) > s.depth); s.depth++ {
		s.end = len(s.states)
		s.next.Store(int64(from))
		s.visit()
		s.merge()
		from = s.end
		s.log("%.2f s: %d states up to %d steps deep, %d transitions", time.Since(start).Seconds(), s.end, s.depth, s.steps.Load())
	}
}

// visit visits the states of a level with all processors.
func (s *search) visit() {
	var running sync.WaitGroup
	for _, w := range s.workers {
		w.found = map[string]state{}
		running.Go(w.work)
	}
	running.Wait()
}

// merge adds the states that the workers have found, in an order that does not depend on their
// speed.
func (s *search) merge() {
	first, all := len(s.states), s.workers[0].found
	for _, w := range s.workers {
		for key, found := range w.found {
			if known, ok := all[key]; !ok || found.compare(known) < 0 {
				all[key] = found
			}
		}
		s.failed = shorter(s.failed, w.failure)
	}
	for key, found := range all {
		s.seen[key] = struct{}{}
		s.states = append(s.states, found)
	}
	slices.SortFunc(s.states[first:], state.compare)
}

// compare orders states by the way to them.
func (s state) compare(other state) int {
	return cmp.Or(cmp.Compare(s.parent, other.parent), s.step.compare(other.step))
}

// way returns the steps to a state.
func (s *search) way(i int) (way []step) {
	for ; s.states[i].parent >= 0; i = int(s.states[i].parent) {
		way = append(way, s.states[i].step)
	}
	slices.Reverse(way)
	return way
}

// eachStep calls yield with all steps that there are where r says what is live. Narrowings that
// must be refused, and change nothing, are not among them.
//
// A request arrives as, and is narrowed to, every spelling if a client is free after that, else one
// spelling of each form. See the package's documentation.
func (w *world) eachStep(r *model.Rule[asker], yield func(step)) {
	free := freeClients(w, r)
	if free > 0 {
		for _, i := range w.choices(free - 1) {
			yield(step{verb: submit, spelling: uint16(i)})
		}
	}
	for rank := range r.Live() {
		yield(step{verb: end, rank: uint8(rank)})
		for _, i := range w.choices(free) {
			if !r.Granted(rank) {
				break
			}
			s := step{rank: uint8(rank), spelling: uint16(i)}
			if s.verb = narrow; r.Widening(rank) < 0 && w.spellings[i].Rule.Inside(r.Request(rank)) {
				yield(s)
			} else if s.verb = widen; w.widens && r.Widening(rank) < 0 {
				yield(s)
			}
			if s.verb = submitUnder; w.widens && free > 0 {
				yield(s)
			}
		}
	}
}

// freeClients returns how many clients have no request. A widening is of the client of its grant.
func freeClients(w *world, r *model.Rule[asker]) int {
	free := w.clients
	for rank := range r.Live() {
		if r.Widens(rank) < 0 {
			free--
		}
	}
	return free
}

// choices returns the spellings of requests to choose from if so many clients are free afterwards.
func (w *world) choices(free int) []int {
	if free > 0 {
		return w.all
	}
	return w.forms
}
