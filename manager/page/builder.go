package page

import (
	"slices"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A request is a live request as the page shows it.
type request struct {
	Number     uint64
	Label      name
	Process    name // of another process; empty for this one
	Site       name
	Holds      bool
	Age        string
	Long       bool    // it has waited for long, or a request has waited for it for long
	Claims     []claim // only if it is shown outside of the tree
	MoreClaims int
	Shown      bool // in the tree

	// Of a request inside a grant, and of a widening: the grant. It is known by its number alone if
	// the snapshot lacks it.
	Inside, Widens *request

	// Of a holder that blocks requests.
	Behind  string // how many
	AtLeast bool   // there may be more of them
	First   string // how long the longest waiter among them has waited

	// Of a waiter.
	For        []*request // its earliest blockers
	MoreFor    int        // its other blockers
	ForAtLeast bool       // there may be more of them
}

type claim struct {
	Verb string
	Node name
}

// A viewBuilder builds a view from a snapshot.
type viewBuilder[N treelock.Node[N]] struct {
	snapshot *cutSnapshot[N]
	blockers []topBlocker[N]
	requests map[uint64]*request
}

func newViewBuilder[N treelock.Node[N]](s *cutSnapshot[N], filtered bool) *viewBuilder[N] {
	b := &viewBuilder[N]{
		snapshot: s,
		blockers: topBlockers(&s.Snapshot, filtered || s.LeftOut > 0),
		requests: make(map[uint64]*request, s.count()),
	}
	for live := range s.All() {
		r := newRequest(live, s.Taken)
		r.MoreClaims = s.moreClaims[live.Number]
		b.requests[live.Number] = r
	}
	for live := range s.All() {
		r := b.requests[live.Number]
		r.Inside, r.Widens = b.grant(live.Inside), b.grant(live.Widens)
	}
	for _, w := range s.Waiters {
		r := b.requests[w.Number]
		for _, blocker := range w.BlockedBy[:min(maxNamed, len(w.BlockedBy))] {
			r.For = append(r.For, b.requests[blocker])
		}
		r.MoreFor, r.ForAtLeast = len(w.BlockedBy)-len(r.For)+w.More, w.AtLeast
	}
	for _, top := range b.blockers {
		r, wait := b.requests[top.Number], s.Taken.Sub(top.first.Since)
		r.Behind, r.AtLeast = number(top.behind), top.atLeast
		r.First, r.Long = age(wait), wait >= longWait
	}
	return b
}

func newRequest[N treelock.Node[N]](live manager.RequestInfo[N], now time.Time) *request {
	lasted, holds := now.Sub(live.Since), live.State == treelock.Holding
	return &request{
		Number: live.Number, Label: nameOf(live.Label), Process: nameOf(live.Process), Site: nameOf(live.Site),
		Holds: holds, Age: ageOf(live, now), Long: !holds && lasted >= longWait,
	}
}

// ageOf returns how long a request has held or waited.
func ageOf[N treelock.Node[N]](live manager.RequestInfo[N], now time.Time) string {
	lasted := age(now.Sub(live.Since))
	if live.Older {
		return "over " + lasted
	}
	return lasted
}

// grant returns the grant with that number, or nil if that is 0.
func (b *viewBuilder[N]) grant(number uint64) *request {
	if r := b.requests[number]; r != nil || number == 0 {
		return r
	}
	return &request{Number: number, Holds: true}
}

// withClaims returns the request with its claims.
func (b *viewBuilder[N]) withClaims(live manager.RequestInfo[N]) *request {
	r := b.requests[live.Number]
	if r.Claims == nil {
		for _, c := range live.Claims {
			r.Claims = append(r.Claims, claim{c.Verb(), textOf(c.Node).name()})
		}
	}
	return r
}

// longCircles describes the possible circles whose requests have waited for long. A shorter wait
// behind a request with the same label is common, and ends by itself.
func (b *viewBuilder[N]) longCircles() (texts []string) {
	for _, circle := range b.snapshot.PossibleCircles {
		short := func(s manager.CircleStep) bool { r := b.requests[s.Number]; return !r.Holds && !r.Long }
		if !slices.ContainsFunc(circle, short) {
			texts = append(texts, circle.String())
		}
	}
	return texts
}

// choose returns at most limit requests for the tree: first the holders that block requests, then
// other holders, and the longest waiters. Holders and waiters get half of the limit each; a place
// that one half does not need goes to the other.
func (b *viewBuilder[N]) choose(limit int) []manager.RequestInfo[N] {
	var holders []manager.RequestInfo[N]
	for _, top := range b.blockers {
		holders = append(holders, top.RequestInfo)
	}
	for _, h := range b.snapshot.Holders {
		if b.requests[h.Number].Behind == "" {
			holders = append(holders, h)
		}
	}
	waiters := b.snapshot.Waiters
	room := min(len(holders), max(limit/2, limit-len(waiters)))
	return append(holders[:room:room], waiters[:min(len(waiters), limit-room)]...)
}

// tree returns the tree of these requests.
func (b *viewBuilder[N]) tree(requests []manager.RequestInfo[N]) *tree[N] {
	t := newTree[N]()
	for _, live := range requests {
		r := b.requests[live.Number]
		r.Shown = true
		t.add(r, live.Claims)
	}
	return t
}
