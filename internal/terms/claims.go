package terms

import (
	"iter"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/waitqueue"
)

// ModeOf returns the mode of a claim at the node that it names.
func ModeOf(scope treelock.Scope, access treelock.Access) waitqueue.Mode {
	switch {
	case scope == treelock.NodeOnly && access != treelock.Exclusive:
		return waitqueue.NR
	case scope == treelock.NodeOnly:
		return waitqueue.NW
	case access != treelock.Exclusive:
		return waitqueue.TR
	default:
		return waitqueue.TW
	}
}

// ClaimOf returns the claim that has mode at node. It is the reverse of ModeOf.
func ClaimOf[N treelock.Node[N]](node N, mode waitqueue.Mode) treelock.Claim[N] {
	claim := treelock.Claim[N]{Node: node}
	if mode == waitqueue.NR || mode == waitqueue.NW {
		claim.Scope = treelock.NodeOnly
	}
	if mode == waitqueue.NW || mode == waitqueue.TW {
		claim.Access = treelock.Exclusive
	}
	return claim
}

// Claims returns an iterator over the claims of req: the mode of each, and the lineage of its node.
// Each node must equal itself, and Parent must reach a root: Claims checks neither.
func Claims[N treelock.Node[N]](req treelock.Request[N]) iter.Seq2[waitqueue.Mode, []N] {
	return func(yield func(waitqueue.Mode, []N) bool) {
		for c := range req.Claims() {
			var lineage []N
			for node, ok := c.Node, true; ok; node, ok = node.Parent() {
				lineage = append(lineage, node)
			}
			if !yield(ModeOf(c.Scope, c.Access), lineage) {
				return
			}
		}
	}
}
