package manager

import "github.com/treelock/treelock"

// Release is [treelock.Grant.Release]. It gets no reply, so it waits for room in the inbox at most.
// If the manager has stopped, there is nothing to release.
func (e *engine[N]) Release(h treelock.Hold) {
	e.manager().send(message[N]{kind: kindRelease, ref: h.Ref, seq: h.Number})
}

// release ends the hold of a request, unless it has ended. On the manager goroutine.
//
// cancel and withdraw call it as well, for a request that waits or whose grant was not received.
func (l *loop[N]) release(r *request[N], seq uint64) {
	l.assertOwner()
	if r == nil || r.Seq() != seq {
		l.revoked.forget(seq) // if it was not released before
		return
	}
	// The table ends the widening with its grant and says nothing. So it is failed first, for its
	// client gets a reply then and the counts stay right.
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
	// The table clears r.Who when r ends, and may use r for the next request. So the client is
	// copied before, and told once the request is gone.
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
		return // by another copy of the grant
	}
	// Lost and Wanted say something of a grant that is held. This one is no longer, even if it
	// lives on.
	l.dropSignals(r)
	if x.inner != nil {
		l.failInside(x.inner, treelock.ErrReleased)
	}
	// failInside may have ended the last request inside, and leave has then removed the scope.
	// released is set only now: with it, leave would have ended r, and r would end twice.
	if x.inner == nil {
		l.end(r)
	} else {
		x.released = true
	}
}
