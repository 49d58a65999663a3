package manager

import "github.com/treelock/treelock"

// stop ends the manager. No further request is granted, and every request and message gets a reply.
// msg has been received and not handled. On the manager goroutine.
func (l *loop[N]) stop(msg message[N]) {
	l.assertOwner()
	// The errors of clients say why the manager stops. They read shutDown once stopBegun is closed,
	// so it is written before.
	l.m.shutDown = !isClosed(l.m.ctxDone)
	close(l.m.stopBegun)
	err := l.m.stoppedErr()
	l.trace.begin(message[N]{kind: kindStop})
	// The messages of the requests that wait were handled long ago: no message in the inbox leads to
	// their clients. They are refused and not ended: to end them would grant further requests.
	for _, r := range l.table.Waiters() {
		l.trace.failed(r.Seq(), err)
		r.Who.refuse(err)
	}
	for s := l.inner; s != nil; s = s.next {
		for _, r := range s.table.Waiters() {
			l.trace.failed(r.Seq(), err)
			r.Who.refuse(err)
		}
	}
	if l.placing.journal != nil {
		for c := range l.placing.pending {
			l.dropPending(c)
			l.failProposal(c, err)
		}
		for _, calls := range l.placing.revoking {
			for _, c := range calls {
				c.refuse(err)
			}
		}
		l.placing.journal.Stop()
	}
	l.trace.finish(l)
	l.loseAll()
	refuseMessage(msg, err)
	// The clients read final after done is closed, which happens after this.
	l.m.final = l.currentStats()
	l.m.final.Inbox = 0 // seal replies to the messages that are left
	l.m.seal(err)
	// A grant that outlives the manager must not keep the table in memory.
	l.table.Abandon()
	for s := l.inner; s != nil; s = s.next {
		s.table.Abandon()
	}
}

// seal replies to all messages in the inbox and leaves it full, so that a client that sends later
// finds no room and sees done. Otherwise a client could put a message into the buffer after the
// last look at it, and never get a reply. The alternative, that every client selects on done at
// every receive, costs more than the rest of a call.
//
// First seal fills the buffer. From then on the buffer is full whenever seal takes a message out,
// so a client can only send between that and seal's own message. Once seal has sent as many own
// messages in a row as there is room for, the buffer holds nothing else. This terminates because a
// client that begins to send now sees stopBegun closed: only clients that were about to send
// still do, once each.
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

// sendSealed puts a message of seal into the inbox, and reports whether there was room.
func (m *Manager[N]) sendSealed() bool {
	select {
	case m.inbox <- message[N]{kind: kindSealed}:
		return true
	default:
		return false
	}
}

// refuseMessage replies to a message that the manager receives when it stops. Kinds that expect no
// reply have no case.
func refuseMessage[N treelock.Node[N]](msg message[N], err error) {
	switch msg.kind {
	case kindAcquire, kindWithdraw, kindNarrow, kindWiden, kindRevoke, kindInspect:
		msg.call.refuse(err)
	case kindCancel:
		msg.call.confirmCancel(nil)
	}
}

// announceStop is the goroutine that wakes the manager goroutine when the context given to Start
// ends. It runs no user code, which context.AfterFunc and context.WithCancel would for a context of
// a user's type. It also ends when the manager has stopped.
func (m *Manager[N]) announceStop() {
	select {
	case <-m.ctxDone:
		m.sendBlocking(message[N]{kind: kindStop}, nil)
	case <-m.done:
	}
}
