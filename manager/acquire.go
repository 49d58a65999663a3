package manager

import (
	"context"
	"runtime"

	"github.com/treelock/treelock"
)

// Acquire waits until req is granted or ctx ends. It returns either a grant and a nil error, or an error
// and nothing held: whatever the race between the grant and the end of ctx, nothing leaks, and requests that
// arrive after Acquire has returned an error never wait for this one.
//
// The error is [treelock.ErrStopped] if the manager stops, [treelock.ErrDraining],
// [treelock.ErrBusy], one of the request ([treelock.ErrTooWide]) or of a node
// ([treelock.PathError], [treelock.ErrTooLong], [treelock.ErrTooDeep], [treelock.ErrIncomparable]),
// or, if ctx ends, one that satisfies errors.Is for its error and for its cause. If the manager was
// seen to have ended as well, it satisfies all of these. If ctx has ended already, the request
// never arrives. A request that had to wait is not granted if ctx ended before the grant. With
// ErrBusy, and if ctx ends while the request waits, the error is also a [treelock.BlockedError],
// which names the blockers (see [WithBlockers]).
//
// When ctx ends, Acquire sends a cancellation and returns when the manager has dealt with that, and
// with the messages before it. It never waits for other clients to release.
//
// The grant must be released. A client that waits while it holds a grant risks a deadlock: ask for all
// that is needed in one request.
//
// It costs O(d) in the manager, with d the number of the nodes in req and their ancestors. It
// allocates nothing if req has at most four claims and no label, need not wait, and its nodes are
// in use or remembered (see [WithIdleNodes]). Else it allocates each new node and its name.
func (m *Manager[N]) Acquire(ctx context.Context, req treelock.Request[N]) (Grant[N], error) {
	c, err := m.newCall(&req, modeWait)
	if err != nil {
		return Grant[N]{}, err
	}
	ended := ctx.Done() // asked before the request can be granted, as it may be the user's code that answers
	ahead := len(m.inbox)
	c.expectWait = c.expectWait || ended == nil || ahead >= backlog
	if o := m.submit(ctx, ended, c); o != outcomeSent {
		return Grant[N]{}, withRequest("acquire", &req, m.unsentErr(o, ctx))
	}
	// Most often the request need not wait. The answer to that comes at once, so there is no need to look at ctx
	// meanwhile, which costs as much as all the rest. Behind a backlog it does not come at once: such a client looks at ctx from
	// the beginning, and is patient, as there is no room for waits, a grant and gone.
	if !c.expectWait && m.awaitReply(c, ahead+1) != verdictMustWait {
		return m.resultOf("acquire", &req, c)
	}
	if m.awaitLastReply(c, ended) {
		return m.resultOf("acquire", &req, c)
	}
	return Grant[N]{}, withRequest("acquire", &req, m.cancelCall(ctx, c))
}

// submit sends c, unless ctx has ended, of which ended is the Done channel.
func (m *Manager[N]) submit(ctx context.Context, ended <-chan struct{}, c *call[N]) (o outcome) {
	if ctx.Err() != nil {
		o = outcomeCanceled
	} else if m.stopping() {
		o = outcomeStopped
	} else {
		select { // most often there is room
		case m.inbox <- message[N]{kind: kindAcquire, call: c}:
			return outcomeSent
		default:
			o = m.sendWithin(ended, message[N]{kind: kindAcquire, call: c})
		}
	}
	if o != outcomeSent {
		m.recycle(c)
	}
	return o
}

// backlog is how many messages in the inbox are so many that a client does not wait for its first
// answer without a look at its context.
const backlog = 256

// lastAnswer waits for the last answer to c, which was sent. It returns false if the client's context
// has ended, also if it has ended before the answer came: a request that had to wait is not granted
// under a context that had ended before.
func (m *Manager[N]) awaitLastReply(c *call[N], ended <-chan struct{}) bool {
	select {
	case v := <-c.replies:
		return v != verdictDone || !isClosed(ended)
	case <-ended:
		return false
	}
}

// giveUp ends the request of c, whose ctx has ended, and returns why.
func (m *Manager[N]) cancelCall(ctx context.Context, c *call[N]) error {
	blocked := m.sendCancel(c)
	err := m.canceledErr(ctx)
	if blocked, ok := blocked.(*treelock.BlockedError[N]); ok {
		blocked.Err = err
		return blocked
	}
	return err
}

