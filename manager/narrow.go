package manager

import "github.com/treelock/treelock"

// Narrow is [treelock.Grant.Narrow]. It takes no context: the manager replies in the step that
// handles the message, and waits for no other client.
func (e *engine[N]) Narrow(h treelock.Hold, req treelock.Request[N]) error {
	m := e.manager()
	c, err := m.newCall(&req, modeNoWait) // any mode, since narrowing never waits
	if err != nil {
		return err
	}
	if !m.send(message[N]{kind: kindNarrow, call: c, ref: h.Ref, seq: h.Number}) {
		m.recycle(c)
		return m.stoppedErr()
	}
	// The message gets a reply even if the manager stops, so the client need not select on done.
	<-c.replies
	_, err = m.result(c)
	return err
}

// narrow makes a request hold the claims of c instead. On the manager goroutine.
//
// All refusals come before the table changes, so a Narrow that fails leaves the grant as it was.
// The number and the token stay, as nothing is granted to r.
func (l *loop[N]) narrow(c *call[N], r *request[N], seq uint64) {
	l.assertOwner()
	if l.overErr(r, seq) != nil {
		l.refuse(c, treelock.ErrNotHeld)
		return
	}
	// The widening knows the modes that the grant had when it arrived (I10), so these must not
	// change while it waits.
	if r.Widening() != nil {
		l.refuse(c, treelock.ErrWidening)
		return
	}
	// Requests inside r must stay inside it, those that wait included: they may be granted later
	// without another look at r.
	if x := r.Who.extra; x != nil && x.inner != nil && !x.inner.table.Within(c.claims) {
		l.refuse(c, treelock.ErrNotHeld)
		return
	}
	if e := entryOf(r); e != nil {
		if err := l.narrowEntry(r, e, c.claims); err != nil {
			l.refuse(c, err)
			return
		}
	}
	granted, ok := r.Who.scope.table.Narrow(r, c.claims)
	if !ok {
		l.refuse(c, treelock.ErrNotHeld)
		return
	}
	// The reply need not wait for the grants below: the next message of this client is handled
	// after them in any case. From here on c is the client's.
	c.replies <- verdictDone
	// A survey that collects for a suspension records r as it was, in Narrow at the latest. So r
	// leaves the suspension only afterwards; before, the survey would add it again.
	l.leaveNarrowed(r)
	l.deliverAll(granted)
}
