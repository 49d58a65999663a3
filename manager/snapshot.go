package manager

import (
	"context"
	"iter"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/terms"
)

// A Query selects what a snapshot shows. The zero Query selects everything.
type Query[N treelock.Node[N]] struct {
	// If Below is set, only requests with a claim on or below one of these nodes, or covering one,
	// are shown. Its length has no limit.
	Below []N

	// MinAge leaves out the requests that have held, or waited, for less.
	MinAge time.Duration

	// Limit is how many requests are shown at most. Half of them are the earliest waiting requests,
	// and half the earliest holding ones. What one half does not need is for the other. Zero and
	// negative mean no limit.
	Limit int
}

// A Snapshot shows a manager at one moment. It is a plain value, and has sensible JSON.
type Snapshot[N treelock.Node[N]] struct {
	Taken time.Time `json:"taken"`
	Stats Stats     `json:"stats"` // of all requests, whatever the query

	Holders []RequestInfo[N] `json:"holders"` // by arrival
	Waiters []RequestInfo[N] `json:"waiters"` // by arrival
	// Suspended shows the suspended subtrees, whatever the query.
	Suspended []Suspension[N] `json:"suspended,omitempty"`

	LeftOut int `json:"left_out,omitempty"` // selected requests beyond the limit

	// PossibleCircles shows some circles that may exist among the requests that are shown.
	PossibleCircles []PossibleCircle `json:"possible_circles,omitempty"`
}

// RequestInfo describes a live request: it holds or waits. A widening that waits has a RequestInfo
// of its own, with the label of its grant.
type RequestInfo[N treelock.Node[N]] struct {
	Number uint64         `json:"number"` // its place in the order of arrival
	Label  string         `json:"label,omitempty"`
	State  treelock.State `json:"state"`

	// Since is when it began to hold, or to wait. For a request of another process that did so
	// before this process began to see that, it is when the request was made, by the clock of its
	// process: then a holder may have waited for a part of the time.
	Since time.Time `json:"since"`

	Claims []treelock.Claim[N] `json:"claims"`
	Inside uint64              `json:"inside,omitempty"` // the number of the grant that it is inside
	Widens uint64              `json:"widens,omitempty"` // the number of the grant that it widens
	Site   string              `json:"site,omitempty"`   // where it was made, with SlowLog.Sites
	Tag    any                 `json:"-"`                // that of the request, see Request.Tagged

	// Process is the name of the process that has made the request, if it is another one: see
	// package manager/cluster.
	Process string `json:"process,omitempty"`

	// Older is set if a request of another process has held, or waited, for longer than since
	// Since, and it is not known for how long: Since is when this manager first saw it, and the log
	// has no time of it.
	Older bool `json:"older,omitempty"`

	// Token is the fencing token of the request, which is its place in the order of all processes:
	// see package manager/cluster. A request that waits has it already. It is 0 for a request inside
	// a grant, and in a manager of one process.
	Token uint64 `json:"token,omitempty"`

	// BlockedBy has the numbers of the earliest requests in the same snapshot that the request
	// waits for. More is how many more there are; with AtLeast, there may be more than that. The
	// request may also wait for requests that the query left out.
	BlockedBy []uint64 `json:"blocked_by,omitempty"`
	More      int      `json:"more,omitempty"`
	AtLeast   bool     `json:"at_least,omitempty"`
}

// All returns an iterator over the requests, those that wait first.
func (s *Snapshot[N]) All() iter.Seq[RequestInfo[N]] {
	return func(yield func(RequestInfo[N]) bool) {
		for _, requests := range [][]RequestInfo[N]{s.Waiters, s.Holders} {
			for _, r := range requests {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// Snapshot returns all live requests that q selects, at one moment between the call and its return.
//
// The manager is not stopped. It visits some hundred requests at a time, handles other messages in
// between, and records requests before they change, as a garbage collector does that marks from a
// snapshot. So other requests wait for some tens of microseconds at a time, while the time of the
// whole grows with the number of live requests: see BenchmarkSnapshot in manager/bench. The
// caller's goroutine then computes what each request waits for. One snapshot is taken at a time.
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
		s.reach = locktable.NewRegion(lineages...)
	}
	if o := m.runSurvey(ctx.Done(), s); o != outcomeSent {
		return nil, m.unsentErr(o, ctx)
	}
	return m.buildSnapshot(ctx, s)
}

// ctxCheckInterval is how many requests buildSnapshot handles without checking its context.
const ctxCheckInterval = 256

// buildSnapshot makes a snapshot from a survey that is over. On the client's goroutine.
func (m *Manager[N]) buildSnapshot(ctx context.Context, s *survey[N]) (*Snapshot[N], error) {
	waiters, holders := s.waiters.sorted(), s.holders.sorted()
	// Each list has at most limit rows by now. The waiters get what the holders leave, and the
	// reverse.
	if s.limit > 0 {
		half := s.limit / 2
		keep := min(len(waiters), max(s.limit-len(holders), s.limit-half))
		waiters = waiters[:keep]
		holders = holders[:min(len(holders), s.limit-keep)]
	}
	snapshot := &Snapshot[N]{
		Taken:     m.time(s.began),
		Stats:     s.stats,
		Waiters:   make([]RequestInfo[N], len(waiters)),
		Holders:   make([]RequestInfo[N], len(holders)),
		Suspended: s.suspended,

		LeftOut: s.matches - len(waiters) - len(holders),
	}
	// All requests must be in the queues before the first search for blockers. Both loops check the
	// context, as a snapshot may show very many requests.
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
		snapshot.Holders[i] = m.infoOf(row)
	}
	for i, row := range waiters {
		if i%ctxCheckInterval == 0 && ctx.Err() != nil {
			return nil, contextError(ctx)
		}
		info := m.infoOf(row)
		info.BlockedBy, info.More, info.AtLeast = queues.blockers(row)
		snapshot.Waiters[i] = info
	}
	snapshot.PossibleCircles = snapshot.possibleCircles()
	return snapshot, nil
}

// infoOf returns what a snapshot shows of one request, but for its blockers.
func (m *Manager[N]) infoOf(row *row[N]) RequestInfo[N] {
	return RequestInfo[N]{
		Number:  row.seq,
		Label:   row.meta.labelOf(),
		Tag:     row.meta.tagOf(),
		Process: row.meta.processOf(),
		Token:   row.token,
		State:   row.state,
		Since:   m.time(row.since),
		Older:   row.meta.isOlder(),
		Inside:  row.inside,
		Widens:  row.widens,
		Site:    row.meta.site(),
		Claims:  row.claims(),
	}
}

// claims returns the claims of a request. A node use has the modes of all claims of the request at
// one node, and those of the intentions of claims below. Only the claims are returned, one for each
// mode.
func (r *row[N]) claims() []treelock.Claim[N] {
	claims := []treelock.Claim[N]{}
	for _, used := range r.uses {
		for parts := used.Mode.Parts(); parts != 0; parts = parts.WithoutFirst() {
			if part := parts.First(); part.Claims() {
				claims = append(claims, terms.ClaimOf(used.Node, part))
			}
		}
	}
	return claims
}
