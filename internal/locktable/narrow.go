package locktable

import (
	"cmp"
	"slices"

	"github.com/treelock/treelock/waitqueue"
)

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
	t.plan++
	uses := t.planClaims(nil, claims)
	if !t.findRequeued(r, uses) {
		for i := range uses {
			t.nodes.maybeIdle(uses[i].node) // if the plan has added it
		}
		return nil, false
	}
	t.beforeChange(r, false)
	// First in with the new, then out with the old: so nobody slips in between.
	for i := range uses {
		uses[i].node.queue.Hold(uses[i].mode)
	}
	t.requeueAll()
	t.unlistClaims(r)
	old := r.uses
	r.uses = uses
	t.listClaims(r, true)
	t.uses += len(uses)
	t.leave(old)
	return t.granted, true
}

// A revocation is a place of a request, which waits elsewhere, where it was admitted and has to wait now.
type requeued[N comparable, W any] struct {
	request *Request[N, W]
	use     int
}

// findRevoked sets the modes of planned, the places of the latest plan, finds the places of others that keep out r there, and
// leaves them in t.revoked. It reports whether all are of requests that came later and wait for what r holds.
//
// What r holds conflicts with each of these requests, so they wait at one of the nodes where it is now. That is
// where they are looked for, since the queues at the nodes of the plan know only how many they are.
func (t *Table[N, W]) findRequeued(r *Request[N, W], planned []nodeUse[N, W]) bool {
	t.requeued = reuse(t.requeued)
	conflicting := 0
	for i := range planned {
		use := &planned[i]
		use.mode = use.node.modes.Combined()
		admitted, earliest := use.node.queue.Rivals(use.mode)
		if earliest < r.seq {
			return false
		}
		conflicting += admitted
	}
	for i := range r.uses {
		if t.conflictsWithPlan(&r.uses[i]) {
			conflicting-- // r itself
		}
	}
	if conflicting == 0 {
		return true
	}
	for _, w := range t.waitersFor(r) {
		for i := range w.uses {
			if use := &w.uses[i]; !use.waiting && t.conflictsWithPlan(use) {
				t.requeued = append(t.requeued, requeued[N, W]{w, i})
			}
		}
	}
	return len(t.requeued) == conflicting
}

// keepsOut reports whether p, where its request is admitted, conflicts with the latest plan.
func (t *Table[N, W]) conflictsWithPlan(use *nodeUse[N, W]) bool {
	return use.node.plan == t.plan && use.mode.Conflicts(use.node.modes.Combined())
}

// waitersFor returns the requests that came later than r and wait at a node where r is, for r or for others. The
// latest come first.
func (t *Table[N, W]) waitersFor(r *Request[N, W]) (waiters []*Request[N, W]) {
	for i := range r.uses {
		use := &r.uses[i]
		for e := range use.node.queue.Waiting(use.mode.Rivals()) {
			if e.Seq() > r.seq {
				waiters = append(waiters, e.Request().request)
			}
		}
	}
	slices.SortFunc(waiters, func(a, b *Request[N, W]) int { return cmp.Compare(b.seq, a.seq) })
	return slices.Compact(waiters)
}

// revoke makes those in t.revoked wait.
func (t *Table[N, W]) requeueAll() {
	for _, requeued := range t.requeued {
		r := requeued.request
		w, use := t.newWait(r, requeued.use), &r.uses[requeued.use]
		use.waiting = true
		use.node.queue.Revoke(&w.entry, w, r.seq, use.mode)
		r.blocked++
	}
	t.requeued = reuse(t.requeued)
}

// holds reports whether each of claims lies inside what r holds.
func (t *Table[N, W]) holds(r *Request[N, W], claims []Claim[N]) bool {
	t.plan++
	for i := range r.uses {
		use := &r.uses[i]
		use.node.plan, use.node.modes = t.plan, use.mode.Parts()
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
	for i, name, ok := 0, claim.Lineage[0], true; ok; i++ {
		if n := t.nodes.find(name); n != nil && n.plan == t.plan {
			if n.modes.Has(waitqueue.TW) || n.modes.Has(waitqueue.TR) && !writes {
				return true
			}
			if i == 0 && (n.modes.Has(claim.Mode) || n.modes.Has(waitqueue.NW) && claim.Mode == waitqueue.NR) {
				return true
			}
		}
		name, ok = t.nodes.parentName(name, claim.Lineage, i)
	}
	return false
}
