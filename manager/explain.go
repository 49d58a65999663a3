package manager

import (
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

// explain returns err with the names of those that r, which waits, waits for, at most limit; or err alone, if that is 0. It takes
// bounded time, and is for requests that end by it, as most never need it. On the manager goroutine.
func (l *loop[N]) explain(r *request[N], err error, limit int) error {
	l.assertOwner()
	if limit == 0 {
		return err
	}
	blocked := &treelock.BlockedError[N]{
		Label:  r.Who.meta.labelOf(),
		Waited: l.now.since(r.Who.since),
		Err:    err,

		Blockers: make([]treelock.Blocker[N], 0, min(limit, defaultBlockers)),
	}
	more, all := l.table.Blockers(r, limit, func(b *request[N], why locktable.Quarrel[N]) {
		blocked.Blockers = append(blocked.Blockers, treelock.Blocker[N]{
			Number: b.Seq(),
			Label:  b.Who.meta.labelOf(),
			State:  stateOf(b),
			For:    l.now.since(b.Who.since),
			Claim:  locktable.ClaimOf(why.Claim),
			Wanted: locktable.ClaimOf(why.Wanted),
		})
	})
	blocked.More, blocked.AtLeast = more, !all
	return blocked
}

// An explainer finds out what a request waits for that was seen to wait.
type explainer[N treelock.Node[N]] struct {
	req *locktable.Request[N, client[N]]
	seq uint64

	blocked error // nil if it waits no longer
}

func (e *explainer[N]) inspect(l *loop[N]) {
	if e.req.Seq() == e.seq && e.req.Waiting() {
		e.blocked = l.explain(e.req, nil, maxNamed)
	}
}

// explain returns what the request of a row waits for, or nil if it waits no longer.
func (m *Manager[N]) explain(r *row[N]) *treelock.BlockedError[N] {
	e := explainer[N]{req: r.req, seq: r.seq}
	m.inspect(&e)
	blocked, _ := e.blocked.(*treelock.BlockedError[N])
	return blocked
}

func stateOf[N treelock.Node[N]](r *request[N]) treelock.State {
	if r.Granted() {
		return treelock.Holding
	}
	return treelock.Waiting
}
