package locktable

import (
	"cmp"
	"slices"
)

// Narrow makes r, which must be granted and have no widening, hold claims instead of what it held,
// and returns the requests that become granted. The slice is valid until the next call. Narrow
// returns false and changes nothing if r does not hold all of claims. The sequence number stays.
//
// No grant is taken back: what conflicts with claims also conflicts with what r held, so it waits,
// and goes on waiting. That holds as long as nodes do not move while they are claimed. If a node
// has moved, and another request holds it or came to it earlier, Narrow returns false as well.
func (t *Table[N, W]) Narrow(r *Request[N, W], claims []Claim[N]) (granted []*Request[N, W], ok bool) {
	if !r.Granted() || r.partner != nil {
		panic("BUG: treelock: Narrow of a request that is not granted, or that widens")
	}
	t.forgetGranted()
	if !t.Holds(r, claims) {
		return nil, false
	}
	// Holds has marked nodes with its own number. The plan for the new node uses needs another.
	t.plan++
	if !t.replace(r, t.planClaims(nil, claims)) {
		return nil, false
	}
	return t.granted, true
}

// replace makes r, which is granted, have uses, the node uses of the latest plan, instead of those
// that it has. Their region must be inside that of r. It returns false and changes nothing if a
// node has moved and the rule does not allow it.
func (t *Table[N, W]) replace(r *Request[N, W], uses []nodeUse[N, W]) (ok bool) {
	if !t.findRequeued(r, uses) {
		t.dropPlan(uses)
		return false
	}
	t.beforeChange(r, false)
	// Admit the new node uses before leaving the old ones, so that no waiter is granted in between.
	// ForceAdmit checks for no conflict: findRequeued has found every request that conflicts.
	for i := range uses {
		uses[i].node.queue.ForceAdmit(uses[i].mode)
	}
	t.requeueAll()
	t.unlistClaims(r)
	old := r.uses
	r.uses = uses
	t.listClaims(r, true)
	t.uses += len(uses)
	t.leave(old)
	return true
}

// dropPlan ends a plan that is not carried out. It may have added nodes that no request uses.
func (t *Table[N, W]) dropPlan(uses []nodeUse[N, W]) {
	for i := range uses {
		// An earlier iteration may have evicted the node.
		if n := uses[i].node; n.inTable {
			t.nodes.maybeIdle(n)
		}
	}
}

// A requeued is an admitted node use, of a request that waits elsewhere, which has to wait from now
// on.
type requeued[N comparable, W any] struct {
	request *Request[N, W]
	use     int
}

// findRequeued sets the modes of planned, the node uses of the latest plan. It fills t.requeued
// with the admitted node uses of other requests that conflict there. It returns false if one of
// these requests came before r, or does not wait for what r holds.
//
// For example, r writes /, and a later request reads /a. That reader waits at /, in mode IR, and is
// admitted at /a, in mode TR. If r narrows to a write of /a, then it leaves / and the reader has to
// wait at /a instead:
//
//	           /                     /a
//	before     r: TW, reader waits   reader: TR admitted
//	after      r: IW, reader: IR     r: TW, reader waits
//
// The queues of planned nodes count these requests and do not name them. But each conflicts with
// what r holds, so it waits at a node that r uses now. findRequeued looks for them there.
func (t *Table[N, W]) findRequeued(r *Request[N, W], planned []nodeUse[N, W]) bool {
	t.requeued = reuse(t.requeued)
	conflicting := 0
	for i := range planned {
		use := &planned[i]
		use.mode = use.node.modes.Combined()
		// An earlier request that waits here cannot wait for r. It is there because the node has
		// moved.
		admitted, earliest := use.node.queue.Blockers(use.mode)
		if earliest < r.seq {
			return false
		}
		conflicting += admitted
	}
	for i := range r.uses {
		// The old uses of r may conflict with its plan, too. They are given up, so they do not
		// count.
		if t.conflictsWithPlan(&r.uses[i]) {
			conflicting-- // r itself
		}
	}
	if conflicting == 0 {
		return true
	}
	// waitersFor returns the latest request first: Queue.Requeue needs them in that order.
	for _, w := range t.waitersFor(r) {
		for i := range w.uses {
			if use := &w.uses[i]; !use.waiting && t.conflictsWithPlan(use) {
				t.requeued = append(t.requeued, requeued[N, W]{w, i})
			}
		}
	}
	// If fewer were found than the queues count, an admitted request does not wait for r.
	return len(t.requeued) == conflicting
}