// takeBack ends the request of c, and returns what was in its way. The manager may just have granted it: then it takes that
// back. While the client has a token no code of the user's runs, so no context is asked here.
func (m *Manager[N]) sendCancel(c *call[N]) error {
	select {
	case m.cancelSem <- struct{}{}:
		defer func() { <-m.cancelSem }()
	case <-m.done:
		return nil
	}
	if !m.send(message[N]{kind: kindCancel, call: c}) {
		return nil // and c is the manager's for ever, as it may just be answering it
	}
	for <-c.replies != verdictCanceled {
	}
	_, blocked := m.result(c)
	return blocked
}

// TryAcquire grants req at once or fails, leaving no trace. It respects the order of arrival: it fails with
// [treelock.ErrConflict] if an earlier conflicting request is live, be it that this one only waits itself; that error is also a
// [treelock.BlockedError]. Other errors and the cost are those of [Manager.Acquire].
func (m *Manager[N]) TryAcquire(req treelock.Request[N]) (Grant[N], error) {
	c, err := m.newCall(&req, modeNoWait)
	if err != nil {
		return Grant[N]{}, err
	}
	if !m.send(message[N]{kind: kindAcquire, call: c}) {
		m.recycle(c)
		return Grant[N]{}, withRequest("try to acquire", &req, m.stoppedErr())
	}
	m.awaitReply(c, len(m.inbox))
	return m.resultOf("try to acquire", &req, c)
}

// firstAnswer waits for the first answer to c, which was sent, when so many messages were in the inbox. If these are no more than
// one client sends, a release and this call, it lets the manager run at once: that is faster than to park this goroutine and to
// wake it. See BenchmarkLock, with one client.
func (m *Manager[N]) awaitReply(c *call[N], ahead int) verdict {
	if c.yieldFirst && ahead <= 2 {
		runtime.Gosched()
	}
	return <-c.replies
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
	c.yieldPays = l.yielder.pays()
	if l.draining {
		l.stats.Draining++
		c.refuse(treelock.ErrDraining)
		return
	}
	r := l.table.Submit(client[N]{meta: c.meta, since: l.now}, c.claims)
	if err := l.refusal(c, r); err != nil {
		err = l.explain(r, err, l.m.maxBlockers)
		l.table.End(r) // the latest request: nobody waits for it
		c.refuse(err)
		return
	}
	l.countArrival(r)
	grant := Grant[N]{m: l.m, req: r, seq: r.Seq()}
	if r.Granted() {
		grant = l.grant(r)
	}
	if c.mode == modeTicket {
		l.acquireTicket(c, grant)
		return
	}
	if r.Granted() {
		c.deliver(grant)
		return
	}
	r.Who.call, c.grant, c.waited = c, grant, true
	if !c.expectWait {
		c.replies <- verdictMustWait
	}
}

// refusal returns why r, which has just arrived with c, must not wait, or nil if it need not or may.
func (l *loop[N]) refusal(c *call[N], r *request[N]) error {
	switch {
	case r.Granted():
		return nil
	case c.mode == modeNoWait:
		l.stats.Conflicts++
		return treelock.ErrConflict
	case l.m.maxWaiting >= 0 && l.table.Waiting() > l.m.maxWaiting:
		l.stats.Busy++
		return treelock.ErrBusy
	}
	return nil
}

// giveUp ends the request of a call whose client takes no grant any more, be it that one was sent. On the manager goroutine.
func (l *loop[N]) cancel(c *call[N]) {
	l.assertOwner()
	var why error
	if r := c.grant.req; r != nil && r.Seq() == c.grant.seq { // it was not refused
		if r.Waiting() {
			why = l.explain(r, nil, l.m.maxBlockers)
		}
		l.end(r)
	}
	c.confirmCancel(why)
}

// end ends a request that is live, and tells those who are granted by that.
func (l *loop[N]) end(r *request[N]) {
	l.countEnd(r)
	l.deliverAll(l.table.End(r))
	l.checkDrained()
}

// deliverAll gives requests that a step of the table has granted to their clients.
func (l *loop[N]) deliverAll(granted []*request[N]) {
	for _, r := range granted {
		l.countGrant(r)
		call, ticket := r.Who.call, r.Who.ticket
		r.Who.call, r.Who.ticket, r.Who.since = nil, nil, l.now
		grant := l.grant(r)
		if ticket != nil {
			ticket.deliver(grant)
		} else {
			call.deliver(grant)
		}
	}
}
