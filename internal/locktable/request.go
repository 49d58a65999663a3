package locktable

import (
	"slices"

	"github.com/treelock/treelock/waitqueue"
)

// A Claim is what a request wants of one node. Its mode is NR, NW, TR or TW.
type Claim[N comparable] struct {
	Mode    waitqueue.Mode
	Lineage []N // the node, its parent, and so on to the root; with a naming the node is enough
}

// A Request is a live request, from [Table.Submit] until [Table.End]. Then the table reuses its
// storage. So a caller that keeps a pointer must also keep the sequence number. Numbers are never
// reused, and [Request.Seq] tells whether the pointer still means the same request.
type Request[N comparable, W any] struct {
	// Who is a value of the caller. The table does not look at it, and clears it in End.
	Who W

	seq     uint64
	blocked uint32 // the number of node uses that wait (I5)
	slot    uint32 // the index in storage.requests

	// uses has one node use for each node (I3). The first is a claim. In the storage of a request
	// that has ended, stale uses may follow.
	uses []nodeUse[N, W]

	// partner is the widening that waits, of a granted request. Of a widening it is the grant.
	partner *Request[N, W]

	search     uint64          // the number of the latest search that found the request
	waits      *wait[N, W]     // one for each node where it had to wait; nil once granted
	firstClaim claimLink[N, W] // the link of its first claim, which is the first node use

	// moreClaims has the links of its other claims. It is nil if there never was one. A slice in
	// its place would take 3% more memory for a request of one claim: see BenchmarkMemory in
	// manager/bench.
	moreClaims *[]claimLink[N, W]
}

// A nodeUse is how a request uses one node.
type nodeUse[N comparable, W any] struct {
	node    *node[N, W]
	mode    waitqueue.Mode
	waiting bool            // it has an entry in the node's queue; else it is counted there
	held    waitqueue.Modes // of a widening: the mode that its grant has there; else empty
}

// blocking returns the modes in which an earlier request that waits at the node blocks the use:
// those that conflict, except for those that a widening passes.
func (use *nodeUse[N, W]) blocking() waitqueue.Modes {
	if use.held == 0 {
		return use.mode.Conflicting()
	}
	return use.mode.Conflicting() &^ use.held.First().Conflicting()
}

// A wait is the entry of a request in the queue of one node. In the list of free waits only next is
// set.
type wait[N comparable, W any] struct {
	entry   waitqueue.Entry[*wait[N, W]]
	request *Request[N, W]
	use     int         // the index in request.uses
	next    *wait[N, W] // the next wait of the same request, or the next free one
}

// Seq returns the sequence number. It is positive while the request is live, and 0 afterwards.
func (r *Request[N, W]) Seq() uint64 { return r.seq }

// Granted reports whether the request holds its claims.
func (r *Request[N, W]) Granted() bool { return r.seq != 0 && r.blocked == 0 }

// Waiting reports whether the request is live and not granted.
func (r *Request[N, W]) Waiting() bool { return r.blocked > 0 }

// NodeUses returns the number of node uses of r.
func (r *Request[N, W]) NodeUses() int { return len(r.uses) }

// A Use is how a request uses a node.
type Use[N comparable] struct {
	Node N
	Mode waitqueue.Mode

	// Passes is what a widening passes at the node: the requests that wait there in one of these
	// modes. They wait for its grant.
	Passes waitqueue.Modes
}

// Uses returns how r uses its nodes. Those of a widening include the nodes where the mode of its
// grant covers its own, which no queue knows.
func (r *Request[N, W]) Uses() []Use[N] {
	uses := make([]Use[N], len(r.uses))
	for i := range r.uses {
		use := &r.uses[i]
		uses[i] = Use[N]{Node: use.node.name, Mode: use.mode}
		if use.held != 0 {
			uses[i].Passes = use.held.First().Conflicting()
		}
	}
	if r.Widens() != nil {
		uses = r.appendCovered(uses)
	}
	return uses
}

// storage holds requests and waits for reuse.
//
// requests holds every request, live or free. So the live ones can be listed, at no cost to a
// request that reuses storage, as most do.
type storage[N comparable, W any] struct {
	requests     []*Request[N, W]
	freeRequests []*Request[N, W] // so the plain path allocates nothing
	freeWaits    *wait[N, W]      // without them, a wait costs 30% more: see BenchmarkWaiters
	numFreeWaits int              // how many
}

