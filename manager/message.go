package manager

import "github.com/treelock/treelock"

// A messageKind says what a message asks for. The manager goroutine handles kindX in loop.x, in the
// file x.go, next to what the client does before it sends the message.
type messageKind uint8

// The comments name the fields that a message of the kind has.
const (
	kindAcquire  messageKind = iota // call; ref, seq of the grant that the request is inside, if any
	kindRelease                     // ref, seq
	kindCancel                      // call, of an Acquire whose context has ended
	kindWithdraw                    // call, with a ticket
	kindNarrow                      // call, ref, seq
	kindWiden                       // call, ref, seq
	kindRevoke                      // call, with the reason in err; ref, seq
	kindDrain                       // none
	kindInspect                     // call, with an inspector
	kindStop                        // none: the context of the manager has ended, or Shutdown
	kindSealed                      // none: fills the inbox of a stopped manager, for seal alone
)

// A message goes from a client to the manager goroutine, by value: it allocates nothing.
type message[N treelock.Node[N]] struct {
	kind messageKind
	call *call[N]

	// ref and seq name a grant, or for kindRevoke any request. The storage of a request is reused, so
	// seq tells whether ref still leads to the same request.
	ref *treelock.Ref
	seq uint64
}

// An outcome says what became of a message that a client wanted to send. Only a message that was
// sent has a reply.
type outcome uint8

const (
	outcomeSent     outcome = iota // it is in the inbox
	outcomeCanceled                // not sent: the client's context has ended
	outcomeStopped                 // not sent: the manager stops
)

// send puts msg into the inbox, and waits only for room there. It returns false if the manager has
// stopped, or is about to: then msg is never received.
func (m *Manager[N]) send(msg message[N]) bool {
	if m.stopping() {
		return false
	}
	return m.trySend(msg) || m.sendBlocking(msg, nil)
}

// trySend puts msg into the inbox if there is room. Most often there is, and a select of several
// cases costs far more than this one.
func (m *Manager[N]) trySend(msg message[N]) bool {
	select {
	case m.inbox <- msg:
		return true
	default:
		return false
	}
}

// sendBlocking puts msg into the inbox when there is room. It returns false if ended is closed
// first, or if the manager has stopped.
func (m *Manager[N]) sendBlocking(msg message[N], ended <-chan struct{}) bool {
	select {
	case m.inbox <- msg:
		return true
	case <-ended:
		return false
	case <-m.done:
		return false
	}
}

// sendWithin is send, but also returns when ended is closed, the Done channel of the client's
// context. It does not call the context itself, which may be user code.
func (m *Manager[N]) sendWithin(ended <-chan struct{}, msg message[N]) outcome {
	switch {
	case isClosed(ended):
		return outcomeCanceled
	case m.stopping():
		return outcomeStopped
	}
	switch {
	case m.trySend(msg), m.sendBlocking(msg, ended):
		return outcomeSent
	case isClosed(ended):
		return outcomeCanceled
	default:
		return outcomeStopped
	}
}

// post puts msg into the inbox without waiting. If there is no room, a goroutine waits for it. If
// the manager stops first, msg is dropped.
func (m *Manager[N]) post(msg message[N]) {
	if !m.stopping() && !m.trySend(msg) {
		go m.send(msg)
	}
}
