package manager

import "context"

// Drain refuses new requests from now on, with [treelock.ErrDraining], and returns nil once no
// request is live: each has been released or withdrawn. If ctx ends first, the error satisfies
// errors.Is for [treelock.ErrGaveUp], its error and its cause. It is a [treelock.BlockedError] that
// names the earliest live requests (see [WithBlockers]); to find them takes a survey, as a
// [Manager.Snapshot] does, of at most 200 milliseconds. If the manager stops first, the error
// satisfies errors.Is for [treelock.ErrStopped]. Once a manager is drained, Drain returns nil, even
// if ctx has ended or the manager has stopped.
//
// Draining begins even if ctx has ended already, goes on when Drain returns early, and cannot be
// undone. Drain may be called again, from any goroutine. Meanwhile requests that wait are granted,
// and grants can be narrowed and released. Drain does not stop the manager: see [Manager.Shutdown].
//
// Under a context that carries a live grant of m (see [treelock.NewContext]) Drain would wait for
// its own caller. Then it drains nothing, and returns a [treelock.DeadlockError].
func (m *Manager[N]) Drain(ctx context.Context) error {
	ended := ctx.Done() // first, as a panic of it must drain nothing
	if err := m.waitForAll("drain", m.grantsIn(ctx)); err != nil {
		return err
	}
	switch {
	case m.stopping():
		ended = nil // the manager ended first
	case m.trySend(message[N]{kind: kindDrain}):
	// ctx bounds the wait of Drain, not the drain. So if ctx ends while the inbox is full, a
	// goroutine waits for room in place of the client. It ends at the latest when the manager
	// stops.
	case !m.sendBlocking(message[N]{kind: kindDrain}, ended):
		go m.send(message[N]{kind: kindDrain})
	}
	select {
	case <-m.drainDone:
	case <-ended:
	case <-m.done:
	}
	switch { // several may be closed
	case isClosed(m.drainDone):
		return nil
	case isClosed(ended):
		names := m.namesOf(&survey[N]{own: true})
		// The survey takes time, in which the last request may have ended.
		if isClosed(m.drainDone) {
			return nil
		}
		return withBlockers[N](m.canceledErr(ctx), names.blockedErr("drain"))
	default:
		return m.stoppedErr()
	}
}

// drain refuses all later requests. On the manager goroutine.
func (l *loop[N]) drain() {
	l.assertOwner()
	l.draining = true
	l.checkDrained()
}

// checkDrained closes drainDone once no request is live. As none arrives any more, that is final.
func (l *loop[N]) checkDrained() {
	if l.draining && !l.drainDone && l.live == 0 {
		l.drainDone = true
		close(l.m.drainDone)
	}
}
