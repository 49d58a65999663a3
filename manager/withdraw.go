package manager

// Withdraw gives up the request. If its grant has not been received yet it is taken back, so that after
// Withdraw returned no grant is ever delivered, and nobody waits for this request. If the grant has been
// received, by whomever, it is theirs to release and Withdraw does nothing.
//
// It may be called any number of times. It waits for the manager to see it, never for other clients. O(d). If two
// withdraw one ticket at the same time and the manager has stopped, Err may say so only when both have returned.
func (t *Ticket[N]) Withdraw() {
	c := t.m.emptyCall()
	defer t.m.recycle(c)
	c.ticket = t
	if t.m.send(message[N]{kind: kindWithdraw, call: c}) && <-c.replies == verdictDone {
		return
	}
	<-t.m.done // from here on the manager does nothing more with the ticket
	if t.reclaimGrant() {
		close(t.granted)
	}
}

// withdraw ends the request of a ticket, unless somebody has got the grant. On the manager goroutine.
func (l *loop[N]) withdraw(c *call[N]) {
	l.assertOwner()
	t := c.ticket
	r := t.req
	if r != nil && r.Seq() == t.seq && (r.Waiting() || t.reclaimGrant()) {
		l.end(r)
		t.endWith(ticketWithdrawn)
	}
	c.replies <- verdictDone
}

// takeBack receives the grant that was sent, if nobody has. As it is sent once and received once, exactly one
// has it.
func (t *Ticket[N]) reclaimGrant() bool {
	select {
	case _, ok := <-t.granted:
		return ok
	default:
		return false
	}
}
