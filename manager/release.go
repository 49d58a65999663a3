package manager

import "github.com/treelock/treelock"

// Release is [treelock.Grant.Release].
func (e *engine[N]) Release(h treelock.Hold) {
	e.manager().send(message[N]{kind: kindRelease, ref: h.Ref, seq: h.Number})
}

// release ends the hold of a request, unless it has ended. On the manager goroutine.
func (l *loop[N]) release(r *request[N], seq uint64) {
	l.assertOwner()
	if r == nil || r.Seq() != seq {
		l.revoked.forget(seq) // if it was not released before
		return
	}
	if w := r.Widening(); w != nil {
		l.fail(w, treelock.ErrReleased)
	}
	if r.Who.extra != nil {
		l.releaseAround(r)
		return
	}
	l.end(r)
}

// fail ends a waiting request, with err for its client.
func (l *loop[N]) fail(r *request[N], err error) {
	who := r.Who
	l.trace.failed(r.Seq(), err)
	l.end(r)
	who.refuse(err)
}

// releaseAround releases a grant that may have requests inside or signals. The grants among these
// keep it in its table until they are released, too: leave then ends it.
func (l *loop[N]) releaseAround(r *request[N]) {
	x := r.Who.extra
	if x.released {
		return
	}
	l.dropSignals(r)
	if x.inner != nil {
		l.failInside(x.inner, treelock.ErrReleased)
	}
	if x.inner == nil { // failInside may have ended the last request inside
		l.end(r)
	} else {
		x.released = true
	}
}
