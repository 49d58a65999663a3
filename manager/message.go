package manager

import (
	"github.com/treelock/treelock"
)

// A kind says what a message is about. What the manager does with it is a method of the same name on loop, in
// the file of that name, next to what the client does before it sends the message.
type messageKind uint8

const (
	kindAcquire  messageKind = iota // call
	kindRelease                     // req, seq
	kindCancel                      // call, of an Acquire whose context has ended
	kindWithdraw                    // call, with a ticket
	kindNarrow                      // call, req, seq
	kindDrain                       // no fields
	kindInspect                     // call, with an inspector
	kindStop                        // no fields: the context has ended
	kindSealed                      // no fields: fills the inbox for ever once the manager has stopped; nobody receives it
)

// A message goes from a client to the manager, by value: it allocates nothing.
type message[N treelock.Node[N]] struct {
	kind messageKind
	call *call[N]

	// A grant is named by where its request is stored and by its sequence number; the storage may have
	// been used again since, the number is not.
	req *request[N]
	seq uint64
}

// send puts msg into the inbox, waiting for nothing but room there. It returns false if the manager has
// stopped, or is about to: then it never sees msg.
func (m *Manager[N]) send(msg message[N]) bool {
	if m.stopping() {
		return false
	}
	select { // most often there is room, and a full select costs far more than this one
	case m.inbox <- msg:
		return true
	default:
		return m.sendBlocking(msg, nil)
	}
}

// offer puts msg into the inbox if there is room. Most often there is, and a select of several cases
// costs far more than this one.
func (m *Manager[N]) trySend(msg message[N]) bool {
	select {
	case m.inbox <- msg:
		return true
	default:
		return false
	}
}

// post puts msg into the inbox without waiting. If there is no room, a goroutine waits for it; if the
// manager stops first, msg is dropped.
func (m *Manager[N]) post(msg message[N]) {
	if !m.stopping() && !m.trySend(msg) {
		go m.send(msg)
	}
}

// An outcome says what became of a message that a client wanted to send.
type outcome uint8

const (
	outcomeSent     outcome = iota // it is in the inbox
	outcomeCanceled                // it is not: the client's context has ended
	outcomeStopped                 // it is not: the manager stops
)

// sendWithin is like send, but also ends when ended is closed, which is the Done channel of the
// client's context. It asks nothing of the context itself, as that may be code of the user's.
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

// sendSlowly puts msg into the inbox when there is room. It returns false if ended was closed first, or the manager has stopped.
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
