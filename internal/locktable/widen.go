package locktable

import "github.com/treelock/treelock/waitqueue"

// Widen is the arrival of a widening: the request that r, which must be granted and have no
// widening, also holds claims. Claims inside what r holds add nothing and are dropped. The caller
// may change claims afterwards. There are three results:
//
//   - nil, false: none of claims is left. Nothing has changed.
//   - nil, true: the widening is granted at once, and r holds claims as well.
//   - a request that waits: it is live, has a sequence number and thereby a place in the order of
//     its own, and is granted by a later call, or ended by [Table.End] without an effect on r.
//     The end of r ends it as well.
//
// Waiting for claims, r keeps what it holds. When the widening is granted, r holds both. The
// widening has ended then: its Who and [Request.Widens] are valid until the next call other than
// Submit.
//
// Widen takes O(d), where d counts the nodes of r as well as those of claims. If r reads a subtree
// and claims write inside of it, Widen also takes the time of Narrow.
func (t *Table[N, W]) Widen(r *Request[N, W], claims []Claim[N]) (w *Request[N, W], changed bool) {
	if !r.Granted() || r.partner != nil {
		panic("BUG: treelock: Widen of a request that is not granted, or that widens")
	}
	t.forgetGranted()
	// The common case comes first: claims that add something, apart from what r reads, are planned
	// once. Otherwise the plan is dropped, claims that r holds are left out, and reads are entered.
	uses := t.planWidening(r, claims)
	if !t.areApart(claims) {
		t.dropPlan(uses)
		claims = t.findMissing(r, claims)
		if len(claims) == 0 {
			return nil, false
		}
		t.enterReads(r, claims)
		uses = t.planWidening(r, claims)
		t.missing = reuse(t.missing)
	}
	w = t.newRequest()
	w.partner, r.partner = r, w
	t.arriveToWiden(w, uses)
	t.scratch = reuse(uses)
	if w.blocked > 0 {
		t.listClaims(w, false)
		t.waiting++
		t.widenings++
		return w, false
	}
	t.widen(w)
	t.keepRequest(w)
	return nil, true
}

// planWidening returns the node uses of a request for claims, with their modes. The nodes that r
// uses then carry the number of the latest plan, and the modes of r. The uses are in scratch space.
func (t *Table[N, W]) planWidening(r *Request[N, W], claims []Claim[N]) (uses []nodeUse[N, W]) {
	t.plan++
	uses = t.planClaims(t.scratch, claims)
	for i := range uses {
		uses[i].mode = uses[i].node.modes.Combined()
	}
	t.markHeld(r)
	return uses
}

// areApart reports whether each of claims adds something and is not below a subtree that the marked
// request reads. That is the common case: claims need not be filtered, and no node entered.
func (t *Table[N, W]) areApart(claims []Claim[N]) bool {
	for _, claim := range claims {
		// planWidening has just found the parents.
		for i, n := 0, t.nodes.find(claim.Lineage[0]); n != nil && t.nodes.reaches(claim.Lineage, i); i, n = i+1, n.parent {
			switch {
			case n.plan != t.plan:
			case i == 0 && n.modes.Combined().Covers(claim.Mode), i > 0 && n.modes&subtrees != 0:
				return false
			}
		}
	}
	return len(claims) > 0
}

// subtrees is the set of simple modes that claim a subtree.
const subtrees waitqueue.Modes = 1<<waitqueue.TR | 1<<waitqueue.TW

// Widening returns the widening of r that waits, or nil.
func (r *Request[N, W]) Widening() *Request[N, W] {
	if r.Granted() {
		return r.partner
	}
	return nil
}

// Widens returns the grant that r widens, or nil if r is not a widening.
func (r *Request[N, W]) Widens() *Request[N, W] {
	if r.Granted() {
		return nil
	}
	return r.partner
}

// appendCovered appends the nodes above the claims of the widening r that it has no use of, as the
// mode of its grant there covers the intention. It passes all requests that conflict there.
func (r *Request[N, W]) appendCovered(uses []Use[N]) []Use[N] {
	used := make(map[*node[N, W]]bool, len(r.uses))
	for i := range r.uses {
		used[r.uses[i].node] = true
	}
	planned := make(map[*node[N, W]]waitqueue.Modes)
	for i := range r.uses {
		if !r.uses[i].mode.Claims() {
			continue
		}
		// The nodes above a claim are in use, so their parents are known (I9).
		intention := r.uses[i].mode.Intention()
		for n := r.uses[i].node.parent; n != nil && !planned[n].Has(intention); n = n.parent {
			planned[n] = planned[n].With(intention)
		}
	}
	for n, modes := range planned {
		if mode := modes.Combined(); !used[n] {
			uses = append(uses, Use[N]{Node: n.name, Mode: mode, Passes: mode.Conflicting()})
		}
	}
	return uses
}

// findMissing returns those of claims that are not inside what r holds. The nodes that r uses carry
// the number of the latest plan, and its modes.
func (t *Table[N, W]) findMissing(r *Request[N, W], claims []Claim[N]) []Claim[N] {
	t.markHeld(r)
	for _, claim := range claims {
		if !t.holdsClaim(claim) {
			t.missing = append(t.missing, claim)
		}
	}
	return t.missing
}

