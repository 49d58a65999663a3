package manager

import "github.com/treelock/treelock"

// Narrow gives up part of a grant. Afterwards the grant holds req instead, and requests that waited
// only for the rest are granted. Every claim of req must lie inside one that the grant holds: a
// write may become a read, a subtree a smaller one or its top node alone, and a claim may go. Else
// the error is [treelock.ErrNotHeld], and nothing changes.
//
// The error is ErrNotHeld also for a grant that was released, and where a claimed node has moved
// (see [treelock.Node]) so that another request holds what req asks for. It is
// [treelock.ErrStopped] if the manager has stopped, and [treelock.ErrTooWide] or an error of a node
// as for [Manager.Acquire].
//
// Narrow applies to all copies of the grant, and never waits for other clients. The number, the
// token and the label stay. It allocates, and costs O(d). If it moves to nodes further down that
// waiting requests have claimed in a way that conflicts, it costs O(d) more for each request that
// waits where the grant was held, or for something below.
func (g Grant[N]) Narrow(req treelock.Request[N]) error {
	if g.m == nil {
		return treelock.ErrNotHeld
	}
	c, err := g.m.newCall(&req, modeNoWait) // it does not wait, in any case
	if err != nil {
		return err
	}
	if !g.m.send(message[N]{kind: kindNarrow, call: c, req: g.req, seq: g.seq}) {
		g.m.recycle(c)
		return g.m.stoppedErr()
	}
	<-c.replies
	_, err = g.m.result(c)
	return err
}

// narrow makes a request hold what c claims instead. On the manager goroutine.
func (l *loop[N]) narrow(c *call[N], r *request[N], seq uint64) {
	l.assertOwner()
	if r.Seq() != seq {
		c.refuse(treelock.ErrNotHeld)
		return
	}
	granted, ok := l.table.Narrow(r, c.claims)
	if !ok {
		c.refuse(treelock.ErrNotHeld)
		return
	}
	c.replies <- verdictDone
	l.deliverAll(granted)
}
