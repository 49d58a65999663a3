package manager

import (
	"github.com/treelock/treelock"
)

// A kind says what a message is about. What the manager does with it is a method of the same name on loop, in
// the file of that name, next to what the client does before it sends the message.
type kind uint8

const (
	acquire  kind = iota // call
	release              // req, seq
	giveUp               // call, of an Acquire whose context has ended
	withdraw             // call, with a ticket
	narrow               // call, req, seq
	drain                // no fields
	inspect              // call, with an inspector
	stop                 // no fields: the context has ended
	sealed               // no fields: fills the inbox for ever once the manager has stopped; nobody receives it
)

// A message goes from a client to the manager, by value: it allocates nothing.
type message[N treelock.Node[N]] struct {
	kind kind
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
		return m.sendSlowly(msg, nil)
	}
}

// offer puts msg into the inbox if there is room. Most often there is, and a select of several cases
// costs far more than this one.
func (m *Manager[N]) offer(msg message[N]) bool {
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
	if !m.stopping() && !m.offer(msg) {
		go m.send(msg)
	}
}

// An outcome says what became of a message that a client wanted to send.
type outcome uint8

const (
	sent     outcome = iota // it is in the inbox
	canceled                // it is not: the client's context has ended
	stopped                 // it is not: the manager stops
)

// sendWithin is like send, but also ends when ended is closed, which is the Done channel of the
// client's context. It asks nothing of the context itself, as that may be code of the user's.
func (m *Manager[N]) sendWithin(ended <-chan struct{}, msg message[N]) outcome {
	switch {
	case isClosed(ended):
		return canceled
	case m.stopping():
		return stopped
	}
	switch {
	case m.offer(msg), m.sendSlowly(msg, ended):
		return sent
	case isClosed(ended):
		return canceled
	default:
		return stopped
	}
}

// sendSlowly puts msg into the inbox when there is room. It returns false if ended was closed first, or the manager has stopped.
func (m *Manager[N]) sendSlowly(msg message[N], ended <-chan struct{}) bool {
	select {
	case m.inbox <- msg:
		return true
	case <-ended:
		return false
	case <-m.done:
		return false
	}
}
