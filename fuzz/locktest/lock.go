package locktest

import (
	"context"

	"github.com/treelock/treelock"
)

type path = treelock.Path

// Start starts a lock that ends when ctx does. It returns [errors.ErrUnsupported] for options that
// the lock does not have.
type Start[N treelock.Node[N]] func(ctx context.Context, options Options) (Lock[N], error)

// Options are what a lock may be started with. The zero Options are those that every lock has.
type Options struct {
	Limited    bool   // MaxWaiting applies
	MaxWaiting int    // one more waiting request fails at once, with treelock.ErrBusy
	FirstToken uint64 // where fencing tokens begin; 0: anywhere
	MaxDepth   int    // longer lineages are refused, with treelock.ErrTooDeep; 0: any length
	MaxClaims  int    // more claims are refused, with treelock.ErrTooWide; 0: any number
	IdleNodes  int    // one more than the bound of remembered unclaimed nodes; 0: any number
}

// A Lock is what is tested: a function for each thing that it can do, nil for what it cannot do. A
// function promises what the method of the same name promises in package manager. In particular an
// error because of a context wraps both its error and its cause.
type Lock[N treelock.Node[N]] struct {
	// Acquire is all that a lock must have. Grant and error are never both set.
	Acquire func(ctx context.Context, req treelock.Request[N]) (Grant, error)

	// TryAcquire fails with treelock.ErrConflict where it would have to wait.
	TryAcquire func(ctx context.Context, req treelock.Request[N]) (Grant, error)

	// TriesLinger says that a TryAcquire that fails can block others for a moment.
	TriesLinger bool

	// Submit returns when the request has arrived.
	Submit func(ctx context.Context, req treelock.Request[N]) (Ticket, error)

	// Do calls f while it holds req, and returns the error of f.
	Do func(ctx context.Context, req treelock.Request[N], f func(context.Context) error) error

	// Check fails as TryAcquire does, and grants nothing.
	Check func(ctx context.Context, req treelock.Request[N]) error

	// Locker is the lock for treelock.Inside. Its grants are of type treelock.Grant.
	Locker treelock.Locker[N]

	// Drain refuses later requests, with treelock.ErrDraining, and waits until nothing is live.
	Drain func(ctx context.Context) error

	// Suspend refuses later requests that touch one of the subtrees, with treelock.ErrSuspended and
	// the reason, until resume. It waits until those that were live there are over.
	Suspend func(ctx context.Context, reason string, nodes ...N) (resume func(), err error)

	// Shutdown drains the lock and ends it, at the latest when ctx ends.
	Shutdown func(ctx context.Context) error

	// Revoke ends the live request with that number, for the reason cause. Number returns the number
	// of the live request with that label, or of its widening that waits, or 0.
	Revoke func(ctx context.Context, number uint64, cause error) error
	Number func(label string, widening bool) uint64

	// Done is closed when the lock has ended, after the context that it was started with. From then
	// on everything fails with treelock.ErrStopped. If it is nil, that context never ends during
	// a test.
	Done <-chan struct{}
}

// A Grant is what a lock returns for a request that is held. It may also have the methods
//
//	Narrow(req treelock.Request[N]) error
//	Token() uint64
//
// which are tested if it has them. If it is a [treelock.Grant], then requests inside it, widenings
// and contexts that carry it are tested as well.
type Grant interface {
	Release()
}

type (
	narrower[N treelock.Node[N]] interface {
		Narrow(req treelock.Request[N]) error
	}
	tokener interface{ Token() uint64 }
)

// A Ticket is a request that has arrived. It may also have the method
//
//	Wait(ctx context.Context) (Grant, error)
type Ticket interface {
	// Receive waits for the grant and returns it, or false if there is none and never will be: then
	// Err says why. It is called at most once.
	Receive() (Grant, bool)

	// Ready reports whether Receive would return a grant at once.
	Ready() bool

	// Withdraw cancels the request. After it has returned, Receive returns no grant, unless it has
	// before. It may be called again, from several goroutines, and after the grant was received.
	// Then it does nothing.
	Withdraw()

	// Err returns treelock.ErrWithdrawn or treelock.ErrStopped if there will be no grant, nil
	// while there may be one and once there was.
	Err() error
}
