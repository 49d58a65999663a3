package model

import (
	"errors"
	"fmt"

	"github.com/treelock/treelock"
)

// A Step is something that happens to a lock manager at one instant. It calls then for each state
// that w may be in afterwards, and does not call it if the step cannot happen in w. The step may
// change w.
type Step[N treelock.Node[N]] func(w *World[N], then func(*World[N]))

// A Judge follows a lock manager from outside. What clients do at the same time arrives in an order
// that cannot be observed. The judge tries all orders, and keeps all states that the manager may be
// in by the observations up to now. So it decides whether the calls are linearizable to the rule,
// in the manner of Wing and Gong, "Testing and verifying concurrent objects" (1993), with the sets
// of states of Lowe, "Testing for linearizability" (2017).
//
// It takes time in proportion to the number of orders, so few steps should happen at the same time.
type Judge[N treelock.Node[N]] struct {
	worlds []*World[N]
}

// NewJudge returns the judge of a manager that is known to be in the state first.
func NewJudge[N treelock.Node[N]](first *World[N]) *Judge[N] {
	return &Judge[N]{worlds: []*World[N]{first}}
}

// World returns one of the states that the manager may be in. It is the only one if no two steps
// happened at the same time.
func (j *Judge[N]) World() *World[N] { return j.worlds[0] }

// Worlds returns the number of states that the manager may be in.
func (j *Judge[N]) Worlds() int { return len(j.worlds) }

// Explain notes that all of steps have happened, in some order, and that afterwards the manager was
// in a state for which fits returns nil. If no order leads to such a state, it returns an error:
// one that fits has returned, or a general one if the steps cannot happen in any order.
func (j *Judge[N]) Explain(steps []Step[N], fits func(*World[N]) error) error {
	if len(steps) > 63 {
		return fmt.Errorf("%d steps at the same time are too many to explain", len(steps))
	}
	search := search[N]{steps: steps, fits: fits, seen: map[position]bool{}}
	for _, w := range j.worlds {
		search.explore(w, 1<<len(steps)-1)
	}
	if len(search.found) == 0 {
		if search.why == nil {
			search.why = errors.New("what the clients were told cannot have happened, in any order of their calls")
		}
		return search.why
	}
	j.worlds = search.found
	return nil
}

// A search looks for the states in which some order of steps ends.
type search[N treelock.Node[N]] struct {
	steps []Step[N]
	fits  func(*World[N]) error
	seen  map[position]bool
	found []*World[N]
	why   error // the first reason why a state in which all steps end does not fit
}

// A position is a state between steps: the steps that are left, and the key of the world.
type position struct {
	left uint64
	key  string
}

// explore tries all orders of the steps in left.
func (s *search[N]) explore(w *World[N], left uint64) {
	if len(s.steps) > 1 {
		w.normalise()
	}
	at := position{left, w.key()}
	if s.seen[at] {
		return
	}
	s.seen[at] = true
	if left == 0 {
		s.finish(w)
		return
	}
	for i, step := range s.steps {
		if left&(1<<i) != 0 {
			step(w.Clone(), func(next *World[N]) { s.explore(next, left&^(1<<i)) })
		}
	}
}

// finish keeps w if it agrees with the observations.
func (s *search[N]) finish(w *World[N]) {
	if err := s.fits(w); err == nil {
		s.found = append(s.found, w)
	} else if s.why == nil {
		s.why = err
	}
}
