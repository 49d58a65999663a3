package soak_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
	"github.com/treelock/treelock/manager"
)

type (
	request = treelock.Request[path]
	grant   = treelock.Grant[path]
)

// A client makes requests of a soak. Its helper is a goroutine that withdraws or releases in its
// place. It counts for itself: counters that all clients share would order their users, and so hide
// races from the race detector.
type client struct {
	s      *soak
	rng    *rand.Rand
	helper chan struct{} // closed when the helper is free

	counts map[string]int // of outcomes
	token  uint64         // the largest
	number uint64         // the largest of the manager
}

func newClient(s *soak, i uint64) *client {
	c := &client{s: s, rng: rand.New(rand.NewPCG(i, 10)), helper: make(chan struct{}), counts: map[string]int{}}
	close(c.helper)
	return c
}

// work makes requests until the soak is over or m takes none.
func (c *client) work(m *manager.Manager[path]) {
	for !c.s.over.Load() {
		err := c.request(m)
		if errors.Is(err, treelock.ErrStopped) || errors.Is(err, treelock.ErrDraining) {
			break
		}
	}
	<-c.helper
}

// help runs f on the helper, as soon as that is free.
func (c *client) help(f func()) {
	<-c.helper
	free := make(chan struct{})
	c.helper = free
	go func() {
		defer close(free)
		f()
	}()
}

// request makes one request in one of all ways, and uses what is granted.
func (c *client) request(m *manager.Manager[path]) (err error) {
	req := c.randomRequest()
	ctx, cancel := c.context()
	defer cancel()
	var g grant
	switch c.rng.IntN(8) {
	case 0, 1:
		g, err = m.TryAcquire(ctx, req)
	case 2, 3, 4:
		g, err = m.Acquire(ctx, req)
	case 5, 6:
		g, err = c.submit(ctx, m, req)
	default:
		err = c.do(ctx, m, req)
	}
	c.count(err)
	if g.Token() != 0 {
		c.hold(m, g, req)
	}
	return err
}

// do uses what is granted inside Do, and panics there at times.
func (c *client) do(ctx context.Context, m *manager.Manager[path], req request) (err error) {
	defer func() {
		if recover() != nil {
			c.counts["panicked"]++
		}
	}()
	return m.Do(ctx, req, func(context.Context) error {
		c.counts["granted"]++
		c.use(req, order{})
		if c.rng.IntN(4) == 0 {
			panic("mine")
		}
		return nil
	})
}

// submit takes a ticket and waits for the grant or the end of ctx, or leaves the ticket to the
// helper. Then there is no grant and no error.
func (c *client) submit(ctx context.Context, m *manager.Manager[path], req request) (none grant, err error) {
	ticket, err := m.Submit(ctx, req)
	if err != nil {
		return none, err
	}
	if c.rng.IntN(4) == 0 {
		c.leaveTicket(ticket)
		return none, nil
	}
	if c.rng.IntN(4) == 0 {
		probe, _ := m.TryAcquire(ctx, request{}) // when it returns, a grant without a wait is there
		probe.Release()
		if len(ticket.Granted()) == 0 && ticket.Err() == nil {
			c.counts["waited"]++
		}
	}
	select {
	case g, ok := <-ticket.Granted():
		if !ok {
			return none, ticket.Err()
		}
		return g, nil
	case <-ctx.Done():
		c.withdraw(ticket)
		return none, ticket.Err()
	}
}

// withdraw withdraws a ticket whose grant was not received. After that no grant may come (I6).
func (c *client) withdraw(ticket *manager.Ticket[path]) {
	ticket.Withdraw()
	select {
	case _, ok := <-ticket.Granted():
		if !ok {
			return
		}
	default:
	}
	c.s.fail("I6: a ticket is not closed after its withdrawal, or delivers a grant")
}

// leaveTicket has the helper withdraw a ticket later. Its grant was not received.
func (c *client) leaveTicket(ticket *manager.Ticket[path]) {
	c.counts["left"]++
	burst, delay := c.s.burst.Load().ctx, time.Duration(c.rng.IntN(500))*time.Microsecond
	c.help(func() {
		select {
		case <-time.After(delay):
		case <-burst.Done():
		}
		c.withdraw(ticket)
		if err := ticket.Err(); !errors.Is(err, treelock.ErrWithdrawn) && !errors.Is(err, treelock.ErrStopped) {
			c.s.fail("Err() of a withdrawn ticket = %v, want ErrWithdrawn or ErrStopped", err)
		}
	})
}

