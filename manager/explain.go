package manager

import (
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/terms"
)

// explain returns err with the names of at most limit requests that r waits for, or err alone if
// limit is 0. It takes bounded time. It is for requests that are refused, canceled or slow, so a
// request that is granted pays nothing for it. On the manager goroutine.
//
// The error holds no text: the client formats it if it is read. Labels and claims are immutable
// values, so they can be shared with the client.
func (l *loop[N]) explain(r *request[N], err error, limit int) error {
	l.assertOwner()
	// WithBlockers(0) must cost nothing.
	if limit == 0 {
		return err
	}
	// The client fills in what it knows itself: the operation, and its claims (withRequest).
	blocked := &treelock.BlockedError[N]{
		Label:  r.Who.meta.labelOf(),
		Waited: l.now.since(r.Who.since),
		Err:    err,

		Blockers: make([]treelock.Blocker[N], 0, min(limit, defaultBlockers)),
	}
	more, all := r.Who.scope.table.Blockers(r, limit, func(b *request[N], why locktable.ConflictPair[N]) {
		blocked.Blockers = append(blocked.Blockers, treelock.Blocker[N]{
			Number: b.Seq(),
			Label:  b.Who.meta.labelOf(),
			Tag:    b.Who.meta.tagOf(),

			Process: b.Who.meta.processOf(),

			State:  stateOf(b),
			For:    b.Who.meta.ageOf(l.now, b.Who.since),
			Claim:  terms.ClaimOf(why.Claim.Node, why.Claim.Mode),
			Wanted: terms.ClaimOf(why.Wanted.Node, why.Wanted.Mode),
		})
	})
	// The search visits a bounded number of requests. If it did not visit all, more is a lower
	// bound.
	blocked.More, blocked.AtLeast = more, !all
	return blocked
}

// An explainer is the inspector that finds the blockers of a request in a survey.
type explainer[N treelock.Node[N]] struct {
	req *locktable.Request[N, client[N]]
	seq uint64

	blocked error // nil if req no longer waits
}

func (e *explainer[N]) inspect(l *loop[N]) { e.blocked = l.explainWaiting(e.req, e.seq, maxNamed) }

// explainWaiting explains the request with number seq that was stored in r, or returns nil if it no
// longer waits. The storage may be used for another request by now; the number tells. On the
// manager goroutine.
func (l *loop[N]) explainWaiting(r *request[N], seq uint64, limit int) error {
	if r == nil || r.Seq() != seq || !r.Waiting() {
		return nil
	}
	return l.explain(r, nil, limit)
}

// explain returns what the request of a row waits for, or nil if it no longer waits. It sends one
// message to the manager, for the slow log. On the watcher's goroutine: it passes back the pointer
// of the row, and does not look into the request.
func (m *Manager[N]) explain(r *row[N]) *treelock.BlockedError[N] {
	e := explainer[N]{req: r.req, seq: r.seq}
	m.inspect(&e)
	blocked, _ := e.blocked.(*treelock.BlockedError[N])
	return blocked
}

// stateOf returns whether a live request holds or waits.
func stateOf[N treelock.Node[N]](r *request[N]) treelock.State {
	if r.Granted() {
		return treelock.Holding
	}
	return treelock.Waiting
}
