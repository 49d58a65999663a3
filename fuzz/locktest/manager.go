package locktest

import (
	"context"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// Manager starts a lock manager of package manager, with so little room for messages that clients
// often have to wait for some.
func Manager[N treelock.Node[N]](ctx context.Context, o Options) (Lock[N], error) {
	opts := []manager.Option{
		manager.WithFirstToken(o.FirstToken), manager.WithMaxDepth(o.MaxDepth),
		manager.WithIdleNodes(o.IdleNodes - 1), manager.WithClients(1), manager.WithMaxClaims(o.MaxClaims),
	}
	if o.Limited {
		opts = append(opts, manager.WithMaxWaiting(o.MaxWaiting))
	}
	m := manager.StartNodes[N](ctx, opts...)
	return Lock[N]{
		Acquire: func(ctx context.Context, req treelock.Request[N]) (Grant, error) {
			return grantOrNil(m.Acquire(ctx, req))
		},
		TryAcquire: func(ctx context.Context, req treelock.Request[N]) (Grant, error) {
			return grantOrNil(m.TryAcquire(ctx, req))
		},
		Submit: func(ctx context.Context, req treelock.Request[N]) (Ticket, error) {
			t, err := m.Submit(ctx, req)
			if err != nil {
				return nil, err
			}
			return managerTicket[N]{t}, nil
		},
		Do:       m.Do,
		Check:    m.Check,
		Locker:   m,
		Drain:    m.Drain,
		Suspend:  m.Suspend,
		Shutdown: m.Shutdown,
		Revoke:   m.Revoke,
		Number: func(label string, widening bool) uint64 {
			return numberOf(ctx, m, label, widening)
		},
		Done: m.Done(),
	}, nil
}

// numberOf returns the number of the live request with that label, or of its widening, or 0.
func numberOf[N treelock.Node[N]](
	ctx context.Context, m *manager.Manager[N], label string, widening bool,
) uint64 {
	s, _ := m.Snapshot(ctx, manager.Query[N]{})
	for _, r := range append(s.Holders, s.Waiters...) {
		if r.Label == label && (r.Widens != 0) == widening {
			return r.Number
		}
	}
	return 0
}

// grantOrNil returns nil for the zero grant, which a manager returns with an error.
func grantOrNil[N treelock.Node[N]](g treelock.Grant[N], err error) (Grant, error) {
	if g == (treelock.Grant[N]{}) {
		return nil, err
	}
	return g, err
}

type managerTicket[N treelock.Node[N]] struct{ *manager.Ticket[N] }

func (t managerTicket[N]) Receive() (Grant, bool) {
	if g, ok := <-t.Granted(); ok {
		return g, true
	}
	return nil, false
}

func (t managerTicket[N]) Wait(ctx context.Context) (Grant, error) {
	return grantOrNil(t.Ticket.Wait(ctx))
}

func (t managerTicket[N]) Ready() bool { return len(t.Granted()) > 0 }