// hold uses a grant, narrows it at times, and releases it in one of all ways.
func (c *client) hold(m *manager.Manager[path], g grant, req request) {
	c.counts["granted"]++
	c.token, c.number = max(c.token, g.Token()), max(c.number, g.Number())
	at := order{g.Token(), g.Number() + c.s.numbers}
	c.use(req, at)
	switch c.rng.IntN(12) {
	case 0, 1:
		if released := c.share(g, req); released {
			return
		}
	case 2, 3:
		g, req, at = c.widen(g, req, at)
	case 4:
		c.carry(m, g)
	}
	if c.rng.IntN(3) == 0 {
		narrower := c.narrower(req)
		err := g.Narrow(narrower)
		c.count(err)
		switch {
		case err == nil:
			c.counts["narrowed"]++
			c.use(narrower, at)
		case errors.Is(err, treelock.ErrNotHeld):
			c.use(req, at)
		}
	}
	switch c.rng.IntN(6) {
	case 0:
		g.Release()
		g.Release()
		if err := g.Narrow(req); !errors.Is(err, treelock.ErrNotHeld) && !errors.Is(err, treelock.ErrStopped) {
			c.s.fail("Narrow() of a released grant = %v, want ErrNotHeld", err)
		}
	case 1: // by the helper, and perhaps by both
		c.counts["handed on"]++
		c.help(g.Release)
		if c.rng.IntN(2) == 0 {
			g.Release()
		}
	default:
		g.Release()
	}
}

// use uses the shadow.
func (c *client) use(req request, at order) {
	if wrong := c.s.shadow.use(req, at, c.rng.IntN(4)); wrong != "" {
		c.s.fail("%s: %v was granted as %v", wrong, req, at)
	}
}

// count counts the outcome of a call that has failed.
func (c *client) count(err error) {
	for _, outcome := range []struct {
		err  error
		name string
	}{
		{treelock.ErrStopped, "stopped"},
		{treelock.ErrDraining, "draining"},
		{treelock.ErrConflict, "conflict"},
		{treelock.ErrBusy, "busy"},
		{treelock.ErrWithdrawn, "withdrawn"},
		{treelock.ErrDeadlock, "deadlock"},
		{treelock.ErrReleased, "released"},
		{treelock.ErrNotHeld, "not held"},
		{context.Canceled, "canceled"},
		{context.DeadlineExceeded, "canceled"},
	} {
		if errors.Is(err, outcome.err) {
			c.counts[outcome.name]++
			return
		}
	}
	if err != nil {
		c.s.fail("a call fails with %v", err)
	}
}

// context returns a context: one that does not end, one that ends soon, has ended, or ends with
// those of other clients.
func (c *client) context() (context.Context, context.CancelFunc) {
	switch c.rng.IntN(8) {
	case 0, 1:
		return context.WithTimeout(context.Background(), time.Duration(c.rng.IntN(100))*time.Microsecond)
	case 2, 3, 4:
		return c.s.burst.Load().ctx, func() {} // as it is: a derived context would order its users
	}
	return context.Background(), func() {}
}

// randomRequest returns a request, most often for nodes far down.
func (c *client) randomRequest() request {
	var claims []treelock.Claim[path]
	nodes := c.s.shadow.names
	for range []int{0, 1, 1, 1, 1, 2, 2, 3, 5}[c.rng.IntN(9)] {
		node := nodes[max(c.rng.IntN(len(nodes)), c.rng.IntN(len(nodes)))]
		claims = append(claims, treelock.Claim[path]{
			Node: node, Scope: treelock.Scope(c.rng.IntN(2)), Access: treelock.Access(c.rng.IntN(2)),
		})
	}
	return model.Of(claims...)
}

// narrower returns a request that lies inside req, most often.
func (c *client) narrower(req request) request {
	var claims []treelock.Claim[path]
	for claim := range req.Claims() {
		region := c.s.shadow.below[claim.Node]
		if claim.Scope == treelock.Subtree {
			claim.Node = c.s.shadow.names[region[c.rng.IntN(len(region))]]
		}
		claim.Scope = max(claim.Scope, treelock.Scope(c.rng.IntN(2)))
		switch c.rng.IntN(8) {
		case 0:
			continue
		case 1:
			claim.Access = treelock.Exclusive
		default:
			claim.Access = min(claim.Access, treelock.Access(c.rng.IntN(2)))
		}
		claims = append(claims, claim)
	}
	return model.Of(claims...)
}
