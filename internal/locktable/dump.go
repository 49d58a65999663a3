package locktable

import (
	"iter"

	"github.com/treelock/treelock/waitqueue"
)

// Entries returns an iterator over the entries in the queue of one node, in the order of
// [waitqueue.Queue.Entries]: none if nobody claims the node or anything below it. The table must not change while it
// runs.
//
// It shows what decides what the table will grant. If the entries of all nodes are the same in two tables but for
// the numbers of their requests, which are in the same order, and [Table.Check] finds both sound, then the same calls grant
// the same requests in both, though perhaps in another order within one call.
func (t *Table[N, W]) Entries(name N) iter.Seq[*waitqueue.Entry[*Request[N, W]]] {
	return func(yield func(*waitqueue.Entry[*Request[N, W]]) bool) {
		if n := t.nodes.byName[name]; n != nil {
			n.queue.Entries()(yield)
		}
	}
}
