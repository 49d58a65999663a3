package manager

import "github.com/treelock/treelock"

// A Grant is a request that is held, until it is released. It is a small value that may be copied and
// handed on; all copies mean the same hold. The zero Grant holds nothing.
type Grant[N treelock.Node[N]] struct {
	m   *Manager[N]
	req *request[N] // owned by the manager: only to be passed back to it
	seq uint64      // of req; it tells whether req still is what was granted
}

// Release lets go of all that the grant holds; whoever waited only for that is granted. It never waits for
// other clients. A further release of any copy of the grant does nothing, for ever; and so does the
// release of the zero Grant, or one after the manager stopped. O(d).
func (g Grant[N]) Release() {
	if g.m != nil {
		g.m.send(message[N]{kind: release, req: g.req, seq: g.seq})
	}
}

// Token returns the fencing token: among conflicting grants of one manager, a later grant has a larger
// token. A store that remembers the largest token it has seen can refuse a holder that has been
// overtaken, say after a long pause. The zero Grant has the token 0, and tokens begin at 1 or where
// [WithFirstToken] says.
//
// (The scheme is that of the lock sequencers in Burrows, "The Chubby lock service", 2006.)
func (g Grant[N]) Token() uint64 {
	if g.m == nil {
		return 0
	}
	return g.m.firstToken + (g.seq - 1)
}

// release ends the hold of a request, unless it has ended. On the manager goroutine.
func (l *loop[N]) release(r *request[N], seq uint64) {
	l.assertOwner()
	if r.Seq() != seq {
		return // released before
	}
	l.end(r)
}
