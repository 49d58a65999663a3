package manager

import "context"

// Drain refuses new requests from now on, with [treelock.ErrDraining], and returns nil once nothing
// is live: requests that hold have been released, and requests that wait have been granted and
// released, or have been withdrawn. If ctx ends first the error satisfies errors.Is for its error
// and for its cause, and if the manager stops first for [treelock.ErrStopped]. A manager that was
// drained stays so: then Drain returns nil, even if ctx has ended or the manager has stopped.
//
// Draining goes on when Drain returns early, and begins even if ctx has ended already. It cannot be
// undone. Drain may be called again, from anywhere. It does not stop the manager: end its context
// for that. Grants can be narrowed and released meanwhile.
func (m *Manager[N]) Drain(ctx context.Context) error {
	ended := ctx.Done() // a ctx that cannot be asked drains nothing
	switch {
	case m.stopping():
		ended = nil // the manager was the first to end
	case m.trySend(message[N]{kind: kindDrain}):
	case !m.sendBlocking(message[N]{kind: kindDrain}, ended):
		go m.send(message[N]{kind: kindDrain}) // draining begins when there is room, whatever becomes of ctx
	}
	select {
	case <-m.drainDone:
	case <-ended:
	case <-m.done:
	}
	switch { // several may have come
	case isClosed(m.drainDone):
		return nil
	case isClosed(ended):
		return m.canceledErr(ctx)
	default:
		return m.stoppedErr()
	}
}

// drain is the end of arrivals. On the manager goroutine.
func (l *loop[N]) drain() {
	l.assertOwner()
	l.draining = true
	l.checkDrained()
}

// settleDrain tells those that wait in Drain once nothing is live. As nothing arrives any more, nothing
// ever will be.
func (l *loop[N]) checkDrained() {
	if l.draining && !l.drainDone && l.table.Live() == 0 {
		l.drainDone = true
		close(l.m.drainDone)
	}
}
