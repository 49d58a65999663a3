package locktable

import "github.com/treelock/treelock/waitqueue"

// Narrow makes r, which must be granted, hold claims instead of what it held, and returns the requests
// that are granted by that. The slice is valid until the next call. It returns false and changes
// nothing if r does not hold all of claims. The sequence number stays.
//
// No request loses what it has been granted: what conflicts with claims conflicts with what r held
// before, so it is waiting, and goes on waiting. That is so if nodes do not move while they are claimed. If one
// has moved, so that somebody else holds it or has been waiting for it for longer, Narrow refuses as well.
func (t *Table[N, W]) Narrow(r *Request[N, W], claims []Claim[N]) (granted []*Request[N, W], ok bool) {
	if !r.Granted() {
		panic("BUG: treelock: narrowing of a request that is not granted")
	}
	t.granted = reuse(t.granted)
	if !t.holds(r, claims) {
		return nil, false
	}
	t.planClaims(claims)
	if !t.unrivalled(r) {
		t.dropPlan()
		return nil, false
	}
	// First in with the new, then out with the old: so nobody slips in between.
	old := r.places
	r.places = makePlaces[N, W](nil, t.countPlaces())
	t.places += len(r.places)
	t.hold(r)
	t.leave(old)
	return t.granted, true
}

// unrivalled reports whether whoever conflicts with r at the nodes of the latest plan came later and waits.
func (t *Table[N, W]) unrivalled(r *Request[N, W]) bool {
	for _, n := range t.planned {
		for modes := n.modes; modes != 0; modes = modes.Rest() {
			for rival := range n.queue.Rivals(r.seq, modes.First()) {
				if rival.Seq() < r.seq || rival.Request().Granted() {
					return false
				}
			}
		}
	}
	return true
}

// dropPlan lets go of the latest plan, for which nobody has been queued.
func (t *Table[N, W]) dropPlan() {
	for _, n := range t.planned {
		if n.queue.Empty() && !n.idle { // the plan has added it
			t.nodes.becomeIdle(n)
		}
	}
	t.planned = reuse(t.planned)
}

// hold queues r, admitted, at the nodes of the latest plan.
func (t *Table[N, W]) hold(r *Request[N, W]) {
	i := 0
	for _, n := range t.planned {
		t.nodes.becomeBusy(n)
		for modes := n.modes; modes != 0; modes = modes.Rest() {
			p := &r.places[i]
			p.node = n
			t.stirred = n.queue.Hold(&p.entry, r, r.seq, modes.First(), reuse(t.stirred))
			for _, revoked := range t.stirred {
				revoked.blocked++
			}
			i++
		}
	}
	t.planned = reuse(t.planned)
}

// holds reports whether each of claims lies inside what r holds.
func (t *Table[N, W]) holds(r *Request[N, W], claims []Claim[N]) bool {
	t.plan++
	for i := range r.places {
		p := &r.places[i]
		if p.node.plan != t.plan {
			p.node.plan, p.node.modes = t.plan, 0
		}
		p.node.modes = p.node.modes.With(p.entry.Mode())
	}
	for _, claim := range claims {
		if !t.holdsClaim(claim) {
			return false
		}
	}
	return true
}

// holdsClaim reports whether claim lies inside what the request holds whose modes the nodes with the
// latest plan's number carry. It does if some one mode there covers it: no number of single nodes makes up
// a subtree, since nobody knows what is in one.
func (t *Table[N, W]) holdsClaim(claim Claim[N]) bool {
	writes := claim.Mode.Intention() == waitqueue.IW
	var below *node[N, W]
	for i, name := range claim.Lineage {
		n := t.nodes.find(name, below)
		if n != nil && n.plan == t.plan {
			if n.modes.Has(waitqueue.TW) || n.modes.Has(waitqueue.TR) && !writes {
				return true
			}
			if i == 0 && (n.modes.Has(claim.Mode) || n.modes.Has(waitqueue.NW) && claim.Mode == waitqueue.NR) {
				return true
			}
		}
		below = n
	}
	return false
}
