package locktable

// WaitedFor reports whether another request, or its widening, waits for what r holds. r must be
// granted. The widening of r does not count: it waits for other requests, not for r. WaitedFor
// takes O(d), with d the number of node uses of r.
//
// It is exact at each node alone: r holds, so an entry that waits there in a mode that conflicts
// waits for r at this node. And a request that conflicts with r does so at some node, where it
// waits.
//
// Only an arrival, and the grant of a widening of r, can change the result from false to true. A
// Narrow lets no request wait for r that did not before.
func (r *Request[N, W]) WaitedFor() bool {
	for i := range r.uses {
		queue := &r.uses[i].node.queue
		if !queue.HasWaiting() {
			continue
		}
		for e := range queue.Waiting(r.uses[i].mode.Conflicting()) {
			if e.Request().request != r.partner {
				return true
			}
		}
	}
	return false
}
