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
	// Below, if there are any, leaves out the requests whose claims reach none of these nodes, and nothing below them.
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
	Seq    uint64              `json:"seq"` // its number in the order of arrival
	Label  string              `json:"label,omitempty"`
	State  treelock.State      `json:"state"`
	Since  time.Time           `json:"since"` // when it began to hold, or to wait
	Claims []treelock.Claim[N] `json:"claims"`
	Site   string              `json:"site,omitempty"` // where it was acquired, if the manager notes that

	// BlockedBy has the numbers of the earliest requests in the same snapshot that it waits for, and More is how many more of these
	// there are, at least. It may wait for others that the query left out.
	BlockedBy []uint64 `json:"blocked_by,omitempty"`
	More      int      `json:"more,omitempty"`
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

// maxNamed is how many blockers a snapshot names for each request that waits.
const maxNamed = 8

// Snapshot returns a picture of all live requests that q asks for, at one moment between the call and its return. What a request
// waits for is found out afterwards, on the caller's goroutine.
//
// The manager is not stopped: it looks at some hundred requests at a time, and at other messages in between, and remembers what they are
// about to change (as a garbage collector does that marks from a snapshot). So the time that it takes grows with the
// number of live requests, and others wait for some tens of microseconds at most: see BenchmarkSnapshot.
//
// The errors are those of the nodes in q (see [Manager.Acquire]), that of ctx, and [treelock.ErrStopped].
func (m *Manager[N]) Snapshot(ctx context.Context, q Query[N]) (*Snapshot[N], error) {
	s := &survey[N]{query: q, limit: q.Limit}
	for _, node := range q.Below {
		lineage, err := m.lineage(node)
		if err != nil {
			return nil, err
		}
		s.below = append(s.below, lineage)
	}
	if err := m.conduct(ctx, s); err != nil {
		return nil, err
	}
	return m.develop(s), nil
}

// conduct lets the manager take s to its end, step by step.
func (m *Manager[N]) conduct(ctx context.Context, s *survey[N]) error {
	c := m.emptyCall()
	c.about = s
	defer m.recycleAbout(c)
	over := false
	defer func() { // also if it is ctx that panics
		if !over {
			m.send(message[N]{kind: lookAway, call: &call[N]{about: s}})
		}
	}()
	for !over {
		if err := m.sendWithin(ctx, ctx.Done(), message[N]{kind: look, call: c}); err != nil {
			return err
		}
		if <-c.answers != accepted {
			return m.stopped()
		}
		over = s.over
	}
	return nil
}

// develop makes the picture of what s has seen.
func (m *Manager[N]) develop(s *survey[N]) *Snapshot[N] {
	waiters, holders := s.waiters.sorted(), s.holders.sorted()
	if s.limit > 0 {
		half := s.limit / 2
		keep := min(len(waiters), max(s.limit-len(holders), s.limit-half))
		waiters = waiters[:keep]
		holders = holders[:min(len(holders), s.limit-keep)]
	}
	picture := &Snapshot[N]{
		Taken: m.time(s.at), Stats: s.stats,
		Waiters: make([]Live[N], 0, len(waiters)), Holders: make([]Live[N], 0, len(holders)),
		LeftOut: s.matches - len(waiters) - len(holders),
	}
	replica := replicate(waiters, holders)
	for _, row := range waiters {
		live := m.describe(row)
		live.BlockedBy, live.More = replica.blockers(row)
		picture.Waiters = append(picture.Waiters, live)
	}
	for _, row := range holders {
		picture.Holders = append(picture.Holders, m.describe(row))
	}
	return picture
}

// describe describes one request.
func (m *Manager[N]) describe(row *sighting[N]) Live[N] {
	live := Live[N]{
		Seq: row.seq, Label: row.note.labelOf(), State: row.state, Since: m.time(row.since), Site: row.note.site(),
		Claims: []treelock.Claim[N]{},
	}
	for _, used := range row.places {
		for parts := used.Mode.Parts(); parts != 0; parts = parts.Rest() {
			if part := parts.First(); part.Claims() {
				live.Claims = append(live.Claims, claimOf(locktable.Used[N]{Node: used.Node, Mode: part}))
			}
		}
	}
	return live
}

// lineage returns node and all its ancestors.
func (m *Manager[N]) lineage(node N) ([]N, error) {
	if _, err := m.trace(nil, node, m.maxDepth); err != nil {
		return nil, err
	}
	return traceNode(nil, node, m.maxDepth) // of a Path the tracer leaves the ancestors to the manager
}

// A replica is a lock table that some of a manager's requests have arrived at again, in their order. So it knows who waits for
// whom, and nobody has to be asked: neither the manager, nor the nodes for their parents. In it each node is a tree of its own, and has
// a number.
type replica[N treelock.Node[N]] struct {
	table   *locktable.Table[int, uint64]
	waiters map[uint64]*locktable.Request[int, uint64]
	numbers map[N]int
}

// replicate returns a replica with the requests in both lists, which are in order.
func replicate[N treelock.Node[N]](waiters, holders []*sighting[N]) replica[N] {
	r := replica[N]{
		table:   locktable.New[int, uint64](0),
		waiters: make(map[uint64]*locktable.Request[int, uint64], len(waiters)),
		numbers: make(map[N]int),
	}
	for len(waiters) > 0 {
		next := &waiters
		if len(holders) > 0 && holders[0].seq < waiters[0].seq {
			next = &holders
		}
		row := (*next)[0]
		*next = (*next)[1:]
		request := r.table.Submit(row.seq, r.claims(row))
		if row.state == treelock.Waiting {
			r.waiters[row.seq] = request
		}
	}
	return r
}

// claims returns what row uses.
func (r replica[N]) claims(row *sighting[N]) (claims []locktable.Claim[int]) {
	for _, used := range row.places {
		number, ok := r.numbers[used.Node]
		if !ok {
			number = len(r.numbers)
			r.numbers[used.Node] = number
		}
		for parts := used.Mode.Parts(); parts != 0; parts = parts.Rest() {
			claims = append(claims, locktable.Claim[int]{Mode: parts.First(), Lineage: []int{number}})
		}
	}
	return claims
}

// blockers returns the numbers of those that a request that waits waits for, and how many more there are.
func (r replica[N]) blockers(row *sighting[N]) (seqs []uint64, more int) {
	more, _ = r.table.Blockers(r.waiters[row.seq], maxNamed, func(b *locktable.Request[int, uint64], _ locktable.Quarrel[int]) {
		seqs = append(seqs, b.Who)
	})
	return seqs, more
}
