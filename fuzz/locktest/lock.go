package locktest

import (
	"context"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

type (
	path    = treelock.Path
	request = treelock.Request[treelock.Path]
)

// Start starts a lock that ends when ctx does. It returns [errors.ErrUnsupported] for options that the
// lock does not have.
type Start func(ctx context.Context, options Options) (Lock, error)

// Options are what a lock may be started with. The zero Options are those that every lock has.
type Options struct {
	Limited    bool   // whether MaxWaiting means anything
	MaxWaiting int    // the request that would be one more fails at once, with [treelock.ErrBusy]
	FirstToken uint64 // where fencing tokens begin; 0: anywhere
	MaxDepth   int    // lineages that are longer are refused, with [treelock.ErrTooDeep]; 0: any
	IdleNodes  int    // one more than the number of nodes that are remembered when nobody claims them; 0: any number
}

// A Lock is what is tested: a function for each thing that it can do, nil for what it cannot. What they promise
// is what the functions of the same names promise in package manager. In particular an error because of a context wraps both
// its error and its cause.
type Lock struct {
	// Acquire is all that a lock must have. Grant and error are never both set.
	Acquire func(ctx context.Context, req treelock.Request[treelock.Path]) (Grant, error)

	// TryAcquire fails with [treelock.ErrConflict] where it would have to wait.
	TryAcquire func(req treelock.Request[treelock.Path]) (Grant, error)

	// Submit returns when the request has arrived.
	Submit func(ctx context.Context, req treelock.Request[treelock.Path]) (Ticket, error)

	// Drain refuses what arrives later, with [treelock.ErrDraining], and waits until nothing is live.
	Drain func(ctx context.Context) error

	// Done is closed when the lock has ended, after the context that it was started with. From then on everything
	// fails with [treelock.ErrStopped]. If it is nil, that context never ends during a test.
	Done <-chan struct{}
}

// A Grant is what a lock returns for a request that is held. It may also have the methods
//
//	Narrow(req treelock.Request[treelock.Path]) error
//	Token() uint64
//
// which are tested if it has them.
type Grant interface {
	Release()
}

type (
	narrower interface{ Narrow(req request) error }
	tokener  interface{ Token() uint64 }
)

// A Ticket is a request that has arrived.
type Ticket interface {
	// Receive waits for the grant and returns it, or false if there is none and never will be: then Err says why. It is
	// called once at most.
	Receive() (Grant, bool)

	// Ready reports whether Receive would return a grant at once.
	Ready() bool

	// Withdraw gives up the request. After it has returned, Receive returns no grant, unless it has before. It may be called
	// again, from several goroutines, and after the grant was received, when it does nothing.
	Withdraw()

	// Err returns [treelock.ErrWithdrawn] or [treelock.ErrStopped] if there will be no grant, nil while there may be one and
	// once there was.
	Err() error
}

// Manager starts a lock manager of package manager, with so little room for messages that clients often have to wait for some.
func Manager(ctx context.Context, o Options) (Lock, error) {
	opts := []manager.Option{manager.WithFirstToken(o.FirstToken), manager.WithMaxDepth(o.MaxDepth), manager.WithIdleNodes(o.IdleNodes - 1), manager.WithClients(1)}
	if o.Limited {
		opts = append(opts, manager.WithMaxWaiting(o.MaxWaiting))
	}
	m := manager.Start(ctx, opts...)
	return Lock{
		Acquire:    func(ctx context.Context, req request) (Grant, error) { return grantOr(m.Acquire(ctx, req)) },
		TryAcquire: func(req request) (Grant, error) { return grantOr(m.TryAcquire(req)) },
		Submit: func(ctx context.Context, req request) (Ticket, error) {
			t, err := m.Submit(ctx, req)
			if err != nil {
				return nil, err
			}
			return managerTicket{t}, nil
		},
		Drain: m.Drain,
		Done:  m.Done(),
	}, nil
}

// grantOr returns no grant for the zero grant, which is what a manager returns with an error.
func grantOr(g manager.Grant[path], err error) (Grant, error) {
	if g == (manager.Grant[path]{}) {
		return nil, err
	}
	return g, err
}

type managerTicket struct{ *manager.Ticket[path] }

func (t managerTicket) Receive() (Grant, bool) {
	if g, ok := <-t.Granted(); ok {
		return g, true
	}
	return nil, false
}

func (t managerTicket) Ready() bool { return len(t.Granted()) > 0 }
