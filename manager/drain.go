package manager

import "context"

// Drain refuses new requests from now on, with [treelock.ErrDraining], and returns nil once nothing is live:
// those that hold have released, those that waited were granted and have released, or were withdrawn. It
// returns the error of ctx if that ends first, and [treelock.ErrStopped] if the manager stops first.
//
// Draining goes on when Drain gives up, and begins even if ctx has ended already; there is no way back. Drain
// may be called again, from anywhere. It does not stop the manager: end its context for that.
func (m *Manager[N]) Drain(ctx context.Context) error {
	ended := ctx.Done() // a ctx that cannot be asked drains nothing
	switch {
	case m.stopping():
		ended = nil // the manager was the first to end
	case m.offer(message[N]{kind: drain}):
	case !m.sendSlowly(message[N]{kind: drain}, ended):
		go m.send(message[N]{kind: drain}) // draining begins when there is room, whatever becomes of ctx
	}
	select {
	case <-m.drained:
		return nil
	case <-ended:
		return contextError(ctx)
	case <-m.done:
	}
	select { // it may have been drained and then stopped
	case <-m.drained:
		return nil
	default:
		return m.stopped()
	}
}

// drain is the end of arrivals. On the manager goroutine.
func (l *loop[N]) drain() {
	l.assertOwner()
	l.draining = true
	l.settleDrain()
}

// settleDrain tells those that wait in Drain once nothing is live. As nothing arrives any more, nothing
// ever will be.
func (l *loop[N]) settleDrain() {
	if l.draining && !l.drained && l.table.Live() == 0 {
		l.drained = true
		close(l.m.drained)
	}
}
