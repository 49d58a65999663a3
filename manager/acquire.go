package manager

import (
	"context"
	"errors"
	"fmt"

	"github.com/treelock/treelock"
)

// Acquire waits until req is granted or ctx ends. It returns either a grant and a nil error, or an error
// and nothing held: whatever the race between the grant and the end of ctx, nothing leaks, and requests that
// arrive after Acquire has returned an error never wait for this one.
//
// The error is [treelock.ErrStopped] if the manager stops, [treelock.ErrDraining], [treelock.ErrBusy], one of
// the node ([treelock.PathError], [treelock.ErrTooDeep], [treelock.ErrIncomparable]), or, if ctx ends, one that
// satisfies errors.Is for its error and for its cause. If the manager was seen to have ended as well, it satisfies all of
// these. If ctx has ended already, the request never arrives.
//
// The grant must be released. Whoever waits while holding a grant risks a deadlock: ask for all that is
// needed in one request.
//
// It costs O(d) in the manager, with d the number of the nodes in req and their ancestors, and
// allocates nothing if req has few claims and need not wait.
func (m *Manager[N]) Acquire(ctx context.Context, req treelock.Request[N]) (Grant[N], error) {
	c, err := m.newCall(req, wait)
	if err != nil {
		return Grant[N]{}, err
	}
	ended := ctx.Done() // asked before the request can be granted, as it may be the user's code that answers
	if err := m.sendWithin(ctx, message[N]{kind: acquire, call: c}); err != nil {
		m.recycle(c)
		return Grant[N]{}, err
	}
	select {
	case a := <-c.answer:
		m.recycle(c)
		return a.grant, a.err
	case <-ended:
		// From here on c is the manager's for ever: it may just have sent the grant, which nobody receives
		// any more but the manager, when it sees this message.
		m.send(message[N]{kind: withdraw, call: c})
		return Grant[N]{}, m.gaveUp(ctx)
	}
}

// TryAcquire grants req at once or fails, leaving no trace. It respects the order of arrival: it fails with
// [treelock.ErrConflict] if an earlier conflicting request is live, be it that this one only waits itself. Other
// errors and the cost are those of [Manager.Acquire].
func (m *Manager[N]) TryAcquire(req treelock.Request[N]) (Grant[N], error) {
	c, err := m.newCall(req, noWait)
	if err != nil {
		return Grant[N]{}, err
	}
	if !m.send(message[N]{kind: acquire, call: c}) {
		m.recycle(c)
		return Grant[N]{}, m.stopped()
	}
	a := <-c.answer
	m.recycle(c)
	return a.grant, a.err
}

// Do runs f while it holds req, and releases it when f returns, panics or ends its goroutine. It returns
// f's error, or that of [Manager.Acquire], without having called f. f gets ctx.
func (m *Manager[N]) Do(ctx context.Context, req treelock.Request[N], f func(context.Context) error) error {
	grant, err := m.Acquire(ctx, req)
	if err != nil {
		return err
	}
	defer grant.Release()
	return f(ctx)
}

// acquire is the arrival of a request. On the manager goroutine.
func (l *loop[N]) acquire(c *call[N]) {
	l.assertOwner()
	if l.draining {
		c.answer <- answer[N]{err: treelock.ErrDraining}
		return
	}
	r := l.table.Submit(c, c.claims)
	if err := l.refusal(c, r); err != nil {
		l.table.End(r) // the latest request: nobody waits for it
		c.answer <- answer[N]{err: err}
		return
	}
	c.grant = Grant[N]{m: l.m, req: r, seq: r.Seq()}
	if c.mode == ticket {
		c.answer <- answer[N]{}
	}
	if r.Granted() {
		l.deliver(r)
	}
}

// refusal returns why r, which has just arrived with c, must not wait, or nil if it need not or may.
func (l *loop[N]) refusal(c *call[N], r *request[N]) error {
	switch {
	case r.Granted():
		return nil
	case c.mode == noWait:
		return treelock.ErrConflict
	case l.m.maxWaiting >= 0 && l.table.Waiting() > l.m.maxWaiting:
		return treelock.ErrBusy
	}
	return nil
}

// deliver gives r's grant to its client. After that the call is the client's again.
func (l *loop[N]) deliver(r *request[N]) {
	c := r.Who
	r.Who = nil
	if c.mode == ticket {
		c.ticket.granted <- c.grant
	} else {
		c.answer <- answer[N]{grant: c.grant}
	}
}

// deliverAll delivers what a step of the table has granted.
func (l *loop[N]) deliverAll(granted []*request[N]) {
	for _, r := range granted {
		l.deliver(r)
	}
}

// gaveUp returns the error for a request whose ctx has ended, and perhaps the manager too: often one context is the
// parent of the other.
func (m *Manager[N]) gaveUp(ctx context.Context) error {
	if m.ctx.Err() != nil {
		return fmt.Errorf("%w: %w", m.stopped(), contextError(ctx))
	}
	return contextError(ctx)
}

// contextError returns the error for a ctx that has ended.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return fmt.Errorf("treelock: the request was given up: %w", cause)
	}
	return fmt.Errorf("treelock: the request was given up: %w: %w", err, cause)
}
