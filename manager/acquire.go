package manager

import (
	"context"
	"runtime"

	"github.com/treelock/treelock"
)

// Acquire waits until req is granted or ctx ends. It returns either a grant and a nil error, or an
// error and nothing held, whatever the race between the grant and the end of ctx. A request that
// arrives after Acquire has returned an error never waits for this one.
//
// The error is [treelock.ErrStopped] if the manager stops, [treelock.ErrLost] if the request is
// revoked while it waits, [treelock.ErrDraining], [treelock.ErrBusy], one of the request
// ([treelock.ErrTooWide]) or of a node ([treelock.PathError], [treelock.ErrTooLong],
// [treelock.ErrTooDeep], [treelock.ErrIncomparable]). If ctx ends, the error satisfies errors.Is
// for [treelock.ErrGaveUp], its error and its cause, and also for ErrStopped if the manager was
// seen to have ended as well. With ErrBusy, and if ctx ends while the request waits, the error is
// also a [treelock.BlockedError], which names the blockers (see [WithBlockers]).
//
// If ctx carries grants of m (see [treelock.NewContext]), and to wait would close a circle of
// requests that wait for one another, the error is a [treelock.DeadlockError], at once.
//
// A request under a ctx that has ended never arrives. A request that had to wait is not granted if
// ctx ended before the grant. When ctx ends, Acquire sends a cancellation, and returns when the
// manager has handled it and the messages before it. It never waits for other clients to release.
//
// The grant must be released. A client that waits while it holds a grant risks a deadlock, so one
// request must name all that is needed.
//
// Acquire costs O(d) in the manager, with d the number of the nodes in req and their ancestors. It
// allocates nothing if req has at most four claims and no label, need not wait, and its nodes are
// in use or remembered (see [WithIdleNodes]). Otherwise it allocates each new node and its name.
func (m *Manager[N]) Acquire(
	ctx context.Context, req treelock.Request[N],
) (treelock.Grant[N], error) {
	return (*engine[N])(m).Acquire(ctx, treelock.Hold{}, req)
}

// Acquire is [treelock.Grant.Acquire]. With the zero Hold it is [Manager.Acquire].
func (e *engine[N]) Acquire(
	ctx context.Context, h treelock.Hold, req treelock.Request[N],
) (treelock.Grant[N], error) {
	m := e.manager()
	c, err := m.newCall(&req, modeWait)
	if err != nil {
		return treelock.Grant[N]{}, err
	}
	ended, queued, o := m.begin(ctx, kindAcquire, c, h)
	if o != outcomeSent {
		return treelock.Grant[N]{}, withRequest("acquire", &req, m.unsentErr(o, ctx))
	}
	// Most requests need not wait and are replied to at once. So the client does not look at ctx
	// yet: a select costs as much as the rest of the call. Behind a backlog the reply takes longer,
	// so the client selects on ctx at once. begin has set expectWait then, so that no
	// verdictMustWait is sent. It also does so for a context that never ends: the client waits for
	// the last reply anyway, and another one has a cost.
	//
	// The client waits here, and not in a function of begin, since a return after a switch between
	// goroutines is mispredicted: see BenchmarkLock in manager/bench.
	if !c.expectWait && m.awaitReply(c, queued+1) != verdictMustWait || m.awaitLastReply(c, ended) {
		return m.resultOf("acquire", &req, c)
	}
	return treelock.Grant[N]{}, withRequest("acquire", &req, m.cancelCall(ctx, c))
}

// begin sends c. ended is the Done channel of ctx, and queued the number of messages that the inbox
// held before c. The client then waits for the last reply, and cancels the call if ctx ends before.
func (m *Manager[N]) begin(
	ctx context.Context, kind messageKind, c *call[N], in treelock.Hold,
) (ended <-chan struct{}, queued int, o outcome) {
	c.grant.token = in.Token
	if _, ok := treelock.FromContext[N](ctx); ok { // few contexts carry a grant
		c.under = new([]treelock.Hold)
		*c.under = m.grantsIn(ctx)
	}
	// Done may be user code, so it is called before the request can be granted: if it panics,
	// nothing is held.
	ended = ctx.Done()
	queued = len(m.inbox)
	c.expectWait = c.expectWait || ended == nil || queued >= backlog
	return ended, queued, m.sendCall(ctx, ended, kind, c, in)
}

