package manager

import "github.com/treelock/treelock"

// Withdraw ends the request. If its grant was sent but not received, the grant ends too. So after
// Withdraw has returned no grant is ever delivered, and no request waits for this one. If a client
// has received the grant, that client must release it, and Withdraw does nothing.
//
// Withdraw may be called any number of times. It waits for the manager, never for other clients. It
// costs O(d). If two clients withdraw one ticket at the same time after the manager has stopped,
// Err may say so only when both have returned.
func (t *Ticket[N]) Withdraw() {
	c := t.m.emptyCall()
	defer t.m.recycle(c)
	c.ticket = t
	if t.m.send(message[N]{kind: kindWithdraw, call: c}) && <-c.replies == verdictDone {
		return
	}
	// The manager has stopped before it handled the message. From done on it does not use the
	// ticket. So the client may take the grant back itself, and close the channel in place of
	// endWith.
	<-t.m.done
	if t.reclaimGrant() {
		close(t.granted)
	}
}

// withdraw ends the request of a ticket, unless a client has received the grant. On the manager
// goroutine.
func (l *loop[N]) withdraw(c *call[N]) {
	l.assertOwner()
	t := c.ticket
	r := t.req // nil if the request was refused, or has ended without a grant
	if t.proposed != nil && l.unpropose(t.proposed) {
		t.endWith(treelock.ErrWithdrawn) // it had no place in the journal yet
	} else if r != nil && (r.Seq() == t.seq && r.Waiting() || t.reclaimGrant()) {
		l.release(r, t.seq) // it may have been revoked, with its grant still in the channel
		t.endWith(treelock.ErrWithdrawn)
	}
	c.replies <- verdictDone
}

// reclaimGrant receives the grant if it was sent and no client has received it. As it is sent once,
// exactly one receive gets it.
func (t *Ticket[N]) reclaimGrant() bool {
	select {
	case _, ok := <-t.granted:
		return ok
	default:
		return false
	}
}
