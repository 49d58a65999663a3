package manager

import "github.com/treelock/treelock"

// stop ends everything: nobody is granted any more, everybody gets an answer. msg is the message at hand. On
// the manager goroutine.
func (l *loop[N]) stop(msg message[N]) {
	l.assertOwner()
	err := l.m.stoppedErr()
	for _, r := range l.table.Waiters() {
		r.Who.stop(err)
	}
	for msg.kind != kindStop { // it comes, and then the goroutine that sent it has ended
		refuseMessage(msg, err)
		msg = <-l.m.inbox
	}
	l.m.final = l.currentStats()
	l.m.final.Inbox = 0 // they have their answers
	l.m.seal(err)
	l.table.Abandon()
}

// seal answers what is in the inbox and fills it, for ever, so that from then on a client that sends
// finds no room, and sees done. Without this a client could put a message into the buffer after the last
// look at it, and wait for the answer for ever; the alternative is that every client watches done
// in every receive, which costs more than all the rest.
//
// First it fills the buffer. From then on the buffer is full whenever seal takes a message out of it, so that a
// client can only get in between that and seal's own message. Once as many own messages in a row went in as there is
// room for, the buffer has nothing else. This terminates: a client that begins to send now sees that the context has
// ended, so only those that were about to send can still do so, once each.
func (m *Manager[N]) seal(err error) {
	for m.sendSealed() {
	}
	for own := 0; own < cap(m.inbox); {
		refuseMessage(<-m.inbox, err)
		if m.sendSealed() {
			own++
		} else {
			own = 0 // a client was faster
		}
	}
}

// sendSealed puts a message of the manager's own into the inbox, and reports whether there was room.
func (m *Manager[N]) sendSealed() bool {
	select {
	case m.inbox <- message[N]{kind: kindSealed}:
		return true
	default:
		return false
	}
}

// refuse answers a message that came too late.
func refuseMessage[N treelock.Node[N]](msg message[N], err error) {
	switch msg.kind {
	case kindAcquire, kindWithdraw, kindNarrow, kindInspect:
		msg.call.refuse(err)
	case kindCancel:
		msg.call.confirmCancel(nil)
	}
}

// announceStop is the goroutine that wakes the manager when the context given to Start ends. It runs
// no user code, which context.AfterFunc and context.WithCancel would if the context is of a type of
// the user's.
func (m *Manager[N]) announceStop() {
	<-m.ended
	m.inbox <- message[N]{kind: kindStop}
}