// sendCall sends c, for a request in a scope, unless ctx, whose Done channel is ended, has ended. A
// call that is not sent is recycled.
func (m *Manager[N]) sendCall(
	ctx context.Context, ended <-chan struct{}, kind messageKind, c *call[N], in treelock.Hold,
) outcome {
	msg := message[N]{kind: kind, call: c, ref: in.Ref, seq: in.Number}
	o := outcomeStopped
	// A request under a context that has ended never enters the inbox. Err is called before any
	// select on ended, so that the end of the context wins over room in the inbox.
	if ctx.Err() != nil {
		o = outcomeCanceled
	} else if !m.stopping() {
		if m.trySend(msg) {
			return outcomeSent
		}
		o = m.sendWithin(ended, msg)
	}
	if o != outcomeSent {
		m.recycle(c)
	}
	return o
}

// backlog is the number of messages in the inbox from which on a client selects on its context
// while it waits for its first reply.
const backlog = 256

// awaitReply waits for the first reply to c. The inbox held queued messages, c included. One client
// sends at most two, a release and this call. If there are no more, awaitReply lets the manager run
// at once: that is faster than to park and wake this goroutine. See BenchmarkLock in manager/bench,
// with one client.
func (m *Manager[N]) awaitReply(c *call[N], queued int) verdict {
	if c.yieldFirst && queued <= 2 {
		runtime.Gosched()
	}
	return <-c.replies
}

// awaitLastReply waits for the last reply to c. It returns false if the client's context has ended,
// even if the reply came as well. So a request that had to wait is not granted under a context that
// ended first.
func (m *Manager[N]) awaitLastReply(c *call[N], ended <-chan struct{}) bool {
	select {
	case v := <-c.replies:
		return v != verdictDone || !isClosed(ended)
	case <-ended:
		return false
	}
}

// TryAcquire grants req at once or fails, leaving no trace. It respects the order of arrival: it
// fails with [treelock.ErrConflict] if an earlier conflicting request is live, even one that only
// waits. That error is also a [treelock.BlockedError]. Other errors and the cost are those of
// [Manager.Acquire]. It looks at ctx before it sends the request, and while the inbox is full.
func (m *Manager[N]) TryAcquire(
	ctx context.Context, req treelock.Request[N],
) (treelock.Grant[N], error) {
	return (*engine[N])(m).TryAcquire(ctx, treelock.Hold{}, req)
}

// TryAcquire is [treelock.Grant.TryAcquire]. With the zero Hold it is [Manager.TryAcquire].
func (e *engine[N]) TryAcquire(
	ctx context.Context, h treelock.Hold, req treelock.Request[N],
) (treelock.Grant[N], error) {
	m := e.manager()
	c, err := m.newCall(&req, modeNoWait)
	if err != nil {
		return treelock.Grant[N]{}, err
	}
	c.grant.token, c.expectWait = h.Token, false
	ended := ctx.Done()
	if o := m.sendCall(ctx, ended, kindAcquire, c, h); o != outcomeSent {
		return treelock.Grant[N]{}, withRequest("try to acquire", &req, m.unsentErr(o, ctx))
	}
	// Only a manager with a journal lets a request of modeNoWait wait, for its place.
	if m.awaitReply(c, len(m.inbox)) != verdictMustWait || m.awaitLastReply(c, ended) {
		return m.resultOf("try to acquire", &req, c)
	}
	return treelock.Grant[N]{}, withRequest("try to acquire", &req, m.cancelCall(ctx, c))
}

// Do runs f while it holds req, and releases it when f returns, panics or ends its goroutine. It
// returns f's error, or that of [Manager.Acquire] without calling f. It is [treelock.Do]: the
// context of f carries the grant.
func (m *Manager[N]) Do(
	ctx context.Context, req treelock.Request[N], f func(context.Context) error,
) error {
	return treelock.Do(ctx, m, req, f)
}

