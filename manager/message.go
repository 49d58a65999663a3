package manager

import "github.com/treelock/treelock"

// A messageKind says what a message asks for. The manager goroutine handles kindX in loop.x, in the
// file x.go, next to what the client does before it sends the message.
type messageKind uint8

// The comments name the fields that a message of the kind has, and the reply. A client sends each
// of them, on the goroutine of its call, unless the comment names another sender.
const (
	// kindAcquire: call; ref and seq of the grant that the request is inside, if any. One reply,
	// after a verdictMustWait if the client asked for that.
	kindAcquire messageKind = iota

	// kindRelease: ref and seq. No reply, so Release does not wait for the manager.
	kindRelease

	// kindCancel: the call of an Acquire or Widen whose context has ended, with which it sent its
	// request. The last reply to that call is then verdictCanceled.
	kindCancel

	// kindWithdraw: call, with a ticket. One reply, once no grant can come any more.
	kindWithdraw

	// kindNarrow: call; ref and seq of the grant. One reply.
	kindNarrow

	// kindWiden: call; ref and seq of the grant. Replies as to kindAcquire.
	kindWiden

	// kindRevoke: call, with the reason in err; ref and seq of the request, as a survey found it.
	// One reply.
	kindRevoke

	// kindDrain: no field and no reply. The manager goroutine closes drainDone when it is drained.
	kindDrain

	// kindInspect: call, with an inspector. One reply, once its method has run. The goroutine of
	// the slow log sends it, too.
	kindInspect

	// kindStop: no field and no reply. announceStop sends it when the context of the manager has
	// ended, and Shutdown does. The manager goroutine closes done.
	kindStop

	// kindSealed: no field. The manager goroutine itself fills the inbox with it when it stops (see
	// seal).
	kindSealed
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
//
// It looks at stopping first, although sendBlocking looks at done: seal ends only if clients send
// no more once stopBegun is closed.
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
	// If both have ended, the client is told of its own context. Its error then names the end of
	// the manager as well (canceledErr).
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
// the manager stops first, msg is dropped. It is for a client whose context has ended, and which
// must return at once.
func (m *Manager[N]) post(msg message[N]) {
	if !m.stopping() && !m.trySend(msg) {
		go m.send(msg)
	}
}
