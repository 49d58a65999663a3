package manager

import (
	"context"
	"sync"
	"time"

	"github.com/treelock/treelock"
)

// messagesPerClient is how many messages of a client are in the inbox at most, nearly always: a
// release, and the next request.
const messagesPerClient = 2

// A Manager grants requests for the nodes of one forest. Get one from [Start] or [StartNodes]; the
// zero Manager is of no use. It lives until the context given there ends, or until
// [Manager.Shutdown]. All methods are safe for concurrent use.
type Manager[N treelock.Node[N]] struct {
	// Immutable.

	options
	nodeType[N]
	grants *treelock.Source[N] // of m

	// ctxDone is the Done channel of ctx, the context given to Start. To look at it runs no user
	// code. Only errors that say why the manager stopped call ctx itself, on the goroutine that
	// reads the error.
	ctxDone <-chan struct{}
	ctx     context.Context

	// Channels. inbox: from clients to the manager goroutine, never closed, and full once the
	// manager has stopped. drainDone, stopBegun and done: closed by the manager goroutine, nothing
	// is sent. stopBegun is closed when the manager begins to stop: a client that sees that sends
	// nothing.
	inbox     chan message[N]
	drainDone chan struct{}
	stopBegun chan struct{}
	done      chan struct{}

	// snapshotSem has a token while a survey runs, so there is one at a time: the manager goroutine
	// records for each survey what changes. Clients put the token in, and take it out.
	snapshotSem chan struct{}

	// cancelSem has a token for each cancellation without a reply. Clients put it in, and take it
	// out. It bounds the cancellations in the inbox, so that a burst does not delay other messages.
	// See BenchmarkCancelStorm.
	cancelSem chan struct{}

	started  time.Time
	shutDown bool  // it stops before ctx ends; the manager goroutine's until stopBegun is closed
	final    Stats // when the manager stopped; the manager goroutine's until done is closed

	// calls has *call[N] for reuse, by clients. BenchmarkLock in manager/bench allocates without
	// it.
	calls sync.Pool
}

// Start starts a manager for a tree of paths. See [StartNodes].
func Start(ctx context.Context, opts ...Option) *Manager[treelock.Path] {
	return StartNodes[treelock.Path](ctx, opts...)
}

// StartNodes starts a manager for nodes of any type. It ends when ctx ends: every waiting request
// fails with [treelock.ErrStopped], which also wraps the cause of ctx, no later request is granted,
// and [Manager.Done] is closed. Its goroutines end too: the manager goroutine, one that waits for
// ctx, and that of [WithSlowLog]. Grants that are held are lost: their holders must watch ctx, or
// [treelock.Grant.Lost].
//
// Managers are independent of each other. All users of one tree must use one manager.
func StartNodes[N treelock.Node[N]](ctx context.Context, opts ...Option) *Manager[N] {
	m := newManager[N](ctx, opts)
	go m.run()
	if m.slow.threshold() > 0 {
		go m.watch()
	}
	return m
}

// newManager returns a manager without its goroutines.
func newManager[N treelock.Node[N]](ctx context.Context, opts []Option) *Manager[N] {
	o := buildOptions(opts)
	m := &Manager[N]{
		options:  o,
		nodeType: nodeTypeOf[N](),

		ctxDone: ctx.Done(),
		ctx:     ctx,
		started: time.Now(),

		inbox:     make(chan message[N], messagesPerClient*o.clients),
		drainDone: make(chan struct{}),
		stopBegun: make(chan struct{}),
		done:      make(chan struct{}),

		snapshotSem: make(chan struct{}, 1),
		cancelSem:   make(chan struct{}, maxCancels),
	}
	m.grants = treelock.NewSource(m.Engine())
	return m
}

// stopping reports whether the manager has begun to stop.
func (m *Manager[N]) stopping() bool { return isClosed(m.stopBegun) }

// isClosed reports whether a channel on which nothing is sent is closed. A nil channel never is.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Done returns a channel that is closed once the manager has stopped and its goroutine has ended.
func (m *Manager[N]) Done() <-chan struct{} { return m.done }
