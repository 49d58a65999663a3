package manager

import "fmt"

// An Option changes how a manager works. See the functions that return one. Start panics on a nil Option.
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
	slow        SlowLog
}

const (
	// defaultDepth fits a key of an object store, which has at most 1,024 bytes, and a path of Linux, which has at most 4,096.
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
		maxWaiting: -1, firstToken: 1, maxDepth: defaultDepth, maxPath: defaultPath, maxClaims: defaultClaims,
		maxIdle: defaultIdle,
		clients: defaultClients, maxBlockers: defaultBlockers,
	}
	for i, opt := range opts {
		if opt == nil {
			panic(fmt.Sprintf("treelock: option %d of %d is nil", i+1, len(opts)))
		}
		opt(&o)
	}
	return o
}

// WithMaxWaiting lets at most n requests wait at a time: one that would be the n+1st fails at once with
// [treelock.ErrBusy]. Zero lets none wait. Without this option, or if n is negative, there is no limit.
func WithMaxWaiting(n int) Option {
	return func(o *options) { o.maxWaiting = n }
}

// WithFirstToken makes fencing tokens (see [Grant.Token]) begin at token instead of 1, so that a
// process that starts again can go on above all tokens that it ever gave out: pass the largest one
// known to have been used, plus one. Zero means 1. Tokens grow by one for each grant; leave room
// below 1<<64, as they begin again at 0 there.
func WithFirstToken(token uint64) Option {
	return func(o *options) { o.firstToken = max(token, 1) }
}

// WithMaxDepth refuses nodes with a lineage (the node itself and all its ancestors) longer than n, with
// [treelock.ErrTooDeep]. It ends a Parent that runs in a circle. The default is 4,096, so that any key of
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
// goroutine of its client. The default is 65,536; zero and negative mean the default. A path that is
// new costs the manager about a microsecond for each 100 bytes and a quarter of one for each name: see
// BenchmarkLongPath in package internal/locktable.
func WithMaxPath(n int) Option {
	return func(o *options) {
		if n <= 0 {
			n = defaultPath
		}
		o.maxPath = n
	}
}

// WithMaxClaims refuses requests of more than n claims, with [treelock.ErrTooWide], on the
// goroutine of their client. [Grant.Narrow] keeps to it; the nodes of [Query] are not counted. A
// request arrives as one step of the manager, and everything else waits for that: some 0.3
// microseconds for each claim of a new node (BenchmarkWide). The default is 65,536; zero and
// negative mean the default.
func WithMaxClaims(n int) Option {
	return func(o *options) {
		if n <= 0 {
			n = defaultClaims
		}
		o.maxClaims = n
	}
}

// WithIdleNodes makes the manager remember up to n nodes that nobody claims any more, so that it
// need not make them again for the next request. A node takes some 150 bytes, 230 if a request ever
// waited there, and its name. The default is 4,096; zero remembers none, negative means the
// default. The names of paths that are longer than 256 bytes take at most 256 bytes for each of n
// nodes, all together: beyond that fewer are remembered.
func WithIdleNodes(n int) Option {
	return func(o *options) {
		if n < 0 {
			n = defaultIdle
		}
		o.maxIdle = n
	}
}

// WithClients makes room for n clients that call at the same time: a client that finds none is
// parked until there is, which costs several times as much as its request. It takes 64 bytes a
// client. The default is 1,024; zero and negative mean the default, and more than a million a
// million. With more clients than n everything works, slower. See BenchmarkLock.
func WithClients(n int) Option {
	return func(o *options) {
		if n <= 0 {
			n = defaultClients
		}
		o.clients = min(n, maxClients)
	}
}

// WithBlockers lets errors name up to n of the requests that were in the way: see
// [treelock.BlockedError]. The default is 4, and 64 is the most; negative means the default. With 0
// errors name none, and the manager does not look for them. Finding them takes it less than a
// microsecond where few block the request, and up to some 10 microseconds where very many do, for
// each request that is refused or cancelled, whatever else is live. If the request itself has
// thousands of claims, it can take as long as its arrival did. See BenchmarkBlockers in package
// internal/locktable, and BenchmarkRefusal.
func WithBlockers(n int) Option {
	return func(o *options) {
		if n < 0 {
			n = defaultBlockers
		}
		o.maxBlockers = min(n, maxBlockers)
	}
}
