package locktest

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// A client makes one request, or drains, suspends or ends the lock.
type client[N treelock.Node[N]] struct {
	name      string
	claims    string // the words for its request
	req       treelock.Request[N]
	invalid   error // the error that req must have in any state of the lock
	tries     bool
	lingers   bool // see Lock.TriesLinger
	drains    bool
	shuts     bool // it drains by Shutdown
	suspends  bool
	narrows   bool            // a hostile client's narrowing, which may take any time
	checks    bool            // it calls Check
	awaits    bool            // it waits for its ticket with ctx
	noReceive bool            // it does not receive from its ticket
	ctx       context.Context // nil for TryAcquire
	plainCtx  context.Context // what ctx is based on, if it is hostile
	cancel    func()          // ends ctx
	expired   bool            // ctx had ended before the call

	nesting[N]

	nodes    []N           // of a suspension
	resume   func()        // valid once Suspend has returned
	computes *computing[N] // nil without treelock.AcquireFunc

	hostile  bool
	want     error // the outcome that its nodes and its context call for, nil for any
	onCancel error // a further outcome that the end of its context allows
	canEnd   bool  // its context tells when it ends

	// For a call of Do.
	leaveWith error             // what f does in the end: return errDone, panic or exit
	runs      chan struct{}     // closed by f when it runs; nil without Do
	leave     chan struct{}     // closed by the harness: f may return
	left      bool              // leave is closed
	lent      treelock.Grant[N] // what the context of f carries

	lost, wanted <-chan struct{} // of its grant; nil until asked for

	// Written by the client's goroutine, and read only when that is done or waits.
	ticket Ticket

	withdrawn    bool // Withdraw has returned
	grantRevoked bool // Withdraw has returned before the client began to receive

	// result carries the outcome of the call, from the client's goroutine to the harness. It has
	// room for it.
	result chan result

	state   state
	reached state // the last that was reported
	grant   Grant
	first   Grant // the copy of grant that it got first
	usesOld bool  // it uses that one
	err     error // why the request is over, if the client was told
}

// A state is how far a client has come, by what it was told.
type state uint8

const (
	entering state = iota // its request is sent
	waiting               // it has arrived
	holds
	over // it was refused, canceled or released
)

type result struct {
	grant Grant
	err   error
}

// Outcomes that are not errors of a lock.
var (
	errFree      = errors.New("would be granted") // represents the nil of Check
	errWidened   = errors.New("widened")          // represents the nil of Widen
	errDrained   = errors.New("drained")          // represents the nil of Drain
	errSuspended = errors.New("suspended")        // represents the nil of Suspend
	errDone      = errors.New("done")             // returned by the function of Do
	errExit      = errors.New("exits")            // the call has ended its goroutine
	errPanic     = panicked{"mine"}               // the call has panicked
	errPanicNil  = panicked{"nil"}                // the call has panicked with nil
	errOfTicket  = errors.New("not an answer")    // the answer comes by the ticket
)

type panicked struct{ value any }

func (p panicked) Error() string { return fmt.Sprint("panics with ", p.value) }

// run makes a call and sends its outcome, also if it panics or ends its goroutine.
func (c *client[N]) run(call func() (Grant, error)) {
	r := result{err: errExit}
	defer func() {
		if errors.Is(r.err, errExit) && (c.hostile || c.runs != nil) {
			r.err = outcomeOf(recover())
		}
		if r.err != errOfTicket {
			c.result <- r
		}
	}()
	r.grant, r.err = call()
}

// outcomeOf returns the outcome of a call that has not returned.
func outcomeOf(recovered any) error {
	if recovered == nil {
		return errExit
	}
	if _, ok := recovered.(*runtime.PanicNilError); ok {
		return errPanicNil
	}
	return panicked{recovered}
}

// submit gets a ticket and receives from it.
func (c *client[N]) submit(lock Lock[N]) {
	c.run(func() (Grant, error) {
		t, err := lock.Submit(c.ctx, c.req)
		if err != nil {
			return nil, err
		}
		c.ticket = t
		if !c.noReceive {
			go c.receive()
		}
		return nil, errOfTicket
	})
}

// receive waits for the outcome of the ticket.
func (c *client[N]) receive() {
	g, ok := c.ticket.Receive()
	err := c.ticket.Err()
	if ok == (err != nil) || ok == (g == nil) {
		err = fmt.Errorf("I6: received %v, %t, and Err() = %v", g, ok, err)
	}
	c.result <- result{g, err}
}

// do stays in the function of Do until the harness lets it leave.
func (c *client[N]) do(lock Lock[N]) {
	c.run(func() (Grant, error) {
		return nil, lock.Do(c.ctx, c.req, func(ctx context.Context) error {
			c.lent, _ = treelock.FromContext[N](ctx)
			close(c.runs)
			<-c.leave
			return act(c.leaveWith)
		})
	})
}

