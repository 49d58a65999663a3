package manager

import (
	"context"

	"github.com/treelock/treelock"
)

// Check returns nil if req would be granted now. If not, it returns the error of
// [Manager.TryAcquire], which satisfies errors.Is for [treelock.ErrConflict] and names the
// blockers. It takes no place in any queue, so no other request waits or fails because of it. The
// answer is about one moment: another request may come before the next call.
//
// If ctx ends, Check returns at once with an error as in [Manager.Acquire]. Other errors and the
// cost are those of TryAcquire, plus one allocation. [Stats] do not count it.
func (m *Manager[N]) Check(ctx context.Context, req treelock.Request[N]) error {
	c, err := m.newCall(&req, modeNoWait)
	if err != nil {
		return err
	}
	answer := &checker[N]{call: c}
	c.inspector = answer
	ended := ctx.Done()
	if o := m.sendCall(ctx, ended, kindInspect, c, treelock.Hold{}); o != outcomeSent {
		return withRequest("check", &req, m.unsentErr(o, ctx))
	}
	select {
	case v := <-c.replies:
		if err = answer.err; v != verdictDone {
			err = m.stoppedErr()
		}
	// The request of a Check is never live, so there is nothing to cancel. The manager may still
	// read and write c, so c is not reused.
	case <-ended:
		return withRequest("check", &req, m.canceledErr(ctx))
	}
	m.recycle(c)
	if err != nil {
		return withRequest("check", &req, err)
	}
	return nil
}

// A checker is the inspector that finds out whether the request of a call would be granted.
type checker[N treelock.Node[N]] struct {
	call *call[N]
	err  error
}

// inspect lets the request arrive, as then the table knows its blockers, and ends it in the same
// step. It is the latest request, so no request waits for it, and its end grants none.
//
// The reasons to refuse a request come in the order in which an arrival meets them, so Check gives
// the error of TryAcquire. No count changes: countArrival and countEnd are for requests that are
// live between messages.
func (k *checker[N]) inspect(l *loop[N]) {
	if l.draining {
		k.err = treelock.ErrDraining
		l.trace.refused(k.err)
		return
	}
	if k.err = l.suspendedErr(k.call.claims); k.err != nil {
		l.trace.refused(k.err)
		return
	}
	// explain reads who r is, so r is enrolled like any other request.
	r := l.table.Submit(k.call.claims)
	l.enroll(r, l.root, k.call.meta)
	if !r.Granted() {
		k.err = l.explain(r, treelock.ErrConflict, l.m.maxBlockers)
		l.trace.refused(k.err)
	}
	l.table.End(r)
}
