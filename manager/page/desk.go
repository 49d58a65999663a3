package page

import (
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A request is a live request as the page shows it.
type request struct {
	Seq        uint64
	Label      name
	Site       name
	Holds      bool
	Age        string
	Long       bool    // it has waited for long, or keeps somebody waiting for long
	Claims     []claim // of one that is shown apart from the tree
	MoreClaims int
	Shown      bool // in the tree

	// Of one that holds and holds up others.
	Behind  string // how many
	AtLeast bool
	First   string // how long the first of them has waited

	// Of one that waits.
	For        []*request // the first ones that it waits for
	MoreFor    int
	ForAtLeast bool // there may be more than MoreFor
}

type claim struct {
	Verb string
	Node name
}

// A desk is where a view is made from a snapshot.
type desk[N treelock.Node[N]] struct {
	snapshot *picture[N]
	culprits []culprit[N]
	requests map[uint64]*request
}

func newDesk[N treelock.Node[N]](s *picture[N], filtered bool) *desk[N] {
	d := &desk[N]{s, culprits(&s.Snapshot, filtered || s.LeftOut > 0), make(map[uint64]*request, len(s.Holders)+len(s.Waiters))}
	for live := range s.All() {
		d.requests[live.Number] = requestOf(live, s.Taken)
		d.requests[live.Number].MoreClaims = s.moreClaims[live.Number]
	}
	for _, w := range s.Waiters {
		r := d.requests[w.Number]
		for _, seq := range w.BlockedBy[:min(mostNamed, len(w.BlockedBy))] {
			r.For = append(r.For, d.requests[seq])
		}
		r.MoreFor, r.ForAtLeast = len(w.BlockedBy)-len(r.For)+w.More, w.AtLeast
	}
	for _, c := range d.culprits {
		r, wait := d.requests[c.Number], s.Taken.Sub(c.first.Since)
		r.Behind, r.AtLeast, r.First, r.Long = count(c.behind), c.atLeast, ago(wait), wait >= long
	}
	return d
}

func requestOf[N treelock.Node[N]](live manager.Live[N], now time.Time) *request {
	age := now.Sub(live.Since)
	r := &request{
		Seq: live.Number, Label: nameOf(live.Label), Site: nameOf(live.Site),
		Holds: live.State == treelock.Holding, Age: ago(age),
	}
	r.Long = !r.Holds && age >= long
	return r
}

// inFull returns a request with its claims, whose nodes it asks for their names.
func (d *desk[N]) inFull(live manager.Live[N]) *request {
	r := d.requests[live.Number]
	if r.Claims == nil {
		for _, c := range live.Claims {
			r.Claims = append(r.Claims, claim{c.Verb(), textOf(c.Node).name()})
		}
	}
	return r
}

// choose returns the requests that the tree has room for: of those that hold first those that hold up others, and of those that wait the
// ones that have waited for longest. Each kind has half of the room, and what the other does not need.
func (d *desk[N]) choose(limit int) (chosen []manager.Live[N]) {
	var holders []manager.Live[N]
	for _, c := range d.culprits {
		holders = append(holders, c.Live)
	}
	for _, h := range d.snapshot.Holders {
		if d.requests[h.Number].Behind == "" {
			holders = append(holders, h)
		}
	}
	waiters := d.snapshot.Waiters
	room := min(len(holders), max(limit/2, limit-len(waiters)))
	chosen = append(chosen, holders[:room]...)
	return append(chosen, waiters[:min(len(waiters), limit-room)]...)
}

// tree returns the tree with the requests that were chosen.
func (d *desk[N]) tree(chosen []manager.Live[N]) *tree[N] {
	t := newTree[N]()
	for _, live := range chosen {
		r := d.requests[live.Number]
		r.Shown = true
		t.add(r, live.Claims)
	}
	return t
}
