package manager

import (
	"runtime"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

// request is a request in the lock table. Its field Who identifies the waiting client. The call and
// the ticket in it are cleared on grant.
type request[N treelock.Node[N]] = locktable.Request[N, client[N]]

// loop is the state of the manager goroutine. It is a local variable there, so no other goroutine
// can name it. In builds with the race detector its methods check that. Clients reach it only by
// inspectors, which run on the manager goroutine.
type loop[N treelock.Node[N]] struct {
	m     *Manager[N]
	table *locktable.Table[N, client[N]] // of root
	root  *scope[N]                      // that of the requests of the manager itself

	inner      *scope[N]   // the latest scope inside a grant
	freeScopes []*scope[N] // empty ones, for reuse
	survey     *survey[N]  // the one that is under way, nil if there is none

	// asked has, for each kind, the held grants with a signal that was asked for and not given.
	asked   [numSignals][]*locktable.Request[N, client[N]]
	revoked revocations

	// These count the requests in all scopes, as the limit of waiting requests and Drain mean all.
	live    int
	waiting int

	suspensions []*suspension[N] // those in force

	placing placing[N] // of a manager with a journal

	// Neither becomes false again: a drain cannot be undone.
	draining  bool // no request of the manager itself arrives any more
	drainDone bool // m.drainDone is closed

	batch     int // messages that are known to be in the inbox
	yielder   yielder
	latencies latencies
	nextToken uint64 // of the next grant

	now   instant // when the clock was last read
	stats Stats

	// auditor checks the goroutine and the invariants in test builds, and trace compares what is done
	// with the model. Both are empty in others.
	trace tracer[N]
	auditor
}

// run is the manager goroutine. It takes one message at a time from the inbox, and handles it
// before the next. That is all the synchronisation there is.
//
// It takes a batch of the messages that it has seen in the inbox, and lets clients run before it
// looks again. Meanwhile they receive their replies and send their next messages. So the two sides
// do not pass the inbox between processors for each message. See BenchmarkLock in manager/bench,
// impl=batch-echo. It yields and receives here, and not in functions of their own: a return after a
// switch between goroutines is mispredicted. With one client such functions cost 4% of an acquire.
func (m *Manager[N]) run() {
	defer close(m.done)
	if m.ctxDone != nil { // else the context never ends
		go m.announceStop()
	}

	// The loop has no other exit than stop, so done is closed only after it.
	l := newLoop(m)
	if l.placing.journal != nil {
		l.placing.journal.Start(mirror[N]{&l})
	}
	for messages := uint(0); ; messages++ { // it may wrap: only its remainder is used
		first := l.batch == 0
		if first {
			if step := l.yielder.next(l.now); step == doYield {
				runtime.Gosched()
			} else if step != doNotYield {
				l.yieldTimed(step)
			}
			l.batch = len(m.inbox)
		}
		idle := l.batch == 0
		if idle && l.placing.journal != nil {
			l.placing.journal.Flush()
		}
		msg := <-m.inbox
		if !idle {
			l.batch--
		}
		if idle || messages%clockInterval == 0 {
			l.readClock()
		}
		// The context is checked once for each batch, as the check has a cost. No message that was
		// sent after the end of the context is handled. It is in no batch that was counted before
		// the end, and the check follows the count.
		if first && isClosed(m.ctxDone) || msg.kind == kindStop {
			l.stop(msg)
			return
		}
		if l.placing.journal != nil {
			l.placing.journal.Tick()
		}
		l.dispatch(msg)
		l.auditAll()
	}
}

// newLoop returns the state of a manager goroutine, which must be the calling one: the auditor
// takes its identity here.
func newLoop[N treelock.Node[N]](m *Manager[N]) loop[N] {
	table := locktable.New[N, client[N]](m.maxIdle, m.naming)
	return loop[N]{
		m:         m,
		table:     table,
		root:      &scope[N]{table: table},
		nextToken: m.firstToken,
		placing:   newPlacing(m),
		trace:     newTracer(m),
		auditor:   newAuditor(),
	}
}

// dispatch handles one message. Each case is one call, so that a kind of message is one method, in
// its own file. Tests and benchmarks call dispatch with messages in the order that they want.
//
// requestOf is called here, on the manager goroutine: a client must not look into a Ref.
func (l *loop[N]) dispatch(msg message[N]) {
	l.trace.begin(msg)
	// kindStop ends run, and kindSealed is never received by the loop, so neither has a case.
	switch msg.kind {
	case kindAcquire:
		l.acquire(msg.call, msg.ref, msg.seq)
	case kindRelease:
		l.release(requestOf[N](msg.ref), msg.seq)
	case kindCancel:
		l.cancel(msg.call)
	case kindWithdraw:
		l.withdraw(msg.call)
	case kindNarrow:
		l.narrow(msg.call, requestOf[N](msg.ref), msg.seq)
	case kindWiden:
		l.widen(msg.call, requestOf[N](msg.ref), msg.seq)
	case kindRevoke:
		l.revoke(msg.call, requestOf[N](msg.ref), msg.seq)
	case kindDrain:
		l.drain()
	case kindInspect:
		l.inspect(msg.call)
	default:
		panic("BUG: treelock: a message of no known kind")
	}
	l.trace.finish(l)
}
