package manager

import (
	"context"
	"runtime"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"

	// The compiler inlines the queue's methods into the table's only where it is told of both packages: a quarter of
	// what the table does for a request. See BenchmarkLock.
	_ "github.com/treelock/treelock/waitqueue"
)

// request is a request in the lock table. Who is who waits for it; nobody, once it is granted.
type request[N treelock.Node[N]] = locktable.Request[N, client[N]]

// loop is the state of the manager goroutine. It is a local variable there, so nobody else can touch
// it; in builds with the race detector its methods check that, too.
type loop[N treelock.Node[N]] struct {
	m     *Manager[N]
	table *locktable.Table[N, client[N]]

	draining bool // no request arrives any more
	drained  bool // and none is live

	now    instant // when it last looked at the clock
	stats  Stats
	survey *survey[N] // that is being taken, if any

	auditor
}

// run is the manager goroutine. One message at a time is taken from the one inbox, and is dealt with
// before the next: that is all the synchronisation there is.
func (m *Manager[N]) run(cancel context.CancelFunc) {
	defer close(m.done)
	defer cancel()
	context.AfterFunc(m.ctx, func() { m.inbox <- message[N]{kind: stop} })

	l := newLoop(m)
	for messages := uint(0); ; messages++ {
		msg, idle := m.receive()
		if idle || messages%clockInterval == 0 {
			l.readClock()
		}
		if m.ctx.Err() != nil { // at once, even if the stop message is still behind others
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
	return loop[N]{m: m, table: locktable.New[N, client[N]](m.maxIdle), auditor: newAuditor()}
}

// dispatch does what msg says.
func (l *loop[N]) dispatch(msg message[N]) {
	switch msg.kind {
	case acquire:
		l.acquire(msg.call)
	case release:
		l.release(msg.req, msg.seq)
	case giveUp:
		l.giveUp(msg.call)
	case withdraw:
		l.withdraw(msg.call)
	case ask:
		l.ask(msg.call)
	case narrow:
		l.narrow(msg.call, msg.req, msg.seq)
	case drain:
		l.drain()
	case count:
		l.count(msg.call)
	case look:
		l.look(msg.call)
	case lookAway:
		l.lookAway(msg.call)
	case why:
		l.why(msg.call, msg.req, msg.seq)
	default:
		panic("BUG: treelock: a message of no known kind")
	}
}

// receive takes the next message from the inbox, and reports whether it had to wait for it. Before it parks the goroutine it lets
// clients run once: with many of them the next message is there by then, and parking and waking cost more than all
// the rest. See BenchmarkLock, impl=echo.
func (m *Manager[N]) receive() (msg message[N], idle bool) {
	select {
	case msg := <-m.inbox:
		return msg, false
	default:
		runtime.Gosched()
		idle = len(m.inbox) == 0
		return <-m.inbox, idle
	}
}
