package locktable

import "github.com/treelock/treelock/waitqueue"

// Crowded reports whether r waits at a node where more than n requests wait, r included. It takes
// at most n+1 steps for each node where r waits.
func (r *Request[N, W]) Crowded(n int) bool {
	for w := r.waits; w != nil; w = w.next {
		if use := &r.uses[w.use]; use.waiting && use.node.crowded(n) {
			return true
		}
	}
	return false
}

// crowded reports whether more than limit requests wait at n.
func (n *node[N, W]) crowded(limit int) bool {
	waiting := 0
	for range n.queue.Waiting(waitqueue.AllModes) {
		if waiting++; waiting > limit {
			return true
		}
	}
	return false
}
