package manager

import (
	"context"

	"github.com/treelock/treelock"
)

// A Ticket is a submitted request: the place in the queue, and the channel over which the grant
// comes. Get one from [Manager.Submit]; the zero Ticket is of no use.
type Ticket[N treelock.Node[N]] struct {
	m    *Manager[N]
	call *call[N]

	// granted: from the manager to whoever has the ticket. It has room for the one grant, and is closed if
	// there is none: see end.
	granted chan Grant[N]

	// ended is closed by whoever closes granted, after err is set and before granted is closed.
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

// end tells whoever has the ticket that there will be no grant. It is called once at most: on the manager
// goroutine, or, when that has ended, by the one who took the grant back.
func (t *Ticket[N]) end(err error) {
	t.err = err
	close(t.ended)
	close(t.granted)
}
