package locktable

import "github.com/treelock/treelock/waitqueue"

// A ConflictPair is a pair of conflicting claims: the reason why one request waits for another. For
// example, a write of /a/b/c and a read of /a conflict, because /a/b/c is in the region of the
// read.
type ConflictPair[N comparable] struct {
	Claim  NodeMode[N] // a claim of the blocker
	Wanted NodeMode[N] // a claim of the waiting request
}

// A NodeMode is a node and a mode there: a claim, or a node use of a request that is known.
type NodeMode[N comparable] struct {
	Node N
	Mode waitqueue.Mode
}

// conflictPair returns a claim of b and a claim of r, which waits for b, that conflict. The search
// has found a node use of each: at the same node, or that of b at a node below. One or both of them
// may be intentions there. Then the claims that cause these intentions are returned.
func (t *Table[N, W]) conflictPair(r *Request[N, W], b blocker[N, W]) ConflictPair[N] {
	theirs, ours := &b.request.uses[b.theirs], &r.uses[b.ours]
	if theirs.node != ours.node { // theirs is below ours
		part, _ := theirs.claimAgainst(ours.mode)
		// At ours the blocker has only the intention of its claim. So that intention is what ours
		// conflicts with.
		_, subtree := conflictingParts(part.Intention(), ours.mode)
		return ConflictPair[N]{NodeMode[N]{theirs.node.name, part}, t.claimFor(r, b.ours, subtree)}
	}
	ofTheirs, ofOurs := conflictingParts(theirs.mode, ours.mode)
	return ConflictPair[N]{t.claimFor(b.request, b.theirs, ofTheirs), t.claimFor(r, b.ours, ofOurs)}
}

// claimAgainst returns a part of use's mode that claims its node and conflicts with mode, which
// another request has at an ancestor. ok is false if there is none.
func (use *nodeUse[N, W]) claimAgainst(mode waitqueue.Mode) (part waitqueue.Mode, ok bool) {
	for parts := use.mode.Parts(); parts != 0; parts = parts.WithoutFirst() {
		if part = parts.First(); part.Claims() && part.Intention().Conflicts(mode) {
			return part, true
		}
	}
	return part, false
}

// conflictingParts returns a simple mode of a and one of b that conflict. Two modes conflict
// exactly if two of their parts do.
func conflictingParts(a, b waitqueue.Mode) (ofA, ofB waitqueue.Mode) {
	for as := a.Parts(); as != 0; as = as.WithoutFirst() {
		for bs := b.Parts(); bs != 0; bs = bs.WithoutFirst() {
			if as.First().Conflicts(bs.First()) {
				return as.First(), bs.First()
			}
		}
	}
	panic("BUG: treelock: a blocker that does not conflict")
}

// claimFor returns the claim that gives r the simple mode at its i-th node use: a claim of that
// node, or of a node below it.
//
// planLineage appends the node uses of a claim from the node upwards. So a walk back from the i-th
// node use finds the claim in most cases. Otherwise claimFor looks at every node use. It marks the
// nodes that do not lead to the i-th with the number of a plan, so that it visits each node once.
func (t *Table[N, W]) claimFor(r *Request[N, W], i int, mode waitqueue.Mode) (claim NodeMode[N]) {
	n := r.uses[i].node
	if mode.Claims() {
		return NodeMode[N]{n.name, mode}
	}
	// The common case: the claim is a few node uses before its ancestor.
	for j := i; j > 0 && r.uses[j-1].node.parent == r.uses[j].node; j-- {
		if part, ok := r.uses[j-1].claimWith(mode); ok {
			return NodeMode[N]{r.uses[j-1].node.name, part}
		}
	}
	t.plan++
	for j := range r.uses {
		use := &r.uses[j]
		part, ok := use.claimWith(mode)
		if !ok {
			continue
		}
		// A candidate. It is right if it is below n.
		claim = NodeMode[N]{use.node.name, part}
		if use.node.isBelow(n, t.plan) {
			break
		}
	}
	return claim // if nodes have moved: some claim with that intention
}

// claimWith returns a part of use's mode that claims its node and has this intention at its
// ancestors. ok is false if there is none.
func (use *nodeUse[N, W]) claimWith(intention waitqueue.Mode) (mode waitqueue.Mode, ok bool) {
	for parts := use.mode.Parts(); parts != 0; parts = parts.WithoutFirst() {
		if part := parts.First(); part.Claims() && part.Intention() == intention {
			return part, true
		}
	}
	return mode, false
}

// isBelow reports whether other is n or one of its ancestors, as far as the guesses of parents
// tell. It stops at a node that carries the number of the plan, and marks each node that it passes.
func (n *node[N, W]) isBelow(other *node[N, W], plan uint64) bool {
	for ; n != nil && n.plan != plan; n = n.parent {
		if n == other {
			return true
		}
		n.plan = plan
	}
	return false
}