// conflictsWithPlan reports whether use, which is admitted, conflicts with the latest plan.
func (t *Table[N, W]) conflictsWithPlan(use *nodeUse[N, W]) bool {
	return use.node.plan == t.plan && use.mode.Conflicts(use.node.modes.Combined())
}

// waitersFor returns the later requests that wait for r, or for another request, at a node that r
// uses. The latest comes first.
func (t *Table[N, W]) waitersFor(r *Request[N, W]) (waiters []*Request[N, W]) {
	for i := range r.uses {
		use := &r.uses[i]
		for e := range use.node.queue.Waiting(use.mode.Conflicting()) {
			if e.Seq() > r.seq {
				waiters = append(waiters, e.Request().request)
			}
		}
	}
	slices.SortFunc(waiters, func(a, b *Request[N, W]) int { return cmp.Compare(b.seq, a.seq) })
	return slices.Compact(waiters)
}

// requeueAll makes the node uses in t.requeued wait. Their requests wait elsewhere, so no grant is
// taken back.
func (t *Table[N, W]) requeueAll() {
	for _, requeued := range t.requeued {
		r := requeued.request
		w, use := t.newWait(r, requeued.use), &r.uses[requeued.use]
		use.waiting = true
		use.node.queue.Requeue(&w.entry, w, r.seq, use.held, use.mode)
		r.blocked++
	}
	t.requeued = reuse(t.requeued)
}

// Holds reports whether each of claims is inside what r, which must be granted, holds. It takes
// time in proportion to the node uses of r and to the lineages of claims.
func (t *Table[N, W]) Holds(r *Request[N, W], claims []Claim[N]) bool {
	marked := false
	for _, claim := range claims {
		if t.holdsByName(r, claim) {
			continue
		}
		if !marked {
			t.markHeld(r)
			marked = true
		}
		if !t.holdsClaim(claim) {
			return false
		}
	}
	return true
}

// holdsByName reports whether the first claim of r covers claim, as their names alone say. Most
// grants have one claim, and a request inside need not find its node: see BenchmarkGrow in
// manager/bench.
func (t *Table[N, W]) holdsByName(r *Request[N, W], claim Claim[N]) bool {
	if t.nodes.naming == nil || len(r.uses) == 0 {
		return false
	}
	first, name := &r.uses[0], claim.Lineage[0]
	return t.nodes.naming.Contains(first.node.name, name) &&
		covers(first.mode.Parts(), claim.Mode, name == first.node.name)
}

// markHeld marks the nodes that r uses with the number of a new plan, and with the modes of r.
func (t *Table[N, W]) markHeld(r *Request[N, W]) {
	t.plan++
	for i := range r.uses {
		use := &r.uses[i]
		use.node.plan, use.node.modes = t.plan, use.mode.Parts()
	}
}

// holdsClaim reports whether claim is inside what a request holds. The nodes that the request uses
// carry the number of the latest plan, and its modes. One mode at one node must cover the claim: no
// set of single nodes makes up a subtree, since the table does not know all nodes of one.
func (t *Table[N, W]) holdsClaim(claim Claim[N]) bool {
	for i, name, ok := 0, claim.Lineage[0], true; ok; i++ {
		if n := t.nodes.find(name); n != nil && n.plan == t.plan && covers(n.modes, claim.Mode, i == 0) {
			return true
		}
		name, ok = t.nodes.parentName(name, claim.Lineage, i)
	}
	return false
}
