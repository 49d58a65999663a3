package locktable

import (
	"iter"

	"github.com/treelock/treelock/waitqueue"
)

// A NodeUse is a node use, as a caller sees it from the node.
type NodeUse[N comparable, W any] struct {
	Request  *Request[N, W]
	Mode     waitqueue.Mode
	Admitted bool
}

// UsesOf returns an iterator over the uses of one node: admitted ones by arrival, then waiting
// ones in the order of the queue. The table must not change during the iteration. It takes time in
// proportion to the node uses of all live requests.
//
// The entries show everything that decides what a table will grant. Let two tables have the same
// entries at all nodes, up to the numbers of their requests, which are in the same order. If
// [Table.Check] accepts both, the same calls grant the same requests in both. Only the order within
// one call may differ.
func (t *Table[N, W]) UsesOf(name N) iter.Seq[NodeUse[N, W]] {
	return func(yield func(NodeUse[N, W]) bool) {
		n := t.nodes.find(name)
		if n == nil {
			return
		}
		for _, r := range t.Requests() {
			for i := range r.uses {
				use := &r.uses[i]
				if use.node == n && !use.waiting && !yield(NodeUse[N, W]{r, use.mode, true}) {
					return
				}
			}
		}
		for e := range n.queue.Waiting(waitqueue.AllModes) {
			if !yield(NodeUse[N, W]{e.Request().request, e.Mode(), false}) {
				return
			}
		}
	}
}

// A Region is a set of subtrees.
type Region[N comparable] struct {
	nodes map[N]bool // true for the root of a subtree, false for an ancestor of one
}

// NewRegion returns the subtrees of the nodes with these lineages.
func NewRegion[N comparable](lineages ...[]N) *Region[N] {
	r := &Region[N]{map[N]bool{}}
	for _, lineage := range lineages {
		for i, name := range lineage {
			r.nodes[name] = r.nodes[name] || i == 0
		}
	}
	return r
}

// Reaches reports whether a claim of r shares a node with region. It takes time in proportion to
// the node uses of r.
func (r *Request[N, W]) Reaches(region *Region[N]) bool {
	for i := range r.uses {
		use := &r.uses[i]
		// A subtree that r claims above a node of the set reaches it as well.
		if inside, known := region.nodes[use.node.name]; inside || known && use.mode.Covers(waitqueue.TR) {
			return true
		}
	}
	return false
}