// Bounds of the storage that is kept for reuse.
const (
	maxFree  = 1024 // the maximum number of free requests, and of free waits
	maxUses  = 128  // a request with room for more node uses is not kept for reuse
	maxStale = 16   // the maximum number of node uses that a free request keeps, with their nodes
)

// newRequest returns a request without node uses, with the next sequence number.
func (t *Table[N, W]) newRequest() *Request[N, W] {
	var r *Request[N, W]
	if last := len(t.storage.freeRequests) - 1; last >= 0 {
		r = t.storage.freeRequests[last]
		t.storage.freeRequests = t.storage.freeRequests[:last]
	} else {
		r = &Request[N, W]{slot: uint32(len(t.storage.requests))}
		r.firstClaim.request = r
		t.storage.requests = append(t.storage.requests, r)
	}
	// Numbers start at 1, since 0 marks a request that has ended. A number is taken at arrival, so
	// the order of numbers is that of the rule.
	t.lastSeq++
	t.live++
	r.seq = t.lastSeq
	return r
}

// freeRequest ends the life of r, which has left all queues. A few stale node uses may keep their
// nodes in memory. That is harmless: a node that has left the table is cleared and small.
func (t *Table[N, W]) freeRequest(r *Request[N, W]) {
	t.live--
	if len(r.uses) > maxStale {
		clear(r.uses)
	}
	r.seq, r.blocked, r.uses = 0, 0, r.uses[:0]
	t.keepRequest(r)
}

// keepRequest keeps the storage of r for reuse, or drops it.
func (t *Table[N, W]) keepRequest(r *Request[N, W]) {
	var none W
	r.Who, r.partner = none, nil
	if len(t.storage.freeRequests) < maxFree && cap(r.uses) <= maxUses {
		t.storage.freeRequests = append(t.storage.freeRequests, r)
	} else {
		t.dropRequest(r)
	}
}

// dropRequest removes r from the storage, for the garbage collector. The last request takes its
// slot, in O(1). A survey visits slots in order and might miss the one that moves, so it records
// that first.
func (t *Table[N, W]) dropRequest(r *Request[N, W]) {
	last := len(t.storage.requests) - 1
	moved := t.storage.requests[last]
	t.beforeChange(moved, moved.blocked > 0)
	t.storage.requests[r.slot], moved.slot = moved, r.slot
	t.storage.requests[last] = nil
	t.storage.requests = t.storage.requests[:last]
	if cap(t.storage.requests) > 4*max(last, maxFree) {
		t.storage.requests = slices.Clone(t.storage.requests) // it has been much larger
	}
	*r = Request[N, W]{} // the caller may keep r
}

// newWait returns a wait of r for its i-th node use. Waits of a request are in a list, not in a
// slice: the queue points to each of them, and most requests need none.
func (t *Table[N, W]) newWait(r *Request[N, W], i int) *wait[N, W] {
	w := t.storage.freeWaits
	if w != nil {
		t.storage.freeWaits = w.next
		t.storage.numFreeWaits--
	} else {
		w = new(wait[N, W])
	}
	w.request, w.use, w.next = r, i, r.waits
	r.waits = w
	return w
}

// freeWaits frees the waits of r, which are in no queue: it was granted or withdrawn.
func (t *Table[N, W]) freeWaits(r *Request[N, W]) {
	for r.waits != nil {
		w := r.waits
		r.waits = w.next
		*w = wait[N, W]{}
		if t.storage.numFreeWaits < maxFree {
			w.next = t.storage.freeWaits
			t.storage.freeWaits = w
			t.storage.numFreeWaits++
		}
	}
}

// maxReuse bounds the scratch space that a table keeps for its next call.
const maxReuse = 1024

// reuse returns an empty slice. It uses the storage of s unless that is too large to keep. The
// storage is cleared, so that it keeps nothing in memory.
func reuse[E any](s []E) []E {
	if cap(s) > maxReuse {
		return nil
	}
	clear(s)
	return s[:0]
}
