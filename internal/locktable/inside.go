package locktable

import "github.com/treelock/treelock/waitqueue"

// Within reports whether all that the live requests of t claim lies inside claims, claim by claim
// as [Table.Holds] has it. It takes time in proportion to the node uses of these requests. It
// relies on the lineages with which the nodes were claimed.
func (t *Table[N, W]) Within(claims []Claim[N]) bool {
	// First each claimed node is marked with the number of a plan and with its modes in claims. Then
	// each claim of a request looks for a mark above.
	t.plan++
	for _, claim := range claims {
		// A claim above a claimed node is at a node of the table, as all ancestors are in use.
		n := t.nodes.find(claim.Lineage[0])
		switch {
		case n == nil:
		case n.plan != t.plan:
			n.plan, n.modes = t.plan, waitqueue.Modes(0).With(claim.Mode)
		default:
			n.modes = n.modes.With(claim.Mode)
		}
	}
	// Ended requests have no node uses. Intentions need no cover: they are above the claims that
	// cause them. A combined mode may have two claims, such as a write of the node and a read of its
	// subtree.
	for _, r := range t.storage.requests {
		for i := range r.uses {
			for parts := r.uses[i].mode.Parts(); parts != 0; parts = parts.WithoutFirst() {
				if part := parts.First(); part.Claims() && !t.plannedAbove(r.uses[i].node, part) {
					return false
				}
			}
		}
	}
	return true
}

// plannedAbove reports whether a claim of n in mode lies inside a claim of the latest plan, which
// is at n or above. It follows the guesses of parents, which are right for the nodes of a live
// request unless they have moved.
func (t *Table[N, W]) plannedAbove(n *node[N, W], mode waitqueue.Mode) bool {
	for at := n; at != nil; at = at.parent {
		if at.plan == t.plan && covers(at.modes, mode, at == n) {
			return true
		}
	}
	return false
}

// covers reports whether one of held, the modes of a request at a node, covers a claim in mode. The
// claim is at that node if here is true, and below it otherwise. A subtree covers what lies below.
// A single node is covered only at itself.
func covers(held waitqueue.Modes, mode waitqueue.Mode, here bool) bool {
	writes := mode.Intention() == waitqueue.IW
	switch {
	case held.Has(waitqueue.TW), held.Has(waitqueue.TR) && !writes:
		return true
	case here:
		return held.Has(mode) || held.Has(waitqueue.NW) && mode == waitqueue.NR
	default:
		return false
	}
}

// Claims returns the number of claims of r: its modes at the nodes that it claims.
func (r *Request[N, W]) Claims() (claims int) {
	for i := range r.uses {
		for parts := r.uses[i].mode.Parts(); parts != 0; parts = parts.WithoutFirst() {
			if parts.First().Claims() {
				claims++
			}
		}
	}
	return claims
}
