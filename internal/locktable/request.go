package locktable

import (
	"slices"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/waitqueue"
)

// A Claim is what a request wants of one node: its mode there is NR, NW, TR or TW.
type Claim[N comparable] struct {
	Mode    waitqueue.Mode
	Lineage []N // the node, its parent, and so on to the root; for a Path the node is enough
}

// ModeOf returns the mode that a claim has at the node that it names.
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

// ClaimOf returns the claim that has u's mode at its node: it is the reverse of ModeOf.
func ClaimOf[N treelock.Node[N]](u Used[N]) treelock.Claim[N] {
	claim := treelock.Claim[N]{Node: u.Node}
	if u.Mode == waitqueue.NR || u.Mode == waitqueue.NW {
		claim.Scope = treelock.NodeOnly
	}
	if u.Mode == waitqueue.NW || u.Mode == waitqueue.TW {
		claim.Access = treelock.Exclusive
	}
	return claim
}

// ClaimsOf returns the claims of req, with the lineages of their nodes. It is for those who trust Parent to come to an
// end, and the nodes to be equal to themselves.
func ClaimsOf[N treelock.Node[N]](req treelock.Request[N]) (claims []Claim[N]) {
	for c := range req.Claims() {
		claim := Claim[N]{Mode: ModeOf(c.Scope, c.Access)}
		for node, ok := c.Node, true; ok; node, ok = node.Parent() {
			claim.Lineage = append(claim.Lineage, node)
		}
		claims = append(claims, claim)
	}
	return claims
}

// A Request is a live request, from [Table.Submit] until [Table.End]. After that the table uses the
// storage again for others, so whoever keeps a pointer must remember the sequence number too: it
// is never used again, and [Request.Seq] tells whether the pointer still means the same request.
type Request[N comparable, W any] struct {
	// Who is whatever the owner of the table wants to find here. The table only keeps it.
	Who W

	seq        uint64
	blocked    uint32          // places where it waits (I5)
	slot       uint32          // in storage.requests
	uses       []nodeUse[N, W] // one for each node; the first is one that it claims
	search     uint64          // the number of the latest search for blockers that found it
	waits      *wait[N, W]     // one for each place where it had to wait since it arrived; nil once it is granted
	firstClaim claimLink[N, W] // of its claims
}

// A place is how a request uses one node.
type nodeUse[N comparable, W any] struct {
	node    *node[N, W]
	mode    waitqueue.Mode
	waiting bool // the request has an entry in the node's queue; else it is counted there as admitted
}

// A wait is the entry of a request in the queue of one node where it has to wait.
type wait[N comparable, W any] struct {
	entry   waitqueue.Entry[*wait[N, W]]
	request *Request[N, W]
	use     int         // the index of the place
	next    *wait[N, W] // of the same request; or the next one that is free
}

// Seq returns the sequence number, which is never 0 while the request is live, and 0 after that.
func (r *Request[N, W]) Seq() uint64 { return r.seq }

// Granted reports whether the request holds its claims.
func (r *Request[N, W]) Granted() bool { return r.seq != 0 && r.blocked == 0 }

// Waiting reports whether the request is live and not yet granted.
func (r *Request[N, W]) Waiting() bool { return r.blocked > 0 }

// Width returns the number of nodes that r claims and of their ancestors.
func (r *Request[N, W]) Width() int { return len(r.uses) }

// Places returns how r uses each node that it claims, and each of their ancestors.
func (r *Request[N, W]) Places() []Used[N] {
	uses := make([]Used[N], len(r.uses))
	for i := range r.uses {
		uses[i] = Used[N]{r.uses[i].node.name, r.uses[i].mode}
	}
	return uses
}

// storage is what a table uses over and over.
//
// requests has all requests, live or free. So those that are live are found without any cost to a request that takes
// free storage, as most do.
type storage[N comparable, W any] struct {
	requests     []*Request[N, W]
	freeRequests []*Request[N, W]
	freeWaits    *wait[N, W]      // free ones
	numFreeWaits int              // how many
	freeLinks    *claimLink[N, W] // free ones, for other claims than a request's first
	numFreeLinks int              // how many
}

const (
	maxFree  = 1024 // bounds storage.free, and the free waits and links
	maxUses  = 128  // requests with storage for more places are not kept for reuse
	maxStale = 16   // places that a free request may keep, with the nodes that they name
)

// newRequest returns a request without places, with the next sequence number.
func (t *Table[N, W]) newRequest(who W) *Request[N, W] {
	var r *Request[N, W]
	if last := len(t.storage.freeRequests) - 1; last >= 0 {
		r = t.storage.freeRequests[last]
		t.storage.freeRequests = t.storage.freeRequests[:last]
	} else {
		r = &Request[N, W]{slot: uint32(len(t.storage.requests))}
		r.firstClaim.request = r
		t.storage.requests = append(t.storage.requests, r)
	}
	t.lastSeq++
	t.live++
	r.Who, r.seq = who, t.lastSeq
	return r
}

// freeRequest ends the life of r, which has left all queues. A few places may keep the nodes that
// they name in memory. Nodes that have left the table are small.
func (t *Table[N, W]) freeRequest(r *Request[N, W]) {
	var nobody W
	t.live--
	if len(r.uses) > maxStale {
		clear(r.uses)
	}
	r.Who, r.seq, r.blocked, r.uses = nobody, 0, 0, r.uses[:0]
	if len(t.storage.freeRequests) < maxFree && cap(r.uses) <= maxUses {
		t.storage.freeRequests = append(t.storage.freeRequests, r)
	} else {
		t.dropRequest(r)
	}
}

// dropRequest leaves r to the garbage collector.
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
	*r = Request[N, W]{} // in case somebody keeps it
}

// newWait returns a wait of r at its i-th place.
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

// freeWaits lets go of the waits of r, which are in no queue any more.
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
