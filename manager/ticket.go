package manager

import (
	"context"

	"github.com/treelock/treelock"
)

// A Ticket is a submitted request: the place in the queue, and the channel over which the grant
// comes. Get one from [Manager.Submit].
type Ticket[N treelock.Node[N]] struct {
	m    *Manager[N]
	call *call[N]

	// granted: from the manager to whoever has the ticket. It has room for the one grant, and is closed by
	// the manager if there is none.
	granted chan Grant[N]

	// ended is closed by the manager, after it has set err and before it closes granted.
	ended chan struct{}
	err   error
}

// Submit is [Manager.Acquire] for a select: it returns as soon as the request has arrived, with a ticket for
// the grant. ctx bounds the submission only; a request that is no longer wanted must be withdrawn.
//
// The errors are those of Acquire. The ticket costs a few allocations.
func (m *Manager[N]) Submit(ctx context.Context, req treelock.Request[N]) (*Ticket[N], error) {
	c, err := m.newCall(req, ticket)
	if err != nil {
		return nil, err
	}
	t := &Ticket[N]{m: m, call: c, granted: make(chan Grant[N], 1), ended: make(chan struct{})}
	c.ticket = t
	if err := m.sendWithin(ctx, message[N]{kind: acquire, call: c}); err != nil {
		return nil, err
	}
	a := <-c.answer // which comes at once
	if a.err != nil {
		return nil, a.err
	}
	c.claims, c.lineage = nil, nil // the manager has made its own of them
	return t, nil
}

// Granted returns the channel that delivers the grant, once. It is closed without one if the request is
// withdrawn or the manager stops; Err then says which. After it has delivered the grant, a further receive
// waits for ever.
func (t *Ticket[N]) Granted() <-chan Grant[N] { return t.granted }

// Withdraw gives up the request. If its grant has not been received yet it is taken back, so that after
// Withdraw returned no grant is ever delivered, and nobody waits for this request. If the grant has been
// received, by whomever, it is theirs to release and Withdraw does nothing.
//
// It may be called any number of times. It waits for the manager to see it, never for other clients. O(d).
func (t *Ticket[N]) Withdraw() {
	done := make(chan struct{})
	t.m.send(message[N]{kind: withdraw, call: t.call, done: done})
	select {
	case <-done:
		return
	case <-t.m.done:
	}
	// The manager has ended, and what it may have left in the channel is for whoever gets it.
	select {
	case _, ok := <-t.granted:
		if ok {
			t.end(treelock.ErrWithdrawn)
		}
	default:
	}
}

// Err returns nil while the request waits and once it was granted, [treelock.ErrWithdrawn] if it was
// withdrawn, and [treelock.ErrStopped] if the manager stopped while it waited.
func (t *Ticket[N]) Err() error {
	select {
	case <-t.ended:
		return t.err
	default:
		return nil
	}
}

// withdraw ends the request of a call whose client no longer wants it, unless the client has got the
// grant. On the manager goroutine.
func (l *loop[N]) withdraw(c *call[N], done chan<- struct{}) {
	l.assertOwner()
	r := c.grant.req
	live := r != nil && r.Seq() == c.grant.seq // not refused, and not over
	if live && (r.Waiting() || c.takeBack()) {
		l.deliverAll(l.table.End(r))
		if c.mode == ticket {
			c.ticket.end(treelock.ErrWithdrawn)
		}
		l.settleDrain()
	}
	if done != nil {
		close(done)
	}
}

// takeBack receives the grant that was sent to the client, if the client has not. As each grant is sent
// once and received once, exactly one of the two has it.
func (c *call[N]) takeBack() bool {
	if c.mode != ticket {
		<-c.answer // who withdraws a call of Acquire does not receive any more
		return true
	}
	select {
	case <-c.ticket.granted:
		return true
	default:
		return false
	}
}

// end tells whoever has the ticket that there will be no grant. It is called once at most: on the manager
// goroutine, or, when that has ended, by the one who took the grant back.
func (t *Ticket[N]) end(err error) {
	t.err = err
	close(t.ended)
	close(t.granted)
}
