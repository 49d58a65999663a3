package model

import (
	"fmt"
	"slices"

	"github.com/treelock/treelock"
)

// A suspension keeps requests out of some subtrees.
type suspension[N treelock.Node[N]] struct {
	name  string
	nodes []N
	under []int // the ids of the grants that the caller holds while it waits
	over  bool  // nothing was live in the subtrees at some time since it began
}

// reaches reports whether a claim of req shares a node with one of the subtrees.
func (s suspension[N]) reaches(req treelock.Request[N]) bool {
	for _, node := range s.nodes {
		if Conflict(req, treelock.For[N]().Write(node)) {
			return true
		}
	}
	return false
}

// Suspend puts a suspension in force: it refuses the requests from outside that arrive from now on
// and touch one of the subtrees.
func (w *World[N]) Suspend(name string, nodes ...N) error {
	if w.Stopped {
		return treelock.ErrStopped
	}
	w.suspensions = append(w.suspensions, suspension[N]{name: name, nodes: nodes})
	w.settle()
	return nil
}

// SuspendUnder is the moment from which the caller of a suspension waits for the live requests
// there, while it holds some grants. It returns an error if the wait closes a circle: then the
// suspension must end.
func (w *World[N]) SuspendUnder(name string, grants ...string) error {
	i := w.suspension(name)
	if i < 0 {
		return nil
	}
	s := &w.suspensions[i]
	for _, grant := range grants {
		if w.Granted(grant) {
			s.under = append(s.under, w.rule.live[w.rank(grant)].id)
		}
	}
	w.noteSuspends()
	for _, id := range s.under {
		rank := w.rule.rank(id)
		if s.holds(w, rank) || s.holds(w, w.rule.Widening(rank)) || w.rule.OnCircle(rank) {
			return treelock.ErrDeadlock
		}
	}
	return nil
}

// holds reports whether a request of some rank, if it is not negative, is live in the subtrees.
func (s *suspension[N]) holds(w *World[N], rank int) bool {
	return rank >= 0 && w.rule.live[rank].in == 0 && s.reaches(w.rule.live[rank].req.req)
}

// SuspendGivenUp is the moment from which the caller of a suspension waits no longer.
func (w *World[N]) SuspendGivenUp(name string) {
	if i := w.suspension(name); i >= 0 {
		w.suspensions[i].under = nil
		w.noteSuspends()
	}
}

// Resume ends a suspension.
func (w *World[N]) Resume(name string) {
	if i := w.suspension(name); i >= 0 {
		w.suspensions = slices.Delete(w.suspensions, i, i+1)
		w.noteSuspends()
	}
}

// Suspended reports whether a suspension is in force, and whether the requests that were live there
// are over.
func (w *World[N]) Suspended(name string) (over, ok bool) {
	i := w.suspension(name)
	return i >= 0 && w.suspensions[i].over, i >= 0
}

// LiveIn returns the names of the live requests from outside that a suspension waits for.
func (w *World[N]) LiveIn(name string) (names []string) {
	if i := w.suspension(name); i >= 0 {
		for rank := range w.rule.live {
			if w.suspensions[i].holds(w, rank) {
				names = append(names, w.rule.live[rank].req.name)
			}
		}
	}
	return names
}

// SuspendedBy returns the names of the suspensions that refuse a request from outside.
func (w *World[N]) SuspendedBy(req treelock.Request[N]) (names []string) {
	for _, s := range w.suspensions {
		if s.reaches(req) {
			names = append(names, s.name)
		}
	}
	return names
}

// suspended returns the error for a request from outside that touches a suspended subtree, or nil.
func (w *World[N]) suspended(req treelock.Request[N]) error {
	if len(w.SuspendedBy(req)) > 0 {
		return treelock.ErrSuspended
	}
	return nil
}

// suspension returns the index of the suspension of that name, or -1.
func (w *World[N]) suspension(name string) int {
	return slices.IndexFunc(w.suspensions, func(s suspension[N]) bool { return s.name == name })
}

// noteSuspends tells the rule which callers of a suspension wait while they hold grants.
func (w *World[N]) noteSuspends() {
	w.rule.suspends = nil
	for _, s := range w.suspensions {
		if len(s.under) > 0 {
			w.rule.suspends = append(w.rule.suspends, suspends[named[N]]{
				under: s.under, reaches: func(r named[N]) bool { return s.reaches(r.req) },
			})
		}
	}
}

// settleSuspensions finds the suspensions that nothing is live in.
func (w *World[N]) settleSuspensions() {
	for i := range w.suspensions {
		s := &w.suspensions[i]
		s.over = s.over || !w.Stopped && len(w.LiveIn(s.name)) == 0
	}
}

// suspensionKeys returns a text that is the same for the same suspensions.
func (w *World[N]) suspensionKeys() string {
	var keys []string
	for _, s := range w.suspensions {
		keys = append(keys, fmt.Sprint(s.name, s.over, s.under))
	}
	slices.Sort(keys)
	return fmt.Sprint(keys)
}

// A suspends is a call that waits for the live requests outside of all grants that reach somewhere,
// while its caller holds grants.
type suspends[R any] struct {
	under   []int // their ids
	reaches func(R) bool
}

// heldBySuspend reports whether the caller of a Suspend that waits for b holds a.
func (r *Rule[R]) heldBySuspend(a, b int) bool {
	held, other := &r.live[a], &r.live[b]
	return other.in == 0 && !held.released && slices.ContainsFunc(r.suspends, func(s suspends[R]) bool {
		return slices.Contains(s.under, held.id) && s.reaches(other.req)
	})
}
