package manager

import (
	"context"
	"sync"
	"time"

	"github.com/treelock/treelock"
)

// perClient is how many messages a client has in the inbox at most, most of the time: a release, and the next request.
const messagesPerClient = 2

// cancelsAtOnce is how many cancellations the manager deals with before others have their turn.
const maxCancels = 8

// A Manager grants requests for the nodes of one forest. Get one from [Start] or [StartNodes]; the
// zero Manager is of no use. It lives until the context given there ends. All methods are safe for
// concurrent use.
type Manager[N treelock.Node[N]] struct {
	// Immutable.

	options
	appendLineage lineageFunc[N] // for clients

	// ended is the Done channel of ctx, the context given to Start. Clients and the manager look at
	// ended, which runs no user code. Only an error that says why the manager stopped asks ctx itself,
	// on the goroutine of the caller that reads the error.
	ended <-chan struct{}
	ctx   context.Context

	// Channels. inbox: from clients to the manager, never closed; full for ever once the manager has
	// stopped. drained and done: closed by the manager, nothing is sent.
	inbox     chan message[N]
	drainDone chan struct{}
	done      chan struct{}

	// surveyor has a token while a snapshot is being taken: there is one at a time, as the manager has to remember for each what
	// changes. Clients put it in, and take it out.
	snapshotSem chan struct{}

	// cancels has a token for each call that is being cancelled and has not been answered yet. Clients put it in, and take it out. So
	// of a storm of cancellations few are in the inbox at a time, and others do not wait for all of them. See BenchmarkCancelStorm.
	cancelSem chan struct{}

	// started is when the manager started, by the clock. final is what it had counted when it stopped: the manager's until done is closed.
	started time.Time
	final   Stats

	// calls has *call[N] for reuse, by clients. BenchmarkLock allocates without it.
	calls sync.Pool
}

// Start starts a manager for a tree of paths. See [StartNodes].
func Start(ctx context.Context, opts ...Option) *Manager[treelock.Path] {
	return StartNodes[treelock.Path](ctx, opts...)
}

// StartNodes starts a manager for nodes of any type. Its goroutine, one that waits for ctx, and
// that of [WithSlowLog] end when ctx ends. Then every waiting request fails with
// [treelock.ErrStopped], which also wraps the cause of ctx; no later one is granted, and
// [Manager.Done] is closed. Grants that are held are not taken back: it is for their holders to see
// that ctx has ended.
//
// Managers know nothing of each other. All users of one tree must use one manager.
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
	return &Manager[N]{
		options:       o,
		ctx:           ctx,
		ended:         ctx.Done(),
		started:       time.Now(),
		appendLineage: lineageFuncFor[N](),
		inbox:         make(chan message[N], messagesPerClient*o.clients),
		drainDone:     make(chan struct{}),
		done:          make(chan struct{}),

		snapshotSem: make(chan struct{}, 1),
		cancelSem:   make(chan struct{}, maxCancels),
	}
}

// stopping reports whether the context given to Start has ended.
func (m *Manager[N]) stopping() bool { return isClosed(m.ended) }

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
