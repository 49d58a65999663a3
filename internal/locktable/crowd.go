package locktable

import "github.com/treelock/treelock/waitqueue"

// Crowded reports whether r waits at a node where more than n requests wait, r included. It takes
// at most n+1 steps for each node where r waits.
//
// Requests that r does not conflict with count as well: the limit is on the length of the queue. A
// request that only has an intention at a node waits there, too.
func (r *Request[N, W]) Crowded(n int) bool {
	// The waits of r are the nodes where it had to wait. It may have been admitted to some since.
	for w := r.waits; w != nil; w = w.next {
		if use := &r.uses[w.use]; use.waiting && use.node.crowded(n) {
			return true
		}
	}
	return false
}

// crowded reports whether more than limit requests wait at n. It stops at the first above the
// limit, so that a long queue costs no more than a full one. A queue keeps no count of its entries:
// only requests with a limit need one, and each wait would pay for it.
func (n *node[N, W]) crowded(limit int) bool {
	waiting := 0
	for range n.queue.Waiting(waitqueue.AllModes) {
		if waiting++; waiting > limit {
			return true
		}
	}
	return false
}
