package soak_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A soaker is a client of a soak. With an aide it does things that one goroutine cannot.
type soaker struct {
	s   *soak
	rng *rand.Rand
	desk
	tally

	aideDesk desk
	aide     chan struct{} // closed when the aide is free
}

func newSoaker(s *soak, i uint64) *soaker {
	c := &soaker{s: s, rng: rand.New(rand.NewPCG(i, 10)), aide: make(chan struct{})}
	c.owner, c.aideDesk.owner = fmt.Sprint("client ", i), fmt.Sprint("aide ", i)
	close(c.aide)
	return c
}

// work asks for this and that until there is no more to be had from m.
func (c *soaker) work(m *manager.Manager[treelock.Path]) {
	for !c.s.over.Load() {
		err := c.turn(m)
		if errors.Is(err, treelock.ErrStopped) || errors.Is(err, treelock.ErrDraining) {
			break
		}
	}
	<-c.aide
}

// turn makes one request in one of all ways, and uses what is granted.
func (c *soaker) turn(m *manager.Manager[treelock.Path]) error {
	req := c.request()
	ctx, cancel := c.patience()
	defer cancel()
	var g manager.Grant[treelock.Path]
	var err error
	switch c.rng.IntN(8) {
	case 0, 1:
		c.begin("TryAcquire")
		g, err = m.TryAcquire(req)
	case 2, 3, 4:
		c.begin("Acquire")
		g, err = m.Acquire(ctx, req)
	case 5, 6:
		g, err = c.submit(ctx, m, req)
	default:
		return c.do(ctx, m, req)
	}
	if c.call.Load() != nil {
		c.longest = max(c.longest, c.end())
	}
	c.count(err)
	if g.Token() != 0 {
		c.hold(g, req)
	}
	return err
}

// do uses what is granted inside Do, and panics there at times.
func (c *soaker) do(ctx context.Context, m *manager.Manager[treelock.Path], req treelock.Request[treelock.Path]) (err error) {
	defer func() {
		c.end()
		if recover() != nil {
			c.counts[numPanicked]++
		}
	}()
	c.begin("Do")
	err = m.Do(ctx, req, func(context.Context) error {
		c.longest = max(c.longest, c.end())
		c.counts[numGranted]++
		c.use(req, 0)
		c.begin("Do, leaving")
		if c.rng.IntN(4) == 0 {
			panic("mine")
		}
		return nil
	})
	c.count(err)
	return err
}

// submit takes a ticket and waits for the grant or the end of ctx, or leaves the ticket to the aide. Then there is
// no grant and no error.
func (c *soaker) submit(ctx context.Context, m *manager.Manager[treelock.Path], req treelock.Request[treelock.Path]) (none manager.Grant[treelock.Path], err error) {
	c.begin("Submit")
	ticket, err := m.Submit(ctx, req)
	if err != nil {
		return none, err
	}
	if c.rng.IntN(4) == 0 {
		c.end()
		c.leaveTicket(ticket)
		return none, nil
	}
	if c.rng.IntN(4) == 0 {
		knock, _ := m.TryAcquire(treelock.Request[treelock.Path]{}) // when it is back, what is granted at once is there
		knock.Release()
		if len(ticket.Granted()) == 0 && ticket.Err() == nil {
			c.counts[numWaited]++
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

// withdraw withdraws a ticket whose grant was not received: it must not come any more (I6).
func (c *soaker) withdraw(ticket *manager.Ticket[treelock.Path]) {
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

// leaveTicket has the aide withdraw a ticket some time later, whose grant nobody has received.
func (c *soaker) leaveTicket(ticket *manager.Ticket[treelock.Path]) {
	<-c.aide
	c.aide = make(chan struct{})
	c.counts[numLeft]++
	storm, patience := c.s.storm.Load().ctx, time.Duration(c.rng.IntN(500))*time.Microsecond
	go func() {
		defer close(c.aide)
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-storm.Done():
		}
		c.aideDesk.begin("Withdraw")
		c.withdraw(ticket)
		c.aideDesk.end()
		if err := ticket.Err(); !errors.Is(err, treelock.ErrWithdrawn) && !errors.Is(err, treelock.ErrStopped) {
			c.s.fail("Err() of a withdrawn ticket = %v, want ErrWithdrawn or ErrStopped", err)
		}
	}()
}

// hold uses a grant, narrows it perhaps, and releases it in one of all ways.
func (c *soaker) hold(g manager.Grant[treelock.Path], req treelock.Request[treelock.Path]) {
	c.counts[numGranted]++
	c.token = max(c.token, g.Token())
	c.use(req, g.Token())
	if c.rng.IntN(3) == 0 {
		narrower := c.narrower(req)
		c.begin("Narrow")
		err := g.Narrow(narrower)
		c.end()
		switch {
		case err == nil:
			c.counts[numNarrowed]++
			c.use(narrower, g.Token())
		case errors.Is(err, treelock.ErrNotHeld):
			c.counts[numNotHeld]++
			c.use(req, g.Token())
		}
	}
	c.begin("Release")
	defer c.end()
	switch c.rng.IntN(6) {
	case 0:
		g.Release()
		g.Release()
		if err := g.Narrow(req); !errors.Is(err, treelock.ErrNotHeld) && !errors.Is(err, treelock.ErrStopped) {
			c.s.fail("Narrow() of a grant that was released = %v, want ErrNotHeld", err)
		}
	case 1: // by somebody else, and perhaps by both
		<-c.aide
		c.counts[numHandedOn]++
		c.aide = make(chan struct{})
		go func() {
			defer close(c.aide)
			g.Release()
		}()
		if c.rng.IntN(2) == 0 {
			g.Release()
		}
	default:
		g.Release()
	}
}

// use uses the shadow.
func (c *soaker) use(req treelock.Request[treelock.Path], token uint64) {
	if wrong := c.s.shadow.use(req, token, c.rng.IntN(4)); wrong != "" {
		c.s.fail("%s: %v was granted with the token %d", wrong, req, token)
	}
}

// count counts the outcome of a request that has failed.
func (c *soaker) count(err error) {
	for _, outcome := range []struct {
		err   error
		count int
	}{
		{treelock.ErrStopped, numStopped},
		{treelock.ErrDraining, numDraining},
		{treelock.ErrConflict, numConflict},
		{treelock.ErrBusy, numBusy},
		{treelock.ErrWithdrawn, numWithdrawn},
		{context.Canceled, numCancelled},
		{context.DeadlineExceeded, numCancelled},
	} {
		if errors.Is(err, outcome.err) {
			c.counts[outcome.count]++
			return
		}
	}
	if err != nil {
		c.s.fail("a request fails with %v", err)
	}
}
