package manager

import (
	"context"

	"github.com/treelock/treelock"
)

// Widen is [treelock.Grant.Widen].
func (e *engine[N]) Widen(
	ctx context.Context, h treelock.Hold, req treelock.Request[N],
) (treelock.Grant[N], error) {
	m, same := e.manager(), e.manager().grants.Grant(h)
	c, err := m.newCall(&req, modeWait)
	if err != nil {
		return same, err
	}
	c.widens = true
	ended, queued, o := m.begin(ctx, kindWiden, c, h)
	if o != outcomeSent {
		return same, withRequest("widen", &req, m.unsentErr(o, ctx))
	}
	if !c.expectWait && m.awaitReply(c, queued+1) != verdictMustWait || m.awaitLastReply(c, ended) {
		return m.widened("widen", same, &req, c)
	}
	g, blocked := m.sendCancel(c)
	if g.req != nil && g.token != 0 { // it was granted before the cancellation
		return m.public(g), nil
	}
	return same, withRequest("widen", &req, withBlockers[N](m.canceledErr(ctx), blocked))
}

// TryWiden is [treelock.Grant.TryWiden].
func (e *engine[N]) TryWiden(
	ctx context.Context, h treelock.Hold, req treelock.Request[N],
) (treelock.Grant[N], error) {
	m, same := e.manager(), e.manager().grants.Grant(h)
	c, err := m.newCall(&req, modeNoWait)
	if err != nil {
		return same, err
	}
	c.widens, c.grant.token = true, h.Token
	if o := m.submit(ctx, ctx.Done(), kindWiden, c, h); o != outcomeSent {
		return same, withRequest("try to widen", &req, m.unsentErr(o, ctx))
	}
	m.awaitReply(c, len(m.inbox))
	return m.widened("try to widen", same, &req, c)
}

// widened returns what the last reply to a widening means: the grant with its token, or same, the
// grant as it was, and an error.
func (m *Manager[N]) widened(
	op string, same treelock.Grant[N], req *treelock.Request[N], c *call[N],
) (treelock.Grant[N], error) {
	g, err := m.result(c)
	if err != nil {
		return same, withRequest(op, req, err)
	}
	return m.public(g), nil
}

// widen makes a grant hold the claims of c as well. On the manager goroutine.
func (l *loop[N]) widen(c *call[N], r *request[N], seq uint64) {
	l.assertOwner()
	if err := l.mayWiden(c, r, seq); err != nil {
		l.refuse(c, err)
		return
	}
	s, token := r.Who.scope, c.grant.token
	w, changed := s.table.Widen(r, c.claims)
	if w != nil {
		l.enroll(w, s, r.Who.meta)
	}
	switch {
	case w == nil && changed:
		c.deliver(l.widenedGrant(r))
		return
	case w == nil: // it held all of that before
		if x := r.Who.extra; x != nil {
			token = max(token, x.token)
		}
		c.deliver(grant[N]{req: r, seq: seq, token: token})
		return
	}
	if err := l.refusal(c, w); err != nil {
		s.table.End(w)
		l.refuse(c, err)
		return
	}
	l.countArrival(w)
	l.trace.arrived(w.Seq())
	l.signalWanted(s)
	w.Who.call = c
	c.mustWait(grant[N]{req: w, seq: w.Seq()})
}

// mayWiden returns why the grant that r and seq name must not be widened by the claims of c, or
// nil. A grant inside another one must stay inside it. What the grant would hold is bounded as a
// request is.
func (l *loop[N]) mayWiden(c *call[N], r *request[N], seq uint64) error {
	if err := l.overErr(r, seq); err != nil {
		return err
	}
	if r.Widening() != nil {
		return treelock.ErrWidening
	}
	if err := l.widenSuspendedErr(r, c.claims); err != nil {
		return err
	}
	if owner := r.Who.scope.owner; owner != nil {
		if err := l.heldErr(owner, owner.Seq(), c.claims); err != nil {
			return err
		}
	}
	if claims := r.Claims() + len(c.claims); claims > l.m.maxClaims {
		return tooWide(claims, l.m.maxClaims)
	}
	return nil
}

// widenedGrant returns the grant of r, which was just widened, with its new token. A grant inside
// another one keeps the token of that one.
func (l *loop[N]) widenedGrant(r *request[N]) grant[N] {
	l.stats.Widened++
	g := l.grant(r)
	if r.Who.scope.owner == nil {
		x := l.extraOf(r)
		x.token = g.token
		if x.inner != nil {
			x.inner.token = g.token
		}
	}
	return g
}

// deliverWidening sends the grant of w, a widening that waited and was granted. The table has
// merged it into the grant that it widens.
func (l *loop[N]) deliverWidening(w *request[N]) {
	l.live-- // it is no request of its own any more
	l.waiting--
	l.stats.WaitTime.add(l.now.microsSince(w.Who.since))
	l.signalWanted(w.Widens().Who.scope) // by requests that waited for the widening
	l.mergeWidened(w.Widens(), w.Who.call.grant.seq)
	w.Who.call.deliver(l.widenedGrant(w.Widens()))
}
