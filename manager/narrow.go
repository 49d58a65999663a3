package manager

import "github.com/treelock/treelock"

// Narrow gives up part of a grant without letting go of the rest: afterwards the grant holds req instead,
// and whoever waited only for the rest is granted. Every claim of req must lie inside one that the grant
// holds: a write may become a read, a subtree a smaller one or its top node alone, and a claim may
// go. Else the error is [treelock.ErrNotHeld] and nothing changes. So it is for a grant that was released. The
// error is [treelock.ErrStopped] if the manager has stopped, and one of the node as for [Manager.Acquire].
//
// It applies to all copies of the grant. It never waits for other clients. The token stays. O(d), and O(1)
// for each request that waits at a node below those held before; it allocates.
func (g Grant[N]) Narrow(req treelock.Request[N]) error {
	if g.m == nil {
		return treelock.ErrNotHeld
	}
	c, err := g.m.newCall(req, noWait)
	if err != nil {
		return err
	}
	defer g.m.recycle(c)
	if !g.m.send(message[N]{kind: narrow, call: c, req: g.req, seq: g.seq}) {
		return g.m.stopped()
	}
	return (<-c.answer).err
}

// narrow makes a request hold what c claims instead. On the manager goroutine.
func (l *loop[N]) narrow(c *call[N], r *request[N], seq uint64) {
	l.assertOwner()
	if r.Seq() != seq {
		c.answer <- answer[N]{err: treelock.ErrNotHeld}
		return
	}
	granted, ok := l.table.Narrow(r, c.claims)
	if !ok {
		c.answer <- answer[N]{err: treelock.ErrNotHeld}
		return
	}
	c.answer <- answer[N]{}
	l.deliverAll(granted)
}
