package manager

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

// Widen is [treelock.Grant.Widen]. With an error it returns same, the grant as it was: until the
// widening is granted, the grant keeps what it holds.
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
	// The cancellation ends the widening alone. If it was granted first, its grant cannot be given
	// back, and Widen returns it. While the widening waits, c names it with token 0. A call that
	// was refused has the token that it was sent with, but names no request.
	g, blocked := m.sendCancel(c)
	if g.req != nil && g.token != 0 {
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
	// The manager does not keep the token of a grant. So the call carries that of the caller's
	// copy, as in begin.
	c.widens, c.grant.token = true, h.Token
	if o := m.sendCall(ctx, ctx.Done(), kindWiden, c, h); o != outcomeSent {
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

// errWidenShared is why a grant that other processes know cannot be widened.
var errWidenShared = fmt.Errorf("%w: the grant is in an order of several processes", errors.ErrUnsupported)

// widen makes a grant hold the claims of c as well. On the manager goroutine. There are three
// cases:
//
//   - The table grants the widening at once: the grant gets the next token.
//   - The grant holds all of it already: nothing is granted, so the grant keeps its token.
//   - The widening waits: it is a request of its own, w, beside its grant, and is refused or
//     canceled without an effect on the grant. deliverWidening gives it its token.
func (l *loop[N]) widen(c *call[N], r *request[N], seq uint64) {
	l.assertOwner()
	if err := l.mayWiden(c, r, seq); err != nil {
		l.refuse(c, err)
		return
	}
	if entryOf(r) != nil {
		l.refuse(c, errWidenShared)
		return
	}
	s, token := r.Who.scope, c.grant.token
	w, changed := s.table.Widen(r, c.claims)
	if w != nil {
		// Errors and snapshots show w by the label of its grant. The meta of c, which may have a
		// limit of its own, is for refusal alone.
		l.enroll(w, s, r.Who.meta)
	}
	switch {
	case w == nil && changed:
		c.deliver(l.widenedGrant(r))
		return
	case w == nil:
		// The token of the call is that of the caller's copy. If another copy was widened since,
		// the grant has a later one.
		if x := r.Who.extra; x != nil {
			token = max(token, x.token)
		}
		c.deliver(grant[N]{req: r, seq: seq, token: token})
		return
	}
	if err := l.refusal(c, w); err != nil {
		// w is the latest request, so no request waits for it and End grants none.
		s.table.End(w)
		l.refuse(c, err)
		return
	}
	l.countArrival(w)
	l.trace.arrived(w.Seq())
	l.signalWanted(s) // w waits for other grants
	w.Who.call = c
	// This names w and not its grant, so that a cancellation ends w alone. Its token is 0.
	c.mustWait(grant[N]{req: w, seq: w.Seq()})
}

// mayWiden returns why the grant that r and seq name must not be widened by the claims of c, or
// nil. A grant inside another one must stay inside it. What the grant would hold is bounded as a
// request is.
func (l *loop[N]) mayWiden(c *call[N], r *request[N], seq uint64) error {
	if err := l.overErr(r, seq); err != nil {
		return err
	}
	// The table combines a widening with what the grant held at its arrival. So there is one at a
	// time.
	if r.Widening() != nil {
		return treelock.ErrWidening
	}
	if len(l.suspensions) > 0 && r.Who.scope.owner == nil {
		// A grant inside another one adds nothing to what the manager has granted.
		if err := l.suspendedErr(l.added(r, c.claims)); err != nil {
			return err
		}
	}
	// heldErr also refuses if the owner was released: then the rest inside it goes on as it is, and
	// nothing is added.
	if owner := r.Who.scope.owner; owner != nil {
		if err := l.heldErr(owner, owner.Seq(), c.claims); err != nil {
			return err
		}
	}
	// A claim counts beside the weaker one that it replaces. So the bound may refuse a little early.
	if r.Claims()+len(c.claims) > l.m.maxClaims {
		if claims := r.Claims() + len(l.added(r, c.claims)); claims > l.m.maxClaims {
			return tooWide(claims, l.m.maxClaims)
		}
	}
	return nil
}

// added returns those of claims that r does not hold already.
func (l *loop[N]) added(r *request[N], claims []locktable.Claim[N]) []locktable.Claim[N] {
	return slices.DeleteFunc(slices.Clone(claims), func(claim locktable.Claim[N]) bool {
		return l.table.Holds(r, []locktable.Claim[N]{claim})
	})
}

// widenedGrant returns the grant of r, which was just widened, with its new token. A grant inside
// another one keeps the token of that one.
func (l *loop[N]) widenedGrant(r *request[N]) grant[N] {
	l.stats.Widened++
	g := l.grant(r)
	// Copies of the grant that are older than the widening have an older token. extra keeps the new
	// one, for a later call of such a copy and for the requests inside, which have the token of
	// their grant.
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
	// The widening is not released, so countEnd is not for it: it is a request no more, and its
	// grant lives on.
	l.live--
	l.waiting--
	l.stats.WaitTime.add(l.now.microsSince(w.Who.since))
	// Requests that waited for the widening wait for the grant from now on.
	l.signalWanted(w.Widens().Who.scope)
	// The table has ended w, whose number is 0 by now. The call has it since mustWait.
	l.mergeWidened(w.Widens(), w.Who.call.grant.seq)
	w.Who.call.deliver(l.widenedGrant(w.Widens()))
}
