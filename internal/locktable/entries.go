package locktable

import (
	"iter"

	"github.com/treelock/treelock/waitqueue"
)

// A Standing is what a node has of a request.
type Standing[N comparable, W any] struct {
	Request  *Request[N, W]
	Mode     waitqueue.Mode
	Admitted bool
}

// Standings returns an iterator over what one node has of all requests: those admitted, by arrival, then those
// that wait, mode by mode as they stand in the queue. There are none if nobody claims the node or anything
// below it. The table must not change while it runs. It takes time in proportion to the number of live requests and
// their places.
//
// It shows what decides what the table will grant. If the standings of all nodes are the same in two tables but for
// the numbers of their requests, which are in the same order, and [Table.Check] finds both sound, then the same calls grant
// the same requests in both, though perhaps in another order within one call.
func (t *Table[N, W]) Standings(name N) iter.Seq[Standing[N, W]] {
	return func(yield func(Standing[N, W]) bool) {
		n := t.nodes.find(name)
		if n == nil {
			return
		}
		for _, r := range t.Requests() {
			for i := range r.uses {
				use := &r.uses[i]
				if use.node == n && !use.waiting && !yield(Standing[N, W]{r, use.mode, true}) {
					return
				}
			}
		}
		for e := range n.queue.Waiting(waitqueue.AllModes) {
			if !yield(Standing[N, W]{e.Request().request, e.Mode(), false}) {
				return
			}
		}
	}
}

// LastSeq returns the sequence number of the latest request, 0 if there was none.
func (t *Table[N, W]) LastSeq() uint64 { return t.lastSeq }

// A Reach is some nodes and all that is below them.
type Reach[N comparable] struct {
	nodes map[N]bool // the value tells whether it is a node of the reach, or only an ancestor of one
}

// NewReach returns the reach of the nodes with these lineages.
func NewReach[N comparable](lineages ...[]N) *Reach[N] {
	r := &Reach[N]{map[N]bool{}}
	for _, lineage := range lineages {
		for i, name := range lineage {
			r.nodes[name] = r.nodes[name] || i == 0
		}
	}
	return r
}

// Reaches reports whether a claim of r reaches into reach. It takes time in proportion to the number of places of r.
func (r *Request[N, W]) Reaches(reach *Reach[N]) bool {
	for i := range r.uses {
		use := &r.uses[i]
		if inside, known := reach.nodes[use.node.name]; inside || known && use.mode.Covers(waitqueue.TR) {
			return true
		}
	}
	return false
}
