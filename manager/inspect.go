package manager

import "github.com/treelock/treelock"

// An inspector reads the state of the manager for a client. Its method runs on the manager
// goroutine. The client owns the inspector again once Manager.inspect has returned true.
type inspector[N treelock.Node[N]] interface{ inspect(l *loop[N]) }

// inspect sends i to the manager goroutine and waits until its method has run. It returns false if
// the manager has stopped, or is about to: then the method never runs.
func (m *Manager[N]) inspect(i inspector[N]) bool {
	c := m.emptyCall()
	defer m.recycle(c)
	c.inspector = i
	return m.send(message[N]{kind: kindInspect, call: c}) && <-c.replies == verdictDone
}

// inspect runs the method of an inspector. On the manager goroutine.
func (l *loop[N]) inspect(c *call[N]) {
	l.assertOwner()
	// The reply comes last: from then on the inspector, with what it found, is the client's.
	c.inspector.inspect(l)
	c.replies <- verdictDone
}
