package locktable

import (
	"cmp"
	"slices"

	"github.com/treelock/treelock/waitqueue"
)

// A Quarrel is a pair of claims that conflict, because of which one request waits for another.
type Quarrel[N comparable] struct {
	Claim  Used[N] // of the one that is in the way
	Wanted Used[N] // of the one that waits
}

// Used is a node that a request uses, and its mode there.
type Used[N comparable] struct {
	Node N
	Mode waitqueue.Mode
}

// Blockers bounds.
const (
	// maxFound is how many blockers are counted, as each takes some 10 ns to be found.
	maxFound = 64

	// maxLooks is how many requests are looked at to find them. It takes some 10 µs, at the worst 100, when nothing of it is in
	// the processor's cache. A request with very many places counts for more than one.
	maxLooks   = 1024
	placesLook = 32
)

// Blockers calls visit for requests that r waits for, at most limit, with the reason for each, the earliest first. It returns how many more
// there are, and whether those are all. Then it has visited the earliest of all; else there may be others, earlier ones too: there are
// very many, or they are hidden among very many. It takes bounded time.
func (t *Table[N, W]) Blockers(r *Request[N, W], limit int, visit func(blocker *Request[N, W], why Quarrel[N])) (more int, all bool) {
	s := search[N, W]{table: t, request: r, looks: maxLooks}
	for i := range r.places {
		if p := &r.places[i]; p.waiting {
			s.at(p)
		}
	}
	slices.SortFunc(s.found, func(a, b rival[N, W]) int { return cmp.Compare(a.request.seq, b.request.seq) })
	named := s.found[:min(limit, len(s.found))]
	for _, f := range named {
		visit(f.request, r.quarrel(f.request, f.at))
	}
	return len(s.found) - len(named), !s.cut
}

// A search is for the requests that one of them waits for.
type search[N comparable, W any] struct {
	table   *Table[N, W]
	request *Request[N, W]
	found   []rival[N, W]
	looks   int  // that are left
	cut     bool // not all were found
}

// A rival is a request that was found to be in the way, at a place of the one that waits.
type rival[N comparable, W any] struct {
	request *Request[N, W]
	at      *place[N, W]
}

// at finds those that the request waits for at p.
func (s *search[N, W]) at(p *place[N, W]) {
	for l := p.node.claimed; l != nil && s.look(); l = l.next {
		s.add(l.request, p, waitqueue.AllModes)
	}
	const below = 1<<waitqueue.IR | 1<<waitqueue.IW
	rivals := p.mode.Rivals() & below
	for rest := rivals; rest != 0; rest = rest.Rest() {
		for e := range p.node.queue.Waiting(1 << rest.First()) {
			if e.Seq() > s.request.seq || !s.look() {
				break
			}
			s.add(e.Request().request, p, rivals)
		}
	}
	s.below(p, rivals)
}

// below finds those that claim something below p, and so are admitted there. The node only knows their number, so they are
// looked for among all requests.
func (s *search[N, W]) below(p *place[N, W], rivals waitqueue.Modes) {
	left := 0
	for rest := rivals; rest != 0; rest = rest.Rest() {
		left += p.node.queue.Admitted(rest.First())
	}
	for _, r := range s.table.storage.requests {
		if left == 0 || !s.look() {
			return
		}
		if r.seq == 0 {
			continue
		}
		if q := s.add(r, p, rivals); q != nil && !q.waiting {
			left--
		}
	}
}

// look reports whether one more request may be looked at.
func (s *search[N, W]) look() bool {
	if s.looks <= 0 || len(s.found) == maxFound {
		s.cut = true
		return false
	}
	s.looks--
	return true
}

// add adds r to those found if it is in the way at p, in one of modes, and returns its place there; else nil.
func (s *search[N, W]) add(r *Request[N, W], p *place[N, W], modes waitqueue.Modes) *place[N, W] {
	if r.seq >= s.request.seq {
		return nil
	}
	s.looks -= len(r.places) / placesLook
	q := r.placeAt(p.node)
	if q == nil || !modes.Has(q.mode) || !q.mode.Conflicts(p.mode) {
		return nil
	}
	if !slices.ContainsFunc(s.found, func(f rival[N, W]) bool { return f.request == r }) {
		s.found = append(s.found, rival[N, W]{r, p})
	}
	return q
}

// placeAt returns r's place at n, or nil.
func (r *Request[N, W]) placeAt(n *node[N, W]) *place[N, W] {
	for i := range r.places {
		if p := &r.places[i]; p.node == n {
			return p
		}
	}
	return nil
}

// quarrel returns why r waits for b at p, a place of r.
func (r *Request[N, W]) quarrel(b *Request[N, W], p *place[N, W]) Quarrel[N] {
	theirs, ours := reason(b.placeAt(p.node).mode, p.mode)
	return Quarrel[N]{b.claimBehind(p.node, theirs), r.claimBehind(p.node, ours)}
}

// reason returns simple modes, of which a and b are made, that conflict.
func reason(a, b waitqueue.Mode) (ofA, ofB waitqueue.Mode) {
	for as := a.Parts(); as != 0; as = as.Rest() {
		for bs := b.Parts(); bs != 0; bs = bs.Rest() {
			if as.First().Conflicts(bs.First()) {
				return as.First(), bs.First()
			}
		}
	}
	panic("BUG: treelock: a blocker that does not block")
}

// claimBehind returns the claim because of which r is at n in mode, among others: that of n, or one of something below.
func (r *Request[N, W]) claimBehind(n *node[N, W], mode waitqueue.Mode) (claim Used[N]) {
	if mode.Claims() {
		return Used[N]{n.name, mode}
	}
	steps := maxLooks
	for i := range min(len(r.places), maxLooks) {
		p := &r.places[i]
		for parts := p.mode.Parts(); parts != 0; parts = parts.Rest() {
			part := parts.First()
			if !part.Claims() || part.Intention() != mode {
				continue
			}
			claim = Used[N]{p.node.name, part}
			if p.node != n && p.node.isBelow(n, &steps) {
				return claim
			}
		}
	}
	return claim // as far as is known
}

// isBelow reports whether the way up from n leads to other, as far as so many steps lead. It looks where parents were found the last time.
func (n *node[N, W]) isBelow(other *node[N, W], steps *int) bool {
	for ; n != nil && *steps > 0; *steps-- {
		if n == other {
			return true
		}
		n = n.up
	}
	return false
}

// Width returns the number of nodes that r claims and of their ancestors.
func (r *Request[N, W]) Width() int { return len(r.places) }

// Places returns how r uses each node that it claims, and each of their ancestors.
func (r *Request[N, W]) Places() []Used[N] {
	places := make([]Used[N], len(r.places))
	for i := range r.places {
		places[i] = Used[N]{r.places[i].node.name, r.places[i].mode}
	}
	return places
}
