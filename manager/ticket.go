package manager

import (
	"context"

	"github.com/treelock/treelock"
)

// A Ticket is a submitted request: its place in the queue, and the channel that delivers its grant.
// Get one from [Manager.Submit]; the zero Ticket is of no use.
type Ticket[N treelock.Node[N]] struct {
	m *Manager[N]

	// granted: from the manager goroutine to the clients with the ticket. It has room for the one
	// grant, and is closed if there is none: see endWith.
	granted chan treelock.Grant[N]

	// The manager goroutine owns these fields until it ends. It writes them before it replies to
	// Submit. req and seq name the request. Once there will be no grant, req is nil and err says
	// why.
	req *request[N]
	seq uint64
	err error

	proposed *call[N] // in a manager with a journal: the submission, until it has its place
}

// Submit is [Manager.Acquire] for a select: it returns as soon as the request has arrived, with a
// ticket for the grant. ctx bounds the submission only; a request that is no longer wanted must be
// withdrawn. If ctx ends before the manager has replied, Submit returns at once and leaves a
// message behind that withdraws the request.
//
// The errors are those of Acquire. The ticket costs a few allocations.
func (m *Manager[N]) Submit(ctx context.Context, req treelock.Request[N]) (*Ticket[N], error) {
	c, err := m.newCall(&req, modeTicket)
	if err != nil {
		return nil, err
	}
	t := &Ticket[N]{m: m, granted: make(chan treelock.Grant[N], 1)}
	c.ticket = t
	ended := ctx.Done()
	if o := m.sendCall(ctx, ended, kindAcquire, c, treelock.Hold{}); o != outcomeSent {
		return nil, withRequest("submit", &req, m.unsentErr(o, ctx))
	}
	select {
	case <-c.replies:
	case <-ended: // the manager may still write to c, so c is not reused
		withdrawal := &call[N]{ticket: t, replies: make(chan verdict, 1)}
		m.post(message[N]{kind: kindWithdraw, call: withdrawal})
		return nil, withRequest("submit", &req, m.canceledErr(ctx))
	}
	if _, err := m.result(c); err != nil { // the grant comes over the ticket
		return nil, withRequest("submit", &req, err)
	}
	return t, nil
}

// Granted returns the channel that delivers the grant, once. A further receive blocks. The channel
// is closed without a grant if the request is withdrawn or revoked, or the manager stops; Err then
// says which.
func (t *Ticket[N]) Granted() <-chan treelock.Grant[N] { return t.granted }

// Wait waits for the grant, and withdraws the ticket if ctx ends first. It returns either a grant
// and a nil error, or an error and nothing held: that of ctx (see [Manager.Acquire]), which also
// names the blockers if the request still waited, or that of [Ticket.Err]. If ctx carries grants
// (see [treelock.NewContext]), and to wait would close a circle, Wait withdraws the ticket and
// returns a [treelock.DeadlockError].
//
// The grant is delivered once. If another receive from [Ticket.Granted] takes it, Wait returns when
// ctx ends.
func (t *Ticket[N]) Wait(ctx context.Context) (treelock.Grant[N], error) {
	// A Submit does not block, so the ticket counts in circles only from now on.
	ended := ctx.Done()
	if err := t.blockUnder(t.m.grantsIn(ctx)); err != nil {
		t.Withdraw()
		return treelock.Grant[N]{}, err
	}
	select {
	case grant, ok := <-t.granted:
		switch {
		case !ok:
			return treelock.Grant[N]{}, t.Err()
		case !isClosed(ended):
			return grant, nil
		}
		// The context ended first or at the same time. As in Acquire, a request that had to wait is
		// not granted then.
		grant.Release()
	case <-ended:
	}
	return treelock.Grant[N]{}, t.cancelWait(ctx)
}

