package locktable

import "github.com/treelock/treelock/waitqueue"

// A Quarrel is a pair of claims that conflict, because of which one request waits for another.
type Quarrel[N comparable] struct {
	Claim  Used[N] // of the blocker
	Wanted Used[N] // of the request that waits
}

// Used is a node that a request uses, and its mode there.
type Used[N comparable] struct {
	Node N
	Mode waitqueue.Mode
}

// quarrel returns a claim of b, and one of r, which waits for it, that conflict.
func (t *Table[N, W]) conflictPair(r *Request[N, W], b blocker[N, W]) Quarrel[N] {
	theirs, ours := &b.request.uses[b.theirs], &r.uses[b.ours]
	if theirs.node != ours.node { // it is below
		part, _ := theirs.claimAgainst(ours.mode)
		_, subtree := conflictingParts(part.Intention(), ours.mode)
		return Quarrel[N]{Used[N]{theirs.node.name, part}, t.claimFor(r, b.ours, subtree)}
	}
	ofTheirs, ofOurs := conflictingParts(theirs.mode, ours.mode)
	return Quarrel[N]{t.claimFor(b.request, b.theirs, ofTheirs), t.claimFor(r, b.ours, ofOurs)}
}

// claimAgainst returns the part of p's mode that claims its node and conflicts with mode, which a
// request has further up, if there is one.
func (use *nodeUse[N, W]) claimAgainst(mode waitqueue.Mode) (part waitqueue.Mode, ok bool) {
	for parts := use.mode.Parts(); parts != 0; parts = parts.Rest() {
		if part = parts.First(); part.Claims() && part.Intention().Conflicts(mode) {
			return part, true
		}
	}
	return part, false
}

// reason returns simple modes, of which a and b are made, that conflict.
func conflictingParts(a, b waitqueue.Mode) (ofA, ofB waitqueue.Mode) {
	for as := a.Parts(); as != 0; as = as.Rest() {
		for bs := b.Parts(); bs != 0; bs = bs.Rest() {
			if as.First().Conflicts(bs.First()) {
				return as.First(), bs.First()
			}
		}
	}
	panic("BUG: treelock: a blocker that does not block")
}

// claimFor returns the claim because of which r has that simple mode at its i-th place: that of the
// node itself, or one of something below it.
//
// The places of a lineage stand behind that of its claim, one behind the other (planLineage). So
// most often the claim is found on the way back. Else all places are looked at, each once: the
// nodes that do not lead to the i-th place carry the number of a plan.
func (t *Table[N, W]) claimFor(r *Request[N, W], i int, mode waitqueue.Mode) (claim Used[N]) {
	n := r.uses[i].node
	if mode.Claims() {
		return Used[N]{n.name, mode}
	}
	for j := i; j > 0 && r.uses[j-1].node.parent == r.uses[j].node; j-- {
		if part, ok := r.uses[j-1].claimWith(mode); ok {
			return Used[N]{r.uses[j-1].node.name, part}
		}
	}
	t.plan++
	for j := range r.uses {
		use := &r.uses[j]
		part, ok := use.claimWith(mode)
		if !ok {
			continue
		}
		claim = Used[N]{use.node.name, part}
		if use.node.isBelow(n, t.plan) {
			break
		}
	}
	return claim // if nodes have moved, as far as is known
}

// claimWith returns the claim of p's node that has the intention at its ancestors, if there is one.
func (use *nodeUse[N, W]) claimWith(intention waitqueue.Mode) (mode waitqueue.Mode, ok bool) {
	for parts := use.mode.Parts(); parts != 0; parts = parts.Rest() {
		if part := parts.First(); part.Claims() && part.Intention() == intention {
			return part, true
		}
	}
	return mode, false
}

// isBelow reports whether the way up from n leads to other. It looks where parents were found the
// last time, up to the first node that carries the number of the plan, and leaves that at all
// others.
func (n *node[N, W]) isBelow(other *node[N, W], plan uint64) bool {
	for ; n != nil && n.plan != plan; n = n.parent {
		if n == other {
			return true
		}
		n.plan = plan
	}
	return false
}
