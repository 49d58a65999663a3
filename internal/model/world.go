package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/treelock/treelock"
)

// A World is one state that a whole lock manager may be in: the live requests, and what a limit, draining
// and stopping make of those that arrive. Get one from [NewWorld].
type World[N treelock.Node[N]] struct {
	Model[N]
	maxWaiting int // negative: no limit

	Draining bool // nothing arrives any more
	Drained  bool // and nothing is live, or was when the manager stopped
	Stopped  bool // nothing is granted any more

	narrowed bool // a name does not tell any more what its request holds
}

// NewWorld returns a world in which nothing is live and at most maxWaiting requests may wait, any number if
// that is negative.
func NewWorld[N treelock.Node[N]](maxWaiting int) *World[N] {
	return &World[N]{maxWaiting: maxWaiting}
}

// Clone returns a copy of the world.
func (w *World[N]) Clone() *World[N] {
	clone := *w
	clone.Model = w.Model.Clone()
	return &clone
}

// Arrive is the arrival of a request, which waits if it has to. It returns the error for one that is
// refused, which changes nothing.
func (w *World[N]) Arrive(name string, req treelock.Request[N]) error {
	if err := w.Closed(); err != nil {
		return err
	}
	if w.maxWaiting >= 0 && w.Waiting() >= w.maxWaiting && w.WouldWait(req) {
		return treelock.ErrBusy
	}
	w.Submit(name, req)
	return nil
}

// Try is the arrival of a request that does not wait. It returns the error for one that is refused, which
// changes nothing.
func (w *World[N]) Try(name string, req treelock.Request[N]) error {
	if err := w.Closed(); err != nil {
		return err
	}
	if w.WouldWait(req) {
		return treelock.ErrConflict
	}
	w.Submit(name, req)
	return nil
}

// Closed returns the error for a request that arrives when none is let in, nil when some are.
func (w *World[N]) Closed() error {
	switch {
	case w.Stopped:
		return treelock.ErrStopped
	case w.Draining:
		return treelock.ErrDraining
	}
	return nil
}

// WouldWait reports whether a request that arrives now conflicts with one that is live.
func (w *World[N]) WouldWait(req treelock.Request[N]) bool {
	return slices.ContainsFunc(w.live, func(r request[N]) bool { return Conflict(r.req, req) })
}

// Leave is the end of a request, if it is live.
func (w *World[N]) Leave(name string) {
	w.End(name)
	if !w.Stopped {
		w.settle()
	}
}

// Shrink makes a request hold req instead of what it held. It returns the error if that is refused, which
// changes nothing.
func (w *World[N]) Shrink(name string, req treelock.Request[N]) error {
	if w.Stopped {
		return treelock.ErrStopped
	}
	if _, ok := w.Narrow(name, req); !ok {
		return treelock.ErrNotHeld
	}
	w.narrowed = true
	return nil
}

// Drain is the end of arrivals.
func (w *World[N]) Drain() {
	if !w.Stopped {
		w.Draining = true
		w.settle()
	}
}

// Stop is the end of the manager: what waits is over, what holds goes on without it.
func (w *World[N]) Stop() {
	w.Stopped = true
	w.live = slices.DeleteFunc(w.live, func(r request[N]) bool { return !r.granted })
}

func (w *World[N]) settle() {
	w.Drained = w.Drained || w.Draining && len(w.live) == 0
}

// Deadlocked returns an error if requests are live and none of them is granted, which the rule rules out: the
// earliest waits for nobody.
func (w *World[N]) Deadlocked() error {
	if len(w.live) > 0 && w.Waiting() == len(w.live) {
		return errors.New("I2: requests wait, and none is granted")
	}
	return nil
}

// normalise brings requests that do not conflict into the order of their names, as far as those that do stay as
// they are. The order of requests that do not conflict makes no difference to anything that follows.
func (w *World[N]) normalise() {
	rest := w.live
	w.live = make([]request[N], 0, len(rest))
	for len(rest) > 0 {
		first := -1
		for i := range rest {
			unblocked := !slices.ContainsFunc(rest[:i], func(r request[N]) bool { return Conflict(r.req, rest[i].req) })
			if unblocked && (first < 0 || rest[i].name < rest[first].name) {
				first = i
			}
		}
		w.live = append(w.live, rest[first])
		rest = slices.Delete(rest, first, first+1)
	}
}

// key returns a text that is the same for worlds that are in the same state.
func (w *World[N]) key() string {
	var b strings.Builder
	fmt.Fprint(&b, w.Draining, w.Drained, w.Stopped)
	for _, r := range w.live {
		fmt.Fprint(&b, " ", r.name, r.granted)
		if w.narrowed {
			fmt.Fprintf(&b, "(%v)", r.req)
		}
	}
	return b.String()
}
