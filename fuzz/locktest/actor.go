package locktest

import (
	"context"
	"errors"
	"fmt"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// An actor is one client with one request, or one that drains.
type actor struct {
	name   string
	req    request
	wrong  error // what is wrong with req, whatever the state of the lock
	tries  bool
	drains bool
	deaf   bool            // nobody receives from its ticket
	ctx    context.Context // nil for one that tries
	cancel func()          // ends ctx
	late   bool            // ctx has ended before it asks

	// Written by the actor's goroutine, and read only when that is done or waits.
	ticket Ticket

	withdrawn bool // Withdraw has returned
	tooLate   bool // nobody had received from the ticket before that

	// result has what the actor's goroutine was told in the end.
	result chan result

	state   state
	reached state // the last that was reported
	grant   Grant
	err     error // why it is over, if it was told so; errDrained if Drain returned nil
}

// A state is how far an actor has come, by what it was told.
type state uint8

const (
	entering state = iota // its request is sent
	waiting               // it has arrived
	holds
	over // it was refused, withdrawn or released
)

type result struct {
	grant Grant
	err   error
}

// errDrained stands for the nil that Drain returns.
var errDrained = errors.New("drained")

// submit is the life of a client with a ticket, up to the grant.
func (a *actor) submit(lock Lock) {
	t, err := lock.Submit(a.ctx, a.req)
	if err != nil {
		a.result <- result{err: err}
		return
	}
	a.ticket = t
	if !a.deaf {
		go a.receive()
	}
}

// receive waits for what comes of the ticket.
func (a *actor) receive() {
	g, ok := a.ticket.Receive()
	err := a.ticket.Err()
	if ok == (err != nil) || ok == (g == nil) {
		err = fmt.Errorf("I6: received %v, %t, and Err() = %v", g, ok, err)
	}
	a.result <- result{g, err}
}

// listen finds out what the actor was told since the last time, and returns the steps that this must have come of.
func (a *actor) listen() ([]model.Step[path], error) {
	was := a.state
	if was == over || was == holds && a.grant != nil {
		return nil, nil
	}
	r, told := a.hear()
	if a.late && r.err == nil {
		return nil, fmt.Errorf("%s was let in after its context had ended", a.name)
	}
	if a.tooLate && r.grant != nil {
		return nil, fmt.Errorf("I6: %s received a grant after it was withdrawn", a.name)
	}
	switch {
	case told && r.err != nil:
		a.state, a.err = over, r.err
		if r.grant != nil && a.ticket == nil {
			return nil, fmt.Errorf("%s was told %w, and has a grant", a.name, r.err)
		}
		return a.ended(was)
	case told:
		a.state, a.grant = holds, r.grant
	default:
		if a.ticket == nil && a.ctx != nil && a.ctx.Err() != nil {
			return nil, fmt.Errorf("%s goes on waiting after its context has ended", a.name)
		}
		if a.withdrawn {
			return nil, fmt.Errorf("%s goes on waiting after it was withdrawn", a.name)
		}
		a.state = waiting
	}
	if a.drains {
		return nil, nil
	}
	if was == entering {
		if a.wrong != nil {
			return nil, fmt.Errorf("%s was let in, but %w", a.name, a.wrong)
		}
		return []model.Step[path]{a.arrive}, nil
	}
	return nil, nil
}

// hear returns what the actor was told, if it was told anything. A deaf one is looked at from behind.
func (a *actor) hear() (result, bool) {
	select {
	case r := <-a.result:
		return r, true
	default:
	}
	if a.deaf && a.ticket != nil {
		if err := a.ticket.Err(); err != nil {
			return result{err: err}, true
		}
		if a.ticket.Ready() {
			return result{}, true
		}
	}
	return result{}, false
}

// ended returns the steps that an error must have come of.
func (a *actor) ended(was state) ([]model.Step[path], error) {
	gaveUp := isContextError(a.err)
	switch {
	case gaveUp && !a.mayGiveUp():
		return nil, fmt.Errorf("%s was told %w, which is not what its context says, or it does not matter any more", a.name, a.err)
	case errors.Is(a.err, treelock.ErrWithdrawn) && !a.withdrawn:
		return nil, fmt.Errorf("%s was told %w, by nobody", a.name, a.err)
	case a.drains && !gaveUp && !errors.Is(a.err, errDrained) && !errors.Is(a.err, treelock.ErrStopped):
		return nil, fmt.Errorf("%s drains, and was told %w", a.name, a.err)
	case a.drains, a.late: // what is late has not arrived, and changes nothing
		return nil, nil
	case errors.Is(a.err, treelock.ErrStopped) && !gaveUp:
		if was == entering {
			return []model.Step[path]{a.mayArrive}, nil // and is over when the manager stops
		}
		return nil, nil
	case errors.Is(a.err, treelock.ErrWithdrawn), gaveUp:
		if was == entering {
			return []model.Step[path]{a.mayArrive, a.leave}, nil
		}
		return []model.Step[path]{a.leave}, nil
	case was != entering:
		return nil, fmt.Errorf("%s was told too late: %w", a.name, a.err)
	}
	return []model.Step[path]{a.refused}, nil
}

// mayGiveUp reports whether the actor's error is that of its context, and has its cause. A ticket does not depend
// on the context any more.
func (a *actor) mayGiveUp() bool {
	return a.ctx != nil && a.ticket == nil && a.ctx.Err() != nil && errors.Is(a.err, a.ctx.Err()) && errors.Is(a.err, context.Cause(a.ctx))
}

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// arrive is the arrival of a request that was let in.
func (a *actor) arrive(w *world, then func(*world)) {
	if w.Arrive(a.name, a.req) == nil {
		then(w)
	}
}

// mayArrive is the arrival, or not, of a request that was given up on the way.
func (a *actor) mayArrive(w *world, then func(*world)) {
	then(w.Clone())
	a.arrive(w, then)
}

// leave is the end of a request.
func (a *actor) leave(w *world, then func(*world)) {
	if a.blamesRight(w) {
		w.Leave(a.name)
		then(w)
	}
}

// refused is the arrival of a request that was not let in, and leaves no trace.
func (a *actor) refused(w *world, then func(*world)) {
	want, after := a.wrong, w.Clone()
	switch {
	case want != nil:
	case a.tries:
		want = after.Try(a.name, a.req)
	default:
		want = after.Arrive(a.name, a.req)
	}
	if want == nil || !sameRefusal(a.err, want) {
		return
	}
	if blame(a.err) != nil {
		after.Submit(a.name, a.req) // as it was for an instant
	}
	if a.blamesRight(after) {
		then(w)
	}
}

// sameRefusal reports whether err is what it should be. Of what is wrong with a path, any of several rules may be named.
func sameRefusal(err, want error) bool {
	var bad *treelock.PathError
	if errors.As(want, &bad) {
		return errors.As(err, &bad)
	}
	return errors.Is(err, want)
}

// fits compares what the actor has seen with a state in which the lock may be.
func (a *actor) fits(w *world) error {
	if a.drains {
		return a.drainFits(w)
	}
	if errors.Is(a.err, treelock.ErrStopped) && !w.Stopped {
		return fmt.Errorf("%s was told that the manager stopped, which it has not", a.name)
	}
	if live := w.IsLive(a.name); live != (a.state != over) {
		return fmt.Errorf("I2: %s is live: %t, and by the rule %t", a.name, a.state != over, live)
	}
	if granted := w.Granted(a.name); granted != (a.state == holds) {
		return fmt.Errorf("I2: %s holds: %t, and by the rule %t", a.name, a.state == holds, granted)
	}
	return nil
}

func (a *actor) drainFits(w *world) error {
	switch {
	case a.state == waiting && (w.Drained || w.Stopped):
		return fmt.Errorf("%s goes on waiting, with drained=%t and stopped=%t", a.name, w.Drained, w.Stopped)
	case errors.Is(a.err, errDrained) && !w.Drained:
		return fmt.Errorf("%s drained, and %v are live", a.name, w.Live())
	case errors.Is(a.err, treelock.ErrStopped) && (w.Drained || !w.Stopped):
		return fmt.Errorf("%s was told that the manager stopped, with drained=%t and stopped=%t", a.name, w.Drained, w.Stopped)
	}
	return nil
}
