package locktest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// drain drains the lock, or shuts it down.
func (h *harness[N]) drain(verb, name string, args []string) *command[N] {
	c := h.enter(name)
	c.drains, c.shuts = true, verb == "shutdown"
	h.draining, h.shuts = true, h.shuts || c.shuts
	h.prepareContext(c, h.prepareNesting(c, args))
	drain := h.lock.Drain
	if c.shuts {
		drain = h.lock.Shutdown
	}
	return &command[N]{waits: true, run: func() {
		err := drain(c.ctx)
		if err == nil {
			err = errDrained
		}
		c.result <- result{err: err}
	}, steps: func() []model.Step[N] { return []model.Step[N]{c.beginDrain} }}
}

// beginDrain is the moment from which a lock drains. It does not, if its caller holds a grant.
func (c *client[N]) beginDrain(w *model.World[N], then func(*model.World[N])) {
	holds := !w.Stopped && slices.ContainsFunc(c.under, func(around *client[N]) bool {
		return w.Granted(around.name) && (c.err == nil || c.namesHolder(around))
	})
	if refused := errors.Is(c.err, treelock.ErrDeadlock); refused != holds {
		return
	}
	if !holds {
		w.Drain()
	}
	then(w)
}

// endDrain returns the steps that the end of a drain must be due to. A shutdown ends the lock.
func (c *client[N]) endDrain() ([]model.Step[N], error) {
	switch {
	case errors.Is(c.err, treelock.ErrDeadlock) && len(c.under) > 0, errors.Is(c.err, treelock.ErrStopped):
		return nil, nil // see beginDrain and drainFits
	case !isContextError(c.err) && !errors.Is(c.err, errDrained):
		return nil, fmt.Errorf("%s drains, and was told %w", c.name, c.err)
	case c.shuts:
		return oneStep((*model.World[N]).Stop)(), nil
	}
	return nil, nil
}

// namesHolder reports whether the client's error, if it is a deadlock, names one grant alone, that
// of around.
func (c *client[N]) namesHolder(around *client[N]) bool {
	var dead *treelock.DeadlockError[N]
	return !errors.As(c.err, &dead) || len(dead.Circle) == 1 && dead.Circle[0].Label == around.name
}

// suspend puts a suspension in force. Its name is the reason.
func (h *harness[N]) suspend(name string, args []string) *command[N] {
	c := h.enter(name)
	c.suspends = true
	args, _ = h.prepareContext(c, h.prepareNesting(c, args))
	for _, word := range args {
		node, _ := h.tree.parse(word)
		c.nodes = append(c.nodes, node)
	}
	c.invalid = h.invalid(treelock.For[N]().Write(c.nodes...))
	return &command[N]{waits: true, run: func() {
		resume, err := h.lock.Suspend(c.ctx, name, c.nodes...)
		if err == nil {
			err = errSuspended
		}
		c.resume = resume
		c.result <- result{err: err}
	}, steps: func() []model.Step[N] { return []model.Step[N]{c.beginSuspend, c.beginSuspendWait} }}
}

// beginSuspend is the moment from which a suspension is in force.
func (c *client[N]) beginSuspend(w *model.World[N], then func(*model.World[N])) {
	want := c.invalid
	if want == nil {
		want = w.Suspend(c.name, c.nodes...)
	}
	if want == nil || c.err != nil && sameRefusal(c.err, want) {
		then(w)
	}
}

// beginSuspendWait is the moment from which the caller of a suspension waits for what is live
// there. A circle ends the suspension. A lock that has stopped, or a context that has ended, may
// keep it from waiting.
func (c *client[N]) beginSuspendWait(w *model.World[N], then func(*model.World[N])) {
	_, begun := w.Suspended(c.name)
	never := c.invalid != nil || errors.Is(c.err, treelock.ErrStopped)
	switch refused := errors.Is(c.err, treelock.ErrDeadlock); {
	case begun && isContextError(c.err), never && (begun || w.Stopped || c.invalid != nil):
		then(w)
	case begun && (w.SuspendUnder(c.name, c.call().Under...) != nil) == refused:
		if !refused {
			then(w)
		} else if c.namesSuspendCircle(w) {
			w.Resume(c.name)
			then(w)
		}
	}
}

// namesSuspendCircle reports whether the client's error names a circle in w that begins with a
// grant of the caller, or that grant alone.
func (c *client[N]) namesSuspendCircle(w *model.World[N]) bool {
	var dead *treelock.DeadlockError[N]
	if !errors.As(c.err, &dead) {
		return false
	}
	around := slices.IndexFunc(c.under, func(a *client[N]) bool { return a.name == dead.Circle[0].Label })
	return around >= 0 && (len(dead.Circle) == 1 || isCircle(dead.Circle, w))
}

// endSuspend returns the steps that the end of the call must be due to.
func (c *client[N]) endSuspend(was state) ([]model.Step[N], error) {
	known := []error{errSuspended, treelock.ErrStopped, treelock.ErrDeadlock}
	expected := slices.ContainsFunc(known, func(err error) bool { return errors.Is(c.err, err) })
	if canceled := isContextError(c.err); !expected && !canceled && c.invalid == nil || canceled && !c.mayCancel() {
		return nil, fmt.Errorf("%s suspends, and was told %w", c.name, c.err)
	}
	if was == entering {
		return nil, nil
	}
	return oneStep(func(w *model.World[N]) { w.SuspendGivenUp(c.name) })(), nil
}

func (c *client[N]) suspendFits(w *model.World[N]) error {
	over, begun := w.Suspended(c.name)
	switch {
	case c.state == waiting && (over || !begun || w.Stopped):
		return fmt.Errorf("%s goes on waiting, with over=%t and stopped=%t", c.name, over, w.Stopped)
	case errors.Is(c.err, errSuspended) && begun && !over:
		return fmt.Errorf("%s has suspended, and %v are live there", c.name, w.LiveIn(c.name))
	case errors.Is(c.err, treelock.ErrStopped) && !w.Stopped:
		return fmt.Errorf("%s was told that the lock stopped, which it has not", c.name)
	}
	return nil
}

// resume ends a suspension, also one that has ended.
func (h *harness[N]) resume(name string) *command[N] {
	c := h.must(name)
	if c.state != over || c.resume == nil {
		return &command[N]{} // Suspend has not returned
	}
	return &command[N]{run: c.resume, steps: oneStep(func(w *model.World[N]) { w.Resume(name) })}
}

// namesSuspension reports whether the client's error, if it is a suspension, says the reason of one
// that refuses the client's call in w.
func (c *client[N]) namesSuspension(w *model.World[N]) bool {
	if !errors.Is(c.err, treelock.ErrSuspended) {
		return true
	}
	req := c.req
	if c.widens != nil {
		req = model.Without(req, w.Request(c.widens.name))
	}
	return slices.ContainsFunc(w.SuspendedBy(req), func(name string) bool {
		return strings.HasSuffix(c.err.Error(), ": "+name)
	})
}

// describeSuspension returns what an error says of a suspension: the subtree and the reason.
func describeSuspension(err error) string {
	if !errors.Is(err, treelock.ErrSuspended) {
		return ""
	}
	_, what, _ := strings.Cut(err.Error(), "suspended: ")
	return ": " + what
}