// enterReads makes r, if it reads a subtree in which claims write, use each node on the way to such
// a claim as a reader of its subtree. What r holds stays the same. Later requests, which wait for r
// at the top of that subtree, then wait for it at these nodes as well, and the widening passes them
// there (I10). The nodes that r uses must carry the number of the latest plan.
//
// For example, r reads /, and a later request writes /a. That writer waits at /, and is admitted at
// /a. Now r widens by a write of /a:
//
//	              /                         /a
//	before        r: TR, writer waits       writer: TW admitted
//	enterReads    r: TR, writer waits       r: TR, writer waits
//	after         r: IW+TR, writer waits    r: TW, writer waits
func (t *Table[N, W]) enterReads(r *Request[N, W], claims []Claim[N]) {
	below := claims[:0:0]
	for _, claim := range claims {
		if t.isBelowRead(claim) {
			below = append(below, claim)
		}
	}
	if len(below) == 0 {
		return
	}
	t.markHeld(r)
	uses := make([]nodeUse[N, W], 0, len(r.uses)+len(below))
	for i := range r.uses {
		uses = append(uses, nodeUse[N, W]{node: r.uses[i].node})
	}
	for _, claim := range below {
		uses = t.planReads(uses, claim)
	}
	// This fails only if a node has moved. Then the widening passes fewer requests.
	t.replace(r, uses)
}

// isBelowRead reports whether claim writes, and a request reads a subtree above it. The nodes that
// the request uses carry the number of the latest plan, and its modes.
func (t *Table[N, W]) isBelowRead(claim Claim[N]) bool {
	if claim.Mode.Intention() != waitqueue.IW {
		return false
	}
	name, ok := t.nodes.parentName(claim.Lineage[0], claim.Lineage, 0)
	for i := 1; ok; i++ {
		if n := t.nodes.find(name); n != nil && n.plan == t.plan && n.modes.Has(waitqueue.TR) {
			return true
		}
		name, ok = t.nodes.parentName(name, claim.Lineage, i)
	}
	return false
}

// planReads plans reads of the subtrees of all nodes from that of claim up to the top of the
// subtree that is read.
func (t *Table[N, W]) planReads(uses []nodeUse[N, W], claim Claim[N]) []nodeUse[N, W] {
	uses = t.planLineage(uses, claim.Lineage, waitqueue.TR)
	n := t.nodes.find(claim.Lineage[0])
	top := n
	for i, above := 1, n.parent; above != nil && t.nodes.reaches(claim.Lineage, i); i, above = i+1, above.parent {
		if above.plan == t.plan && above.modes.Has(waitqueue.TR) {
			top = above
		}
	}
	for ; n != top; n = n.parent {
		n.modes = n.modes.With(waitqueue.TR)
	}
	return uses
}

// arriveToWiden lets the widening w arrive at the nodes of planned. At a node that its grant uses,
// which carries the number of the latest plan, the queue must know the mode of the grant there. w
// needs no node use if that mode covers its own.
func (t *Table[N, W]) arriveToWiden(w *Request[N, W], planned []nodeUse[N, W]) {
	for _, use := range planned {
		if use.node.plan == t.plan {
			held := use.node.modes.Combined()
			if held.Covers(use.mode) {
				continue
			}
			use.held = 1 << held
		}
		w.uses = append(w.uses, use)
		if !use.node.queue.Widen(use.held, use.mode) {
			t.enqueue(w, len(w.uses)-1)
		}
	}
	t.uses += len(w.uses)
}

// widen makes the grant of w hold what w asked for. w waits nowhere. It ends, but its partner and
// its client stay known: the caller of the table has not seen that it is granted.
func (t *Table[N, W]) widen(w *Request[N, W]) {
	r := w.partner
	t.beforeChange(r, false)
	t.unlistClaims(r)
	// There are three passes. The first marks the nodes of w with its modes. The second combines
	// these with the modes of r and clears the marks. The third appends what is still marked: the
	// nodes that r did not use.
	t.plan++
	for i := range w.uses {
		use := &w.uses[i]
		use.node.plan, use.node.modes = t.plan, 1<<use.mode
	}
	for i := range r.uses {
		use := &r.uses[i]
		if n := use.node; n.plan == t.plan {
			use.mode = n.queue.Widened(1<<use.mode, n.modes.First())
			n.modes = 0
			t.uses--
		}
	}
	for i := range w.uses {
		if use := &w.uses[i]; use.node.modes != 0 {
			r.uses = append(r.uses, nodeUse[N, W]{node: use.node, mode: use.mode})
		}
	}
	t.listClaims(r, true)
	r.partner = nil
	clear(w.uses)
	w.seq, w.uses = 0, w.uses[:0]
	t.live--
}

// separate ends the widening of r, if r is granted. Otherwise r is a widening, and its grant
// forgets it.
func (t *Table[N, W]) separate(r *Request[N, W]) {
	other := r.partner
	t.beforeChange(other, other.blocked > 0) // a survey must see both as they were
	r.partner, other.partner = nil, nil
	t.widenings--
	if r.Granted() {
		t.End(other)
	}
}
