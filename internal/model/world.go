package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/treelock/treelock"
)

// A World is one state that a whole lock manager may be in: the live requests, and the effects of a
// limit, of draining, of suspensions and of stopping. Get one from [NewWorld].
//
// Some requests may be outside of the model: they conflict with none of the requests in it. Of
// these, only the numbers are known.
type World[N treelock.Node[N]] struct {
	Model[N]
	maxWaiting int // negative: no limit
	MaxClaims  int // that a grant may hold after a widening; 0: any number

	Draining bool // no request arrives any more
	Drained  bool // besides, nothing is live, or was when the manager stopped
	Stopped  bool // no request is granted any more

	suspensions []suspension[N]

	outside, outsideWaiting int  // requests outside of the model that are live, and that wait
	narrowed                bool // the request of a name has changed
}

// NewWorld returns a world in which nothing is live and at most maxWaiting requests may wait, any
// number if that is negative.
func NewWorld[N treelock.Node[N]](maxWaiting int) *World[N] {
	return &World[N]{maxWaiting: maxWaiting}
}

// Clone returns a copy of the world.
func (w *World[N]) Clone() *World[N] {
	clone := *w
	clone.Model = w.Model.Clone()
	clone.suspensions = slices.Clone(w.suspensions)
	return &clone
}

// Arrive is the arrival of a request, which waits if it has to. It returns an error, and changes
// nothing, if the request is refused.
func (w *World[N]) Arrive(name string, req treelock.Request[N]) error {
	return w.Let(Call[N]{Name: name, Req: req})
}

// Let is the arrival of any call. It returns an error, and changes nothing, if the call is refused.
func (w *World[N]) Let(c Call[N]) error {
	if err := w.refusal(c); err != nil {
		return err
	}
	after := w.After(c)
	switch waits := after.IsLive(c.Name) && !after.Granted(c.Name); {
	case !waits:
	case c.Tries:
		return treelock.ErrConflict
	case w.maxWaiting >= 0 && w.Waiting()+w.outsideWaiting >= w.maxWaiting:
		return treelock.ErrBusy
	case c.Limit > 0 && after.crowded(c.Name, c.Limit-1):
		return treelock.ErrBusy
	case after.OnCircle(c.Name):
		return treelock.ErrDeadlock
	}
	*w = *after
	return nil
}

// After returns the world after the arrival of a call whose grants are held, even if it is refused
// for having to wait.
func (w *World[N]) After(c Call[N]) *World[N] {
	after := w.Clone()
	after.Enter(c)
	after.narrowed = w.narrowed || c.Widens != ""
	return after
}

// refusal returns the error for a call that is refused whether it would have to wait or not.
func (w *World[N]) refusal(c Call[N]) error {
	if w.Stopped {
		return treelock.ErrStopped
	}
	around := c.Inside
	if c.Widens != "" {
		switch grant := w.rank(c.Widens); {
		case !w.Granted(c.Widens):
			return treelock.ErrReleased
		case w.rule.Widening(grant) >= 0:
			return treelock.ErrWidening
		case w.rule.In(grant) < 0:
			return w.mayWiden(c)
		default:
			around = w.rule.Request(w.rule.In(grant)).name
		}
	}
	switch {
	case around == "" && w.Closed() != nil:
		return w.Closed()
	case around == "":
		return w.suspended(c.Req)
	case !w.Granted(around):
		return treelock.ErrReleased
	case !Inside(c.Req, w.Request(around)):
		return treelock.ErrNotHeld
	}
	return nil
}

// mayWiden returns the error for a widening that is refused whether it would have to wait or not.
func (w *World[N]) mayWiden(c Call[N]) error {
	held := w.Request(c.Widens)
	added := Without(c.Req, held)
	if err := w.suspended(added); err != nil {
		return err
	}
	if w.MaxClaims > 0 && held.Len()+added.Len() > w.MaxClaims {
		return treelock.ErrTooWide
	}
	return nil
}

