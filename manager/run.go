package manager

import (
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

// request is a request in the lock table. Who is who waits for it; nobody, once it is granted.
type request[N treelock.Node[N]] = locktable.Request[N, client[N]]

// loop is the state of the manager goroutine. It is a local variable there, so nobody else can touch
// it; in builds with the race detector its methods check that, too.
type loop[N treelock.Node[N]] struct {
	m     *Manager[N]
	table *locktable.Table[N, client[N]]

	draining  bool // no request arrives any more
	drainDone bool // and none is live

	batch     int // messages that are known to be in the inbox
	yielder   yielder
	latencies latencies
	nextToken uint64 // of the next grant

	now   instant // when it last looked at the clock
	stats Stats

	auditor
}

// run is the manager goroutine. One message at a time is taken from the one inbox, and is dealt with
// before the next: that is all the synchronisation there is.
func (m *Manager[N]) run() {
	defer close(m.done)
	if m.ended != nil { // else it never stops
		go m.announceStop()
	}

	l := newLoop(m)
	for messages := uint(0); ; messages++ {
		first := l.batch == 0 // of a batch
		msg, idle := l.receive()
		if idle || messages%clockInterval == 0 {
			l.readClock()
		}
		if first && m.stopping() || msg.kind == kindStop { // looked at once for a batch, as it has its price
			l.stop(msg)
			return
		}
		l.dispatch(msg)
		l.audit(l.table)
	}
}

// clockInterval is after how many messages at the latest the manager looks at the clock.
const clockInterval = 64

// newLoop returns the state of a manager goroutine that begins, which is the calling one.
func newLoop[N treelock.Node[N]](m *Manager[N]) loop[N] {
	return loop[N]{
		m: m, table: locktable.New[N, client[N]](m.maxIdle), nextToken: m.firstToken, auditor: newAuditor(),
	}
}

// dispatch does what msg says.
func (l *loop[N]) dispatch(msg message[N]) {
	switch msg.kind {
	case kindAcquire:
		l.acquire(msg.call)
	case kindRelease:
		l.release(msg.req, msg.seq)
	case kindCancel:
		l.cancel(msg.call)
	case kindWithdraw:
		l.withdraw(msg.call)
	case kindNarrow:
		l.narrow(msg.call, msg.req, msg.seq)
	case kindDrain:
		l.drain()
	case kindInspect:
		l.inspect(msg.call)
	default:
		panic("BUG: treelock: a message of no known kind")
	}
}

// receive takes the next message from the inbox, and reports whether it had to wait for it. It takes
// the messages that it has seen there, one by one, and then lets clients run before it looks again:
// they get their answers and send their next messages meanwhile. Then the two sides do not hand the
// inbox to and fro between processors for each message. See BenchmarkLock, impl=batch-echo.
func (l *loop[N]) receive() (msg message[N], idle bool) {
	if l.batch == 0 {
		l.yield()
		if l.batch = len(l.m.inbox); l.batch == 0 {
			return <-l.m.inbox, true
		}
	}
	l.batch--
	return <-l.m.inbox, false
}
