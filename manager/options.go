package manager

import "fmt"

// An Option changes how a manager works. See the functions that return one. Start panics on a nil
// Option.
type Option func(*options)

type options struct {
	maxWaiting int    // negative: no limit
	firstToken uint64 // at least 1
	maxDepth   int    // at least 1
	maxPath    int    // at least 1
	maxClaims  int    // at least 1
	maxIdle    int    // at least 0
	clients    int    // at least 1

	maxBlockers int // at least 0
	journal     any // a journal.Journal, or nil
	slow        SlowLog
}

const (
	// defaultDepth fits a key of an object store, which has at most 1,024 bytes, and a path of
	// Linux, which has at most 4,096.
	defaultDepth  = 4096
	defaultPath   = 64 << 10
	defaultClaims = 1 << 16
	defaultIdle   = 4096

	defaultClients = 1024
	maxClients     = 1 << 20

	defaultBlockers = 4
	maxBlockers     = 64
)

func buildOptions(opts []Option) options {
	o := options{
		maxWaiting:  -1,
		firstToken:  1,
		maxDepth:    defaultDepth,
		maxPath:     defaultPath,
		maxClaims:   defaultClaims,
		maxIdle:     defaultIdle,
		clients:     defaultClients,
		maxBlockers: defaultBlockers,
	}
	for i, opt := range opts {
		if opt == nil {
			panic(fmt.Sprintf("treelock: option %d of %d is nil", i+1, len(opts)))
		}
		opt(&o)
	}
	return o
}

// WithMaxWaiting lets at most n requests wait at a time: one more fails at once with
// [treelock.ErrBusy]. Zero lets none wait. A negative n, like no such option, means no limit.
func WithMaxWaiting(n int) Option {
	return func(o *options) { o.maxWaiting = n }
}

// WithFirstToken makes fencing tokens (see [treelock.Grant.Token]) begin at token instead of 1. So
// a process that restarts can go on above all tokens that it ever gave out: pass the largest one
// known to have been used, plus one. Zero means 1. Tokens grow by one for each grant, and wrap to 0
// at 1<<64.
func WithFirstToken(token uint64) Option {
	return func(o *options) { o.firstToken = max(token, 1) }
}

// WithMaxDepth refuses nodes with a lineage (the node and all its ancestors) longer than n, with
// [treelock.ErrTooDeep]. This also ends a cyclic Parent. The default is 4,096, so that any key of
// an object store and any path of a file system fits; zero and negative mean the default.
func WithMaxDepth(n int) Option {
	return func(o *options) {
		if n <= 0 {
			n = defaultDepth
		}
		o.maxDepth = n
	}
}

// WithMaxPath refuses a [treelock.Path] of more than n bytes, with [treelock.ErrTooLong], on the
// goroutine of its client. It bounds the time that the manager spends on a new path, which grows
// with the length (BenchmarkLongPath in package internal/locktable): about a microsecond for each
// 100 bytes and a quarter of one for each name. The default is 65,536; zero and negative mean the
// default.
func WithMaxPath(n int) Option {
	return func(o *options) {
		if n <= 0 {
			n = defaultPath
		}
		o.maxPath = n
	}
}

// WithMaxClaims refuses requests of more than n claims, with [treelock.ErrTooWide], on the
// goroutine of their client. It also bounds [treelock.Grant.Narrow], but not the nodes of [Query].
// A request arrives as one step of the manager, and everything else waits for that: some 0.3
// microseconds for each claim of a new node (BenchmarkWide in manager/bench). The default is
// 65,536; zero and negative mean the default.
func WithMaxClaims(n int) Option {
	return func(o *options) {
		if n <= 0 {
			n = defaultClaims
		}
		o.maxClaims = n
	}
}

// WithIdleNodes makes the manager remember up to n nodes that no request claims any more, so that
// the next request finds them. A node takes some 150 bytes, 230 if a request ever waited there, and
// its name. The names of paths longer than 256 bytes take at most 256*n bytes together: beyond that
// fewer nodes are remembered. The default is 4,096; zero remembers none, negative means the
// default.
func WithIdleNodes(n int) Option {
	return func(o *options) {
		if n < 0 {
			n = defaultIdle
		}
		o.maxIdle = n
	}
}

// WithClients makes room for n clients that call at the same time. With more clients everything
// works, but a client that finds no room is parked, which costs several times as much as its
// request. It takes 64 bytes for each client. See BenchmarkLock in manager/bench. The default is
// 1,024; zero and negative mean the default, and more than a million means a million.
func WithClients(n int) Option {
	return func(o *options) {
		if n <= 0 {
			n = defaultClients
		}
		o.clients = min(n, maxClients)
	}
}

// WithBlockers lets errors name up to n of the blockers: see [treelock.BlockedError]. The default
// is 4, and 64 is the most; negative means the default. With 0 errors name none, and the manager
// does not search for them.
//
// The search is bounded, whatever else is live, for each request that is refused or canceled: less
// than a microsecond with few blockers, and up to some 10 microseconds with very many. For a
// request of thousands of claims it can take as long as the arrival did. See BenchmarkBlockers in
// package internal/locktable, and BenchmarkRefusal in manager/bench.
func WithBlockers(n int) Option {
	return func(o *options) {
		if n < 0 {
			n = defaultBlockers
		}
		o.maxBlockers = min(n, maxBlockers)
	}
}