// Closed returns the error for every request that arrives after draining or stopping, nil before.
func (w *World[N]) Closed() error {
	switch {
	case w.Stopped:
		return treelock.ErrStopped
	case w.Draining:
		return treelock.ErrDraining
	}
	return nil
}

// Leave is the end of a request, if it is live.
func (w *World[N]) Leave(name string) {
	w.End(name)
	w.settle()
}

// SetOutside sets the numbers of requests outside of the model that are live, and that wait.
func (w *World[N]) SetOutside(live, waiting int) {
	w.outside, w.outsideWaiting = live, waiting
	w.settle()
}

// Shrink makes a request hold req instead of what it held. It returns an error, and changes
// nothing, if that is refused.
func (w *World[N]) Shrink(name string, req treelock.Request[N]) error {
	if w.Stopped {
		return treelock.ErrStopped
	}
	if !w.Granted(name) {
		return treelock.ErrNotHeld
	}
	grant := w.rank(name)
	if w.rule.Widening(grant) >= 0 {
		return treelock.ErrWidening
	}
	for rank := range w.rule.live {
		if w.rule.In(rank) == grant && !Inside(w.rule.Request(rank).req, req) {
			return treelock.ErrNotHeld
		}
	}
	if _, ok := w.Narrow(name, req); !ok {
		return treelock.ErrNotHeld
	}
	w.narrowed = true
	w.settle()
	return nil
}

// Drain is the end of arrivals.
func (w *World[N]) Drain() {
	if !w.Stopped {
		w.Draining = true
		w.settle()
	}
}

// Stop is the end of the manager: it ends the waiting requests, and leaves the holding ones.
func (w *World[N]) Stop() {
	w.Stopped = true
	w.rule.live = slices.DeleteFunc(w.rule.live, func(r entry[named[N]]) bool { return !r.granted })
}

func (w *World[N]) settle() {
	w.Drained = w.Drained || w.Draining && !w.Stopped && len(w.rule.live)+w.outside == 0
	w.settleSuspensions()
}

// Deadlocked returns an error if requests are live and none of them is granted. The rule excludes
// that: the earliest request waits for no other. It also returns one if a request is on a circle of
// requests that wait for one another, which had to be refused.
func (w *World[N]) Deadlocked() error {
	if live := w.rule.Live(); live > 0 && w.Waiting() == live {
		return errors.New("I2: requests wait, and none is granted")
	}
	for rank, e := range w.rule.live {
		if !e.granted && w.rule.OnCircle(rank) {
			return fmt.Errorf("%s waits on a circle", e.req.name)
		}
	}
	return nil
}

// normalise brings requests that do not conflict into the order of their names. Requests that
// conflict keep their order. The order of the former makes no difference to anything that follows.
func (w *World[N]) normalise() {
	rest, sorted := w.rule.live, make([]entry[named[N]], 0, len(w.rule.live))
	for len(rest) > 0 {
		first := -1
		for i := range rest {
			r := rest[i].req
			blocked := slices.ContainsFunc(rest[:i], func(e entry[named[N]]) bool { return e.in == rest[i].in && e.req.Conflicts(r) })
			if !blocked && (first < 0 || r.name < rest[first].req.name) {
				first = i
			}
		}
		sorted = append(sorted, rest[first])
		rest = slices.Delete(rest, first, first+1)
	}
	w.rule.live = sorted
}

// key returns a text that is the same for worlds that are in the same state.
func (w *World[N]) key() string {
	var b strings.Builder
	fmt.Fprint(&b, w.Draining, w.Drained, w.Stopped, w.outside, w.outsideWaiting, w.suspensionKeys())
	for _, r := range w.rule.live {
		fmt.Fprint(&b, " ", r.req.name, r.granted, r.released)
		if w.narrowed {
			fmt.Fprintf(&b, "(%v)", r.req.req)
		}
	}
	return b.String()
}
