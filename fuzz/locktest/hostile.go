package locktest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// A hostility is what hostile nodes and contexts share with their harness. User code reads it on
// any goroutine.
type hostility struct {
	maxDepth int
	reenter  func() // uses the lock
	stop     func() // ends the context of the lock
	stopped  atomic.Bool

	parents atomic.Int64 // calls of Parent of hostile nodes
	moves   atomic.Int32 // of the node kind mover
	counter atomic.Int32 // calls of Parent of the node kind fickle
	gate    *gate

	behaviors map[string]*behavior // of node kinds; for the harness alone
}

// errStopper is the cause with which a lock of a hostile history ends.
var errStopper = errors.New("a node has ended the context")

// openHostile connects the hostility with a new lock.
func (h *harness[N]) openHostile() {
	x, lock, stop := h.hostility, h.lock, h.stop
	node, _ := h.tree.parse("/hostile/c")
	x.maxDepth = h.options.MaxDepth
	x.reenter = func() {
		if g, err := lock.TryAcquire(context.Background(), treelock.Request[N]{}.Read(node)); err == nil {
			g.Release()
		}
	}
	x.stop = func() {
		x.stopped.Store(true)
		stop(errStopper)
	}
}

// prepareHostileContext gives a context of one of ctxKinds to c. It returns the outcome that the
// context calls for.
func (h *harness[N]) prepareHostileContext(c *client[N], name string) (want error) {
	i := slices.IndexFunc(ctxKinds, func(k ctxKind) bool { return k.name == name })
	if i < 0 || h.hostility == nil {
		h.t.Fatalf("there are no contexts %s", name)
	}
	kind := ctxKinds[i]
	c.hostile, c.onCancel, c.canEnd = true, kind.onCancel, name != "never"
	switch name {
	case "ended":
		c.cancel()
	case "timed":
		c.ctx, c.cancel = context.WithTimeout(c.ctx, shortTime)
	}
	c.plainCtx = c.ctx
	if kind.odd != nil {
		odd := &oddCtx{Context: c.ctx}
		kind.odd(h.hostility, odd)
		c.ctx = odd
	}
	return kind.want
}

// narrowHostile narrows the grant of a hostile client, as a client of its own, since that may take
// any time.
func (h *harness[N]) narrowHostile(holder *client[N], grant narrower[N], args []string) *command[N] {
	c := h.enter(fmt.Sprintf("%s-%d", holder.name, len(h.clients)))
	h.prepareRequest(c, args)
	c.hostile, c.narrows = true, true
	return &command[N]{waits: true, run: func() {
		c.run(func() (Grant, error) { return nil, grant.Narrow(c.req) })
	}}
}

// settleHostile reads, at rest, what the hostile clients were told, and returns the steps that
// follow for the world, which has the other clients.
func (h *harness[N]) settleHostile() (steps []model.Step[N], err error) {
	atGate := int(h.hostility.gate.queue.Load())
	waits, holders := -atGate, 0 // a client at the gate has not sent its request
	for _, c := range h.clients {
		if !c.hostile {
			continue
		}
		if err := h.settleClient(c, atGate > 0); err != nil {
			return nil, err
		}
		switch c.state {
		case waiting:
			waits++
		case holds:
			holders++
		}
	}
	stopped := h.hostility.stopped.Load() || h.reason != nil
	switch {
	case waits > 0 && holders == 0:
		return nil, fmt.Errorf("I2: %d hostile clients wait, and none of them holds anything", waits)
	case waits > 0 && stopped:
		return nil, fmt.Errorf("%d hostile clients wait for a lock that has stopped", waits)
	case stopped && h.reason == nil:
		h.reason = errStopper
		steps = oneStep((*model.World[N]).Stop)()
	}
	if now := [2]int{waits + holders, waits}; now != h.outside {
		h.outside = now
		steps = append(steps, oneStep(func(w *model.World[N]) { w.SetOutside(now[0], now[1]) })()...)
	}
	return steps, nil
}

// settleClient reads what a hostile client was told. atGate says that some clients wait at the
// gate.
func (h *harness[N]) settleClient(c *client[N], atGate bool) error {
	if c.state == over || c.state == holds && c.grant != nil {
		return nil
	}
	r, told := c.poll()
	allowed := true
	switch {
	case !told:
		c.state = waiting
		allowed = atGate || c.want == nil && !c.tries && !c.narrows && !c.mustEnd()
	case r.err != nil:
		c.state, c.err = over, r.err
		allowed = slices.ContainsFunc(h.allowed(c), func(want error) bool { return isOutcome(r.err, want) })
	case c.narrows:
		c.state = over
		allowed = c.want == nil
	default:
		c.state, c.grant = holds, r.grant
		allowed = c.want == nil && !(c.grantRevoked && r.grant != nil)
	}
	if !allowed {
		return fmt.Errorf("%s is told (%t) %v, %v, want the outcome %v or one of %v", c.name, told, r.grant, r.err, c.want, h.allowed(c))
	}
	return nil
}

// mustEnd reports whether the context of a hostile client has ended, or its ticket was withdrawn.
func (c *client[N]) mustEnd() bool {
	return c.withdrawn || c.ticket == nil && c.canEnd && c.plainCtx.Err() != nil
}

// allowed returns the errors that a hostile client may be told.
func (h *harness[N]) allowed(c *client[N]) (errs []error) {
	allow := func(when bool, which ...error) {
		if when {
			errs = append(errs, which...)
		}
	}
	allow(c.want != nil, c.want)
	allow(c.want == nil && c.tries, treelock.ErrConflict)
	allow(c.want == nil && c.narrows, treelock.ErrNotHeld)
	allow(h.hostility.stopped.Load() || h.reason != nil, treelock.ErrStopped)
	allow(h.draining, treelock.ErrDraining)
	allow(h.options.Limited, treelock.ErrBusy)
	allow(c.withdrawn, treelock.ErrWithdrawn)
	allow(c.left, c.leaveWith)
	if c.plainCtx != nil && c.plainCtx.Err() != nil {
		allow(true, context.Canceled)
		allow(c.onCancel != nil, c.onCancel)
	}
	return errs
}

// isOutcome reports whether err is the outcome want, which is context.Canceled for any end of any
// context.
func isOutcome(err, want error) bool {
	if want != context.Canceled {
		return errors.Is(err, want)
	}
	return isContextError(err) || errors.Is(err, errOdd) || errors.Is(err, errCause) ||
		strings.Contains(err.Error(), "its Err is nil")
}
