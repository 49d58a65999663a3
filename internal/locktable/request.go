package locktable

import (
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/waitqueue"
)

// A Claim is what a request wants of one node: its mode there is NR, NW, TR or TW.
type Claim[N comparable] struct {
	Mode    waitqueue.Mode
	Lineage []N // the node, its parent, and so on to the root; never empty
}

// ModeOf returns the mode that a claim has at the node that it names.
func ModeOf(scope treelock.Scope, access treelock.Access) waitqueue.Mode {
	switch {
	case scope == treelock.NodeOnly && access == treelock.Shared:
		return waitqueue.NR
	case scope == treelock.NodeOnly:
		return waitqueue.NW
	case access == treelock.Shared:
		return waitqueue.TR
	default:
		return waitqueue.TW
	}
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

	seq     uint64
	blocked int           // entries that are not admitted (I5)
	places  []place[N, W] // one for each node and mode

	earlier, later *Request[N, W] // neighbours in the list of waiting requests
}

// A place is where a request stands in the queue of one node.
type place[N comparable, W any] struct {
	entry waitqueue.Entry[*Request[N, W]]
	node  *node[N, W]
}

// Seq returns the sequence number, which is never 0 while the request is live, and 0 after that.
func (r *Request[N, W]) Seq() uint64 { return r.seq }

// Granted reports whether the request holds its claims.
func (r *Request[N, W]) Granted() bool { return r.seq != 0 && r.blocked == 0 }

// Waiting reports whether the request is live and not yet granted.
func (r *Request[N, W]) Waiting() bool { return r.blocked > 0 }

const (
	maxFree   = 1024 // bounds Table.free
	maxPlaces = 64   // requests with more places are not kept for reuse
)

// newRequest returns an empty request with the next sequence number.
func (t *Table[N, W]) newRequest(who W) *Request[N, W] {
	var r *Request[N, W]
	if last := len(t.free) - 1; last >= 0 {
		r, t.free[last] = t.free[last], nil
		t.free = t.free[:last]
	} else {
		r = new(Request[N, W])
	}
	t.lastSeq++
	t.live++
	r.Who, r.seq = who, t.lastSeq
	return r
}

// free ends the life of r, which has left all queues.
func (t *Table[N, W]) freeRequest(r *Request[N, W]) {
	places := r.places
	*r = Request[N, W]{}
	t.live--
	if len(t.free) < maxFree && cap(places) <= maxPlaces {
		clear(places)
		r.places = places[:0]
		t.free = append(t.free, r)
	}
}

// pushWaiting puts r, the latest request, at the end of the list of those that wait.
func (t *Table[N, W]) pushWaiting(r *Request[N, W]) {
	r.earlier = t.lastWaiting
	if r.earlier != nil {
		r.earlier.later = r
	} else {
		t.firstWaiting = r
	}
	t.lastWaiting = r
	t.waiting++
}

// dropWaiting takes r off the list of those that wait.
func (t *Table[N, W]) dropWaiting(r *Request[N, W]) {
	if r.earlier != nil {
		r.earlier.later = r.later
	} else {
		t.firstWaiting = r.later
	}
	if r.later != nil {
		r.later.earlier = r.earlier
	} else {
		t.lastWaiting = r.earlier
	}
	r.earlier, r.later = nil, nil
	t.waiting--
}