// acquire is the arrival of a request: inside the grant that ref and seq name, or with a nil ref
// for the manager itself. On the manager goroutine.
func (l *loop[N]) acquire(c *call[N], ref *treelock.Ref, seq uint64) {
	l.assertOwner()
	c.yieldPays = l.yielder.pays()
	s := l.root
	if ref != nil || l.draining || len(l.suspensions) > 0 || l.placing.journal != nil {
		var err error
		if s, err = l.scopeFor(c, ref, seq); err != nil {
			l.refuse(c, err)
			return
		}
		if s == nil {
			l.propose(c)
			return
		}
	}
	r := s.table.Submit(c.claims)
	l.enroll(r, s, c.meta)
	if l.placing.now != nil {
		l.attach(r)
	}
	// The request is in the table before it is refused, since the table then knows its blockers.
	// Ending it in the same step leaves no trace.
	if err := l.refusal(c, r); err != nil {
		s.table.End(r) // r is the latest request, so no request waits for it
		l.leave(s)
		if l.placing.now != nil {
			l.unplace()
		}
		l.refuse(c, err)
		return
	}
	l.countArrival(r)
	l.trace.arrived(r.Seq())
	g := grant[N]{req: r, seq: r.Seq()} // a request that waits is named by the same type
	if r.Granted() {
		g = l.grant(r)
	} else if len(l.asked[wantedSignal]) > 0 {
		l.signalWanted(s)
	}
	// The client of a ticket gets its reply at once. Any other client gets one reply with the
	// grant, or verdictMustWait first if it asked for that.
	if c.mode == modeTicket {
		l.acquireTicket(c, g)
		return
	}
	if r.Granted() {
		c.deliver(g)
		return
	}
	r.Who.call = c
	if l.placing.now != nil {
		c.grant = g // the client has been told to wait, for the place
		return
	}
	c.mustWait(g)
}

// scopeFor returns the scope for a request that arrives with c, or the error that refuses it. It
// returns neither for a request that needs a place in the journal first.
func (l *loop[N]) scopeFor(c *call[N], ref *treelock.Ref, seq uint64) (*scope[N], error) {
	if ref != nil {
		owner := requestOf[N](ref)
		if err := l.heldErr(owner, seq, c.claims); err != nil {
			return nil, err
		}
		return l.enter(owner, c.grant.token), nil
	}
	// Draining is checked on arrival and not by the client, so the order of messages decides
	// whether a request comes before the drain. Requests inside grants go on.
	if l.draining && l.placing.now == nil {
		l.stats.Draining++
		return nil, treelock.ErrDraining
	}
	if err := l.suspendedErr(c.claims); err != nil {
		return nil, err
	}
	if l.placing.journal != nil && l.placing.now == nil {
		return nil, nil
	}
	return l.root, nil
}

// refusal returns the error for r, which has just arrived with c, if it must not wait. It returns
// nil if r is granted or may wait. The search for a circle comes last, as it alone may take long.
func (l *loop[N]) refusal(c *call[N], r *request[N]) error {
	switch {
	case r.Granted():
		return nil
	case c.mode == modeNoWait:
		l.stats.Conflicts++
		return l.explain(r, treelock.ErrConflict, l.m.maxBlockers)
	case l.m.maxWaiting >= 0 && l.waiting >= l.m.maxWaiting, crowded(c.meta, r):
		l.stats.Busy++
		return l.explain(r, treelock.ErrBusy, l.m.maxBlockers)
	case r.Widens() != nil || c.under != nil:
		return l.blockUnder(r, c.callerHolds())
	}
	return nil
}

// end ends a live request, and delivers the grants that this makes possible. It is the one way out
// for releases, cancellations and withdrawals, so that no end misses a count, a grant or a drain.
func (l *loop[N]) end(r *request[N]) {
	if l.placing.journal != nil && r.Who.scope == l.root && !l.endEntry(r) {
		return // mirror.Ended calls end again
	}
	l.countEnd(r)
	s, number := r.Who.scope, r.Seq()
	l.trace.ended(number)
	l.deliverAll(s.table.End(r))
	// A survey records r in End at the latest, and may add it to a suspension. So r leaves only
	// now.
	if len(l.suspensions) > 0 {
		l.leaveSuspensions(number)
	}
	if s != l.root {
		l.leave(s)
	}
	l.checkDrained()
}

// deliverAll sends their grants to the clients of requests that a step of the table has granted.
// The tokens grow in the order of the list. No send blocks: each channel has room for its one
// grant.
func (l *loop[N]) deliverAll(granted []*request[N]) {
	for _, r := range granted {
		if r.Widens() != nil {
			l.deliverWidening(r)
			continue
		}
		if l.placing.journal != nil && !l.grantPlaced(r) {
			continue
		}
		l.countGrant(r)
		// The client is cleared before the grant is sent: from then on the call may be reused, and
		// a held grant keeps no ticket in memory.
		call, ticket := r.Who.call, r.Who.ticket
		r.Who.call, r.Who.ticket, r.Who.since = nil, nil, l.now
		r.Who.extra = r.Who.extra.afterGrant()
		g := l.grant(r)
		if ticket != nil {
			ticket.deliver(g)
		} else {
			call.deliver(g)
		}
	}
}
