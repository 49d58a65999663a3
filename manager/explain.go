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
		Label:  r.Who.note.labelOf(),
		Waited: l.now.since(r.Who.since),
		Err:    err,

		Blockers: make([]treelock.Blocker[N], 0, min(limit, defaultBlockers)),
	}
	more, all := l.table.Blockers(r, limit, func(b *request[N], why locktable.Quarrel[N]) {
		blocked.Blockers = append(blocked.Blockers, treelock.Blocker[N]{
			Number: b.Seq(),
			Label:  b.Who.note.labelOf(),
			State:  stateOf(b),
			For:    l.now.since(b.Who.since),
			Claim:  locktable.ClaimOf(why.Claim),
			Wanted: locktable.ClaimOf(why.Wanted),
		})
	})
	blocked.More, blocked.AtLeast = more, !all
	return blocked
}

// why returns what a request that was seen to wait waits for, or nil if it waits no longer.
func (m *Manager[N]) why(row *sighting[N]) *treelock.BlockedError[N] {
	c := m.emptyCall()
	if !m.send(message[N]{kind: why, call: c, req: row.req, seq: row.seq}) {
		m.recycle(c)
		return nil
	}
	<-c.answers
	_, err := m.result(c)
	blocked, _ := err.(*treelock.BlockedError[N])
	return blocked
}

// why tells what a request waits for. On the manager goroutine.
func (l *loop[N]) why(c *call[N], r *request[N], seq uint64) {
	if r.Seq() == seq && r.Waiting() {
		c.err = l.explain(r, nil, maxNamed)
	}
	c.answers <- accepted
}

func stateOf[N treelock.Node[N]](r *request[N]) treelock.State {
	if r.Granted() {
		return treelock.Holding
	}
	return treelock.Waiting
}