// blockUnder tells the manager that a client waits for the ticket while it holds grants. It returns
// a DeadlockError if that closes a circle.
func (t *Ticket[N]) blockUnder(grants []treelock.Hold) error {
	// A grant that is there to be received ends the wait. A ticket that is granted meanwhile is
	// left alone by the inspector.
	if len(grants) == 0 || len(t.granted) > 0 {
		return nil
	}
	b := ticketUnder[N]{t: t, grants: grants}
	t.m.inspect(&b)
	if e, ok := b.err.(*treelock.DeadlockError[N]); ok {
		e.Op = "wait"
	}
	return b.err
}

// A ticketUnder is the inspector that lets a ticket count as waited for by a client with grants.
type ticketUnder[N treelock.Node[N]] struct {
	t      *Ticket[N]
	grants []treelock.Hold
	err    error
}

func (b *ticketUnder[N]) inspect(l *loop[N]) {
	if r := b.t.req; r != nil && r.Seq() == b.t.seq && r.Waiting() {
		b.err = l.blockUnder(r, b.grants)
	}
}

// cancelWait withdraws the ticket, as ctx has ended, and returns the error that says so. It asks
// for the blockers before: a request that has ended has none. ctx is called last, as it may block.
func (t *Ticket[N]) cancelWait(ctx context.Context) error {
	blockers := ticketBlockers[N]{t: t}
	t.m.inspect(&blockers)
	t.Withdraw()
	err := withBlockers[N](t.m.canceledErr(ctx), blockers.blocked)
	if blocked, ok := err.(*treelock.BlockedError[N]); ok {
		blocked.Op = "wait"
	}
	return err
}

// A ticketBlockers is the inspector that reads what a ticket waits for, if it waits.
type ticketBlockers[N treelock.Node[N]] struct {
	t       *Ticket[N]
	blocked error // nil if it does not wait
}

func (b *ticketBlockers[N]) inspect(l *loop[N]) {
	b.blocked = l.explainWaiting(b.t.req, b.t.seq, l.m.maxBlockers)
}

// Err returns nil while the request waits and once it was granted, [treelock.ErrWithdrawn] if it
// was withdrawn, [treelock.ErrLost] with its cause if it was revoked while it waited, and
// [treelock.ErrStopped] if the manager stopped while it waited. It sends a message to the manager,
// and never waits for other clients.
func (t *Ticket[N]) Err() error {
	reply := ticketState[N]{t: t}
	if t.m.inspect(&reply) {
		return reply.err
	}
	<-t.m.done // from here on the manager goroutine does not use the ticket
	if err := t.endErr(); err != nil || len(t.granted) > 0 {
		return err
	}
	select { // granted stays empty, so this takes no grant from another client
	case <-t.granted: // closed by Withdraw
		return treelock.ErrWithdrawn
	default: // received
		return nil
	}
}

// endErr returns why there will be no grant, or nil if there may be one. Only the owner of the
// fields may call it: the manager goroutine, or a client once done is closed.
func (t *Ticket[N]) endErr() error {
	switch {
	case t.req != nil:
		return nil
	case t.err == nil: // the manager stopped before the request arrived
		return t.m.stoppedErr()
	default:
		return t.err
	}
}

// A ticketState is the inspector that reads why there will be no grant for a ticket, if so.
type ticketState[N treelock.Node[N]] struct {
	t   *Ticket[N]
	err error
}

func (s *ticketState[N]) inspect(*loop[N]) { s.err = s.t.endErr() }

// acquireTicket is the arrival of a request with a ticket. On the manager goroutine.
func (l *loop[N]) acquireTicket(c *call[N], g grant[N]) {
	t := c.ticket
	// The ticket is filled in before the grant can be received, and before the reply.
	t.req, t.seq = g.req, g.seq
	if g.req.Granted() {
		t.deliver(g)
	} else {
		g.req.Who.ticket = t
	}
	c.replies <- verdictDone
}

// deliver sends the grant. It never blocks, as granted has room for it. On the manager goroutine.
func (t *Ticket[N]) deliver(g grant[N]) { t.granted <- t.m.public(g) }

// endWith closes granted, as there will be no grant, and keeps the reason for Err. On the manager
// goroutine.
func (t *Ticket[N]) endWith(err error) {
	t.req, t.err = nil, err
	close(t.granted)
}
