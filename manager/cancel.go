package manager

import "context"

// maxCancels is how many cancellations are in the inbox at a time, at most. It is a few, so that
// the manager goroutine finds one when it is idle and other messages wait for few.
const maxCancels = 8

// cancelCall ends the request of c, whose ctx has ended, and returns the error for it.
func (m *Manager[N]) cancelCall(ctx context.Context, c *call[N]) error {
	_, blocked := m.sendCancel(c) // before canceledErr calls ctx, which may be user code that blocks
	return withBlockers[N](m.canceledErr(ctx), blocked)
}

// sendCancel ends the request of c and returns what blocked it. If the manager has just granted the
// request, that grant ends too. A widening that was granted stays: sendCancel returns its grant.
// The client has a token meanwhile, so no user code runs here: sendCancel does not call the
// context.
func (m *Manager[N]) sendCancel(c *call[N]) (g grant[N], blocked error) {
	select {
	case m.cancelSem <- struct{}{}:
		defer func() { <-m.cancelSem }()
	case <-m.done:
		return g, nil
	}
	if !m.send(message[N]{kind: kindCancel, call: c}) {
		return g, nil // the manager may still write to c, so c is not reused
	}
	// A reply that crossed the cancellation comes first. It is ignored: verdictCanceled is the last
	// one.
	for <-c.replies != verdictCanceled {
	}
	return m.result(c)
}

// cancel ends the request of a canceled call, even if its grant was already sent. A widening ends
// only while it waits: a grant keeps what it holds. On the manager goroutine.
//
// The client may have one reply that it has not received, a refusal or a grant. Or it has none.
// After a refusal c.grant names no live request. The client receives replies until verdictCanceled
// and ignores the others, so a call that is reused never has an old reply.
func (l *loop[N]) cancel(c *call[N]) {
	l.assertOwner()
	var why error
	if l.placing.journal != nil && l.unpropose(c) {
		c.confirmCancel(noPlaceError{l.placing.journal.Trouble()})
		return
	}
	if r := c.grant.req; r != nil && (!c.widens || r.Waiting()) {
		// A request that was granted meanwhile had no blockers at the end.
		why = l.explainWaiting(r, c.grant.seq, l.m.maxBlockers)
		l.release(r, c.grant.seq) // it may have been revoked
	}
	c.confirmCancel(why)
}
