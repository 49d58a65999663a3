package manager

import "github.com/treelock/treelock"

// Narrow is [treelock.Grant.Narrow].
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
	<-c.replies
	_, err = m.result(c)
	return err
}

// narrow makes a request hold the claims of c instead. On the manager goroutine.
func (l *loop[N]) narrow(c *call[N], r *request[N], seq uint64) {
	l.assertOwner()
	if l.overErr(r, seq) != nil {
		l.refuse(c, treelock.ErrNotHeld)
		return
	}
	if r.Widening() != nil {
		l.refuse(c, treelock.ErrWidening)
		return
	}
	if x := r.Who.extra; x != nil && x.inner != nil && !x.inner.table.Within(c.claims) {
		l.refuse(c, treelock.ErrNotHeld)
		return
	}
	granted, ok := r.Who.scope.table.Narrow(r, c.claims)
	if !ok {
		l.refuse(c, treelock.ErrNotHeld)
		return
	}
	c.replies <- verdictDone
	l.leaveNarrowed(r)
	l.deliverAll(granted)
}
