package manager

import (
	"context"
	"iter"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

// A Query says what a snapshot is to show. The zero Query shows everything.
type Query[N treelock.Node[N]] struct {
	// If Below is set, only requests with a claim on or below one of these nodes, or covering one,
	// are shown. Its length has no limit.
	Below []N

	// MinAge leaves out the requests that have held, or waited, for less.
	MinAge time.Duration

	// Limit is how many requests are shown at most. Half of them are those that have waited for longest, the other half the
	// earliest of those that hold; what one half does not need is for the other. Zero and negative mean no limit.
	Limit int
}

// A Snapshot is a picture of a manager at one moment. It is a plain value, and has sensible JSON.
type Snapshot[N treelock.Node[N]] struct {
	Taken time.Time `json:"taken"`
	Stats Stats     `json:"stats"` // of all requests, whatever the query

	Holders []Live[N] `json:"holders"`            // by arrival
	Waiters []Live[N] `json:"waiters"`            // by arrival
	LeftOut int       `json:"left_out,omitempty"` // how many more fit the query, but for its limit
}

// Live is a request that is live: it holds or waits.
type Live[N treelock.Node[N]] struct {
	Number uint64              `json:"number"` // its place in the order of arrival
	Label  string              `json:"label,omitempty"`
	State  treelock.State      `json:"state"`
	Since  time.Time           `json:"since"` // when it began to hold, or to wait
	Claims []treelock.Claim[N] `json:"claims"`
	Site   string              `json:"site,omitempty"` // where it was acquired, if the manager notes that

	// BlockedBy has the numbers of the earliest requests in the same snapshot that it waits for, and More is how many more of these
	// there are; at least so many, if AtLeast says so. It may wait for others that the query left out.
	BlockedBy []uint64 `json:"blocked_by,omitempty"`
	More      int      `json:"more,omitempty"`
	AtLeast   bool     `json:"at_least,omitempty"`
}

// All returns an iterator over the requests, those that wait first.
func (s *Snapshot[N]) All() iter.Seq[Live[N]] {
	return func(yield func(Live[N]) bool) {
		for _, requests := range [][]Live[N]{s.Waiters, s.Holders} {
			for _, r := range requests {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// Snapshot returns a picture of all live requests that q asks for, at one moment between the call and its return. What a request
// waits for is found out afterwards, on the caller's goroutine.
//
// The manager is not stopped: it looks at some hundred requests at a time, and at other messages in between, and remembers what they are
// about to change (as a garbage collector does that marks from a snapshot). So the time that it takes grows with the
// number of live requests, and others wait for some tens of microseconds at a time: see BenchmarkSnapshot. One snapshot is taken after the
// other.
//
// The errors are those of the nodes in q (see [Manager.Acquire]), that of ctx, and
// [treelock.ErrStopped]. If ctx ends, Snapshot returns at once, also while the manager is busy.
func (m *Manager[N]) Snapshot(ctx context.Context, q Query[N]) (*Snapshot[N], error) {
	s := &survey[N]{minAge: q.MinAge, limit: q.Limit}
	var lineages [][]N
	for _, node := range q.Below {
		lineage, err := m.wholeLineage(node)
		if err != nil {
			return nil, err
		}
		lineages = append(lineages, lineage)
	}
	if len(lineages) > 0 {
		s.reach = locktable.NewReach(lineages...)
	}
	if o := m.runSurvey(ctx.Done(), s); o != outcomeSent {
		return nil, m.unsentErr(o, ctx)
	}
	return m.buildSnapshot(ctx, s)
}

// conduct lets the manager take s to its end, step by step, when those before it are at theirs. While
// it has the token no code of the user's runs, so ended is the Done channel of the client's context.
func (m *Manager[N]) runSurvey(ended <-chan struct{}, s *survey[N]) outcome {
	select {
	case m.snapshotSem <- struct{}{}:
		defer func() { <-m.snapshotSem }()
	case <-ended:
		return outcomeCanceled
	case <-m.done:
		return outcomeStopped
	}
	c := m.emptyCall()
	c.inspector = s
	for !s.over {
		if o := m.sendWithin(ended, message[N]{kind: kindInspect, call: c}); o != outcomeSent {
			m.recycle(c)
			m.abandonSurvey(s)
			return o
		}
		select {
		case v := <-c.replies:
			if v != verdictDone {
				return outcomeStopped
			}
		case <-ended: // c and s stay with the manager, which may be about to answer
			m.abandonSurvey(s)
			return outcomeCanceled
		}
	}
	m.recycle(c)
	return outcomeSent
}

// leave ends a survey that may be under way, whose client does not look at it again.
func (m *Manager[N]) abandonSurvey(s *survey[N]) {
	m.post(message[N]{kind: kindInspect, call: &call[N]{inspector: surveyEnd[N]{s}, replies: make(chan verdict, 1)}})
}

// develop makes the picture of what s has seen.
func (m *Manager[N]) buildSnapshot(ctx context.Context, s *survey[N]) (*Snapshot[N], error) {
	waiters, holders := s.waiters.sorted(), s.holders.sorted()
	if s.limit > 0 {
		half := s.limit / 2
		keep := min(len(waiters), max(s.limit-len(holders), s.limit-half))
		waiters = waiters[:keep]
		holders = holders[:min(len(holders), s.limit-keep)]
	}
	picture := &Snapshot[N]{
		Taken: m.time(s.at), Stats: s.stats,
		Waiters: make([]Live[N], len(waiters)), Holders: make([]Live[N], len(holders)),
		LeftOut: s.matches - len(waiters) - len(holders),
	}
	queues := make(nodeQueues[N])
	for _, rows := range [][]*row[N]{waiters, holders} {
		for i, row := range rows {
			if i%ctxCheckInterval == 0 && ctx.Err() != nil {
				return nil, contextError(ctx)
			}
			queues.add(row)
		}
	}
	for i, row := range holders {
		picture.Holders[i] = m.infoOf(row)
	}
	for i, row := range waiters {
		if i%ctxCheckInterval == 0 && ctx.Err() != nil {
			return nil, contextError(ctx)
		}
		live := m.infoOf(row)
		live.BlockedBy, live.More, live.AtLeast = queues.blockers(row)
		picture.Waiters[i] = live
	}
	return picture, nil
}

// enough is after how many requests a client looks at its context again.
const ctxCheckInterval = 256

// describe describes one request.
func (m *Manager[N]) infoOf(row *row[N]) Live[N] {
	live := Live[N]{
		Number: row.seq, Label: row.meta.labelOf(), State: row.state, Since: m.time(row.since), Site: row.meta.site(),
		Claims: []treelock.Claim[N]{},
	}
	for _, used := range row.places {
		for parts := used.Mode.Parts(); parts != 0; parts = parts.Rest() {
			if part := parts.First(); part.Claims() {
				live.Claims = append(live.Claims, locktable.ClaimOf(locktable.Used[N]{Node: used.Node, Mode: part}))
			}
		}
	}
	return live
}

// lineage returns node and all its ancestors.
func (m *Manager[N]) wholeLineage(node N) ([]N, error) {
	if _, err := m.appendLineage(nil, node, &m.options); err != nil {
		return nil, err
	}
	return nodeLineage(nil, node, &m.options) // of a Path the tracer leaves the ancestors to the manager
}
