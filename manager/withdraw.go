package manager

import "github.com/treelock/treelock"

// Withdraw gives up the request. If its grant has not been received yet it is taken back, so that after
// Withdraw returned no grant is ever delivered, and nobody waits for this request. If the grant has been
// received, by whomever, it is theirs to release and Withdraw does nothing.
//
// It may be called any number of times. It waits for the manager to see it, never for other clients. O(d). If two
// withdraw one ticket at the same time and the manager has stopped, Err may say so only when both have returned.
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