// act panics or ends its goroutine if err is such an outcome. Else it returns err.
func act(err error) error {
	switch err {
	case errPanicNil:
		panic(nil)
	case errPanic:
		panic(errPanic.value)
	case errExit:
		runtime.Goexit()
	}
	return err
}

// poll returns what the client was told, if it was told anything.
func (c *client[N]) poll() (r result, told bool) {
	select {
	case r = <-c.result:
		return r, true
	default:
	}
	if c.noReceive && c.ticket != nil {
		err := c.ticket.Err()
		return result{err: err}, err != nil || c.ticket.Ready()
	}
	return result{}, c.runs != nil && isClosed(c.runs)
}

// settle reads what the client was told since the last time, and returns the steps that this must
// be due to.
func (c *client[N]) settle() ([]model.Step[N], error) {
	was := c.state
	if was == over || was == holds && c.grant != nil {
		return nil, nil
	}
	r, told := c.poll()
	switch {
	case c.expired && r.err == nil:
		return nil, fmt.Errorf("%s was let in after its context had ended", c.name)
	case c.grantRevoked && r.grant != nil:
		return nil, fmt.Errorf("I6: %s received a grant after it was withdrawn", c.name)
	case told && r.err != nil && r.grant != nil && c.ticket == nil:
		return nil, fmt.Errorf("%s was told %w, and has a grant", c.name, r.err)
	case told && r.err != nil:
		c.state, c.err = over, r.err
		return c.ended(was)
	case told:
		c.state, c.grant, c.first = holds, r.grant, r.grant
	case (c.ticket == nil || c.awaits) && c.ctx != nil && c.ctx.Err() != nil:
		return nil, fmt.Errorf("%s goes on waiting after its context has ended", c.name)
	case c.withdrawn:
		return nil, fmt.Errorf("%s goes on waiting after it was withdrawn", c.name)
	default:
		c.state = waiting
	}
	switch {
	case c.computes != nil:
		return []model.Step[N]{c.recompute()}, nil
	case was != entering || c.drains || c.suspends:
		return nil, nil
	case c.invalid != nil:
		return nil, fmt.Errorf("%s was let in, but %w", c.name, c.invalid)
	}
	return []model.Step[N]{c.arrive}, nil
}

// ended returns the steps that an error must be due to.
func (c *client[N]) ended(was state) ([]model.Step[N], error) {
	canceled := isContextError(c.err)
	switch {
	case c.suspends:
		return c.endSuspend(was)
	case c.left && was == holds:
		if c.err != c.leaveWith {
			return nil, fmt.Errorf("%s was told %w, want %w", c.name, c.err, c.leaveWith)
		}
		return []model.Step[N]{c.depart}, nil
	case errors.Is(c.err, errWidened):
		return c.settleWidened(was)
	case errors.Is(c.err, treelock.ErrReleased) && (c.inside != nil || c.widens != nil) && was == entering:
		return []model.Step[N]{c.releasedAround}, nil
	case errors.Is(c.err, treelock.ErrReleased) && (c.inside != nil || c.widens != nil):
		return nil, nil // by the rule it is not live any more
	case errors.Is(c.err, treelock.ErrDeadlock) && c.awaits:
		return nil, nil // see beginWait
	case errors.Is(c.err, treelock.ErrLost) && was != entering:
		return nil, nil // by the rule it is not live any more
	case canceled && !c.mayCancel():
		return nil, fmt.Errorf("%s was told %w, which is not what its context says, or it has no effect any more", c.name, c.err)
	case errors.Is(c.err, treelock.ErrWithdrawn) && !c.withdrawn:
		return nil, fmt.Errorf("%s was told %w, without a withdrawal", c.name, c.err)
	case c.drains:
		return c.endDrain()
	case c.expired: // an expired request has not arrived, and changes nothing
		return nil, nil
	case errors.Is(c.err, treelock.ErrStopped) && !canceled:
		if was == entering {
			return []model.Step[N]{c.mayArrive}, nil // and is over when the lock stops
		}
		return nil, nil
	case errors.Is(c.err, treelock.ErrWithdrawn), canceled:
		if was == entering {
			return []model.Step[N]{c.mayArrive, c.depart}, nil
		}
		return []model.Step[N]{c.depart}, nil
	case was != entering:
		return nil, fmt.Errorf("%s was told too late: %w", c.name, c.err)
	}
	if c.lingers && errors.Is(c.err, treelock.ErrConflict) {
		return []model.Step[N]{c.linger, c.leaveNothing}, nil
	}
	return []model.Step[N]{c.refuse}, nil
}

// mayCancel reports whether the client's error is that of its context, and has its cause. A ticket
// does not depend on the context any more.
func (c *client[N]) mayCancel() bool {
	return c.ctx != nil && (c.ticket == nil || c.awaits) && c.ctx.Err() != nil &&
		errors.Is(c.err, c.ctx.Err()) && errors.Is(c.err, context.Cause(c.ctx))
}

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
