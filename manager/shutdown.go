package manager

import "context"

// Shutdown drains the manager as [Manager.Drain] does, stops it, and returns once [Manager.Done] is
// closed: nil if no request was live. If ctx ends first, Shutdown stops the manager all the same,
// and returns the error of Drain, which names the live requests. What waits then fails with
// [treelock.ErrStopped] and [treelock.ErrShutdown], and so does all that comes later. Grants that
// are held are not revoked.
//
// After the manager has stopped for another reason, Shutdown returns what Drain does then. Shutdown
// may be called again, from any goroutine. Under a context that carries a live grant of m, as in a
// Do, it does nothing and returns a [treelock.DeadlockError], as Drain does.
func (m *Manager[N]) Shutdown(ctx context.Context) error {
	if err := m.waitForAll("shutdown", m.grantsIn(ctx)); err != nil {
		return err
	}
	err := m.Drain(ctx)
	m.send(message[N]{kind: kindStop}) // waits only for room
	<-m.done
	return err
}
