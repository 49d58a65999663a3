package soak_test

import (
	"sync"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// share lets some helpers work inside a grant, each with a client's state of its own. The owner
// does not use the nodes meanwhile. At times it releases the grant before they are done.
func (c *client) share(g grant, req request) (released bool) {
	var helpers sync.WaitGroup
	all := make([]*client, 2+c.rng.IntN(2))
	for i := range all {
		h := newClient(c.s, c.rng.Uint64())
		all[i] = h
		ctx, cancel := h.context()
		part := h.narrower(req)
		helpers.Go(func() {
			defer cancel()
			sub, err := g.Acquire(treelock.NewContext(ctx, g), part)
			h.count(err)
			if err == nil {
				h.counts["shared"]++
				h.use(part, order{token: sub.Token()})
				sub.Release()
			}
		})
	}
	if released = c.rng.IntN(4) == 0; released {
		g.Release()
	}
	helpers.Wait()
	for _, h := range all {
		for outcome, n := range h.counts {
			c.counts[outcome] += n
		}
	}
	return released
}

// widen widens a grant. What it adds has another place in the order of arrival than the grant.
func (c *client) widen(g grant, req request, at order) (grant, request, order) {
	more := c.randomRequest()
	ctx, cancel := c.context()
	defer cancel()
	var err error
	if c.rng.IntN(4) == 0 {
		g, err = g.TryWiden(ctx, more)
	} else {
		g, err = g.Widen(ctx, more)
	}
	c.count(err)
	if err != nil {
		c.use(req, at)
		return g, req, at
	}
	c.counts["widened"]++
	c.token = max(c.token, g.Token())
	for claim := range more.Claims() {
		req = req.With(claim)
	}
	at = order{token: g.Token()}
	c.use(req, at)
	return g, req, at
}

// carry makes another request under a context that carries the grant.
func (c *client) carry(m *manager.Manager[path], g grant) {
	ctx, cancel := c.context()
	defer cancel()
	req := c.randomRequest()
	other, err := m.Acquire(treelock.NewContext(ctx, g), req)
	c.count(err)
	if err == nil {
		c.counts["carried"]++
		c.token, c.number = max(c.token, other.Token()), max(c.number, other.Number())
		c.use(req, order{other.Token(), other.Number() + c.s.numbers})
		other.Release()
	}
}
