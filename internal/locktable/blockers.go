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
	// the processor's cache.
	maxLooks = 1024
)

// Blockers returns the earliest requests that r waits for, at most limit, how many more there are, and whether those are all:
// there may be others if there are very many, or hidden among very many. See [Request.Quarrel] for the reason. It takes bounded time.
func (t *Table[N, W]) Blockers(r *Request[N, W], limit int) (blockers []*Request[N, W], more int, all bool) {
	s := search[N, W]{table: t, request: r, looks: maxLooks}
	for i := range r.places {
		if p := &r.places[i]; p.waiting {
			s.at(p)
		}
	}
	slices.SortFunc(s.found, func(a, b *Request[N, W]) int { return cmp.Compare(a.seq, b.seq) })
	found := slices.Compact(s.found)
	blockers = found[:min(limit, len(found))]
	return blockers, len(found) - len(blockers), !s.cut
}

// A search is for the requests that one of them waits for.
type search[N comparable, W any] struct {
	table   *Table[N, W]
	request *Request[N, W]
	found   []*Request[N, W] // one perhaps several times
	looks   int              // that are left
	cut     bool             // not all were found
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
		if r.seq != 0 && s.add(r, p, rivals) && !r.placeAt(p.node).waiting {
			left--
		}
	}
}

// look reports whether one more request may be looked at.
func (s *search[N, W]) look() bool {
	if s.looks == 0 || len(s.found) == maxFound {
		s.cut = true
		return false
	}
	s.looks--
	return true
}

// add adds r to those found if it is in the way at p, in one of modes.
func (s *search[N, W]) add(r *Request[N, W], p *place[N, W], modes waitqueue.Modes) bool {
	if r.seq >= s.request.seq {
		return false
	}
	q := r.placeAt(p.node)
	if q == nil || !modes.Has(q.mode) || !q.mode.Conflicts(p.mode) {
		return false
	}
	s.found = append(s.found, r)
	return true
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

// Quarrel returns why r waits for b, which is one of its blockers.
func (r *Request[N, W]) Quarrel(b *Request[N, W]) Quarrel[N] {
	for i := range r.places {
		p := &r.places[i]
		q := b.placeAt(p.node)
		if !p.waiting || q == nil {
			continue
		}
		if theirs, ours, ok := quarrel(q.mode, p.mode); ok {
			return Quarrel[N]{b.claimBehind(p.node, theirs), r.claimBehind(p.node, ours)}
		}
	}
	panic("BUG: treelock: a blocker that does not block")
}

// quarrel returns simple modes, of which a and b are made, that conflict.
func quarrel(a, b waitqueue.Mode) (ofA, ofB waitqueue.Mode, ok bool) {
	for as := a.Parts(); as != 0; as = as.Rest() {
		for bs := b.Parts(); bs != 0; bs = bs.Rest() {
			if as.First().Conflicts(bs.First()) {
				return as.First(), bs.First(), true
			}
		}
	}
	return 0, 0, false
}

// claimBehind returns the claim because of which r is at n in mode, among others: that of n, or one of something below.
func (r *Request[N, W]) claimBehind(n *node[N, W], mode waitqueue.Mode) (claim Used[N]) {
	if mode.Claims() {
		return Used[N]{n.name, mode}
	}
	for i := range min(len(r.places), maxLooks) {
		p := &r.places[i]
		for parts := p.mode.Parts(); parts != 0; parts = parts.Rest() {
			part := parts.First()
			if !part.Claims() || part.Intention() != mode {
				continue
			}
			claim = Used[N]{p.node.name, part}
			if p.node != n && p.node.isBelow(n) {
				return claim
			}
		}
	}
	return claim // as far as is known
}

// isBelow reports whether the way up from n leads to other. It looks where parents were found the last time.
func (n *node[N, W]) isBelow(other *node[N, W]) bool {
	for steps := 0; n != nil && steps < maxLooks; steps++ {
		if n == other {
			return true
		}
		n = n.up
	}
	return false
}

// Places returns how r uses each node that it claims, and each of their ancestors.
func (r *Request[N, W]) Places() []Used[N] {
	places := make([]Used[N], len(r.places))
	for i := range r.places {
		places[i] = Used[N]{r.places[i].node.name, r.places[i].mode}
	}
	return places
}
