package manager

import "github.com/treelock/treelock"

// Narrow makes the grant hold req instead of what it holds, and grants the requests that waited
// only for the rest. Every claim of req must lie inside a claim that the grant holds. So a write
// may become a read, a subtree may become a smaller one or its top node, and a claim may go.
// Otherwise the error is [treelock.ErrNotHeld], and nothing changes.
//
// The error is also ErrNotHeld for a released grant, and where a claimed node has moved (see
// [treelock.Node]) so that another request holds what req names. It is [treelock.ErrStopped] if the
// manager has stopped, and [treelock.ErrTooWide] or an error of a node as for [Manager.Acquire].
//
// Narrow applies to all copies of the grant, and never waits for other clients. The number, the
// token and the label stay. Narrow allocates, and costs O(d). A move to nodes further down, which
// waiting requests claim with a conflict, costs O(d) more for each request that waits at or below
// what the grant held.
func (g Grant[N]) Narrow(req treelock.Request[N]) error {
	if g.m == nil {
		return treelock.ErrNotHeld
	}
	c, err := g.m.newCall(&req, modeNoWait) // any mode, since narrowing never waits
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

// narrow makes a request hold the claims of c instead. On the manager goroutine.
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
