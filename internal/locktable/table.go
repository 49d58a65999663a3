package locktable

import (
	"cmp"
	"slices"

	"github.com/treelock/treelock/waitqueue"
)

// A Table holds all live requests and decides when each is granted. N is the type of nodes, W of
// what the caller attaches to a request. [New] makes one.
//
// Each call runs to its end without calling the caller back, except for the functions passed to
// [Table.Blockers] and [Table.BeginSurvey]. These must not call the table.
type Table[N comparable, W any] struct {
	nodes nodes[N, W]

	*numbers

	live      int
	waiting   int // the live requests that wait
	widenings int // of these, the widenings
	uses      int // the node uses of all live requests

	storage storage[N, W]

	*surveying[N, W]
	visits visits[N, W]

	// Scratch space, valid during one call.
	admitted []*entry[N, W]   // the entries that a queue has admitted
	granted  []*Request[N, W] // the requests that the latest call granted
	scratch  []nodeUse[N, W]  // node uses of a request without storage for them
	requeued []requeued[N, W]
	missing  []Claim[N] // of a widening
	found    []blocker[N, W]
}

// numbers are never reused. Tables share them if one was made by NewInside of the other. Then one
// comparison orders the requests of both, and one search can go through both.
type numbers struct {
	lastSeq  uint64 // the number of the latest request
	plan     uint64 // the number of the latest plan, which nodes carry as a mark
	searches uint64 // the number of the latest search, which requests and lists carry as a mark
}

// entry is a wait in the queue of one node.
type entry[N comparable, W any] = waitqueue.Entry[*wait[N, W]]

// New returns an empty table that keeps at most maxIdle idle nodes. naming is nil if lineages say
// what the parent of a node is.
func New[N comparable, W any](maxIdle int, naming Naming[N]) *Table[N, W] {
	return &Table[N, W]{
		nodes: newNodes[N, W](maxIdle, naming), numbers: new(numbers), surveying: new(surveying[N, W]),
	}
}

// NewInside returns an empty table that keeps at most maxIdle idle nodes and shares its sequence
// numbers and its surveys with t. It is for the requests inside a grant of t. So no two requests of
// both tables have the same number, and the later one has the larger one.
func (t *Table[N, W]) NewInside(maxIdle int) *Table[N, W] {
	return &Table[N, W]{nodes: newNodes[N, W](maxIdle, t.nodes.naming), numbers: t.numbers, surveying: t.surveying}
}

// Live returns the number of live requests. Widenings that wait are among them.
func (t *Table[N, W]) Live() int { return t.live }

// Waiting returns the number of live requests that are not granted.
func (t *Table[N, W]) Waiting() int { return t.waiting }

// Widenings returns the number of widenings that wait.
func (t *Table[N, W]) Widenings() int { return t.widenings }

// NodeUses returns the number of node uses of all live requests.
func (t *Table[N, W]) NodeUses() int { return t.uses }

// Nodes returns the number of nodes in the table, including idle ones.
func (t *Table[N, W]) Nodes() int { return t.nodes.len() }

// Requests returns the live requests by arrival. It takes the time to sort all requests.
func (t *Table[N, W]) Requests() []*Request[N, W] {
	return t.requests(func(r *Request[N, W]) bool { return r.seq != 0 })
}

// Waiters returns the waiting requests by arrival, in the same time as Requests.
func (t *Table[N, W]) Waiters() []*Request[N, W] { return t.requests((*Request[N, W]).Waiting) }

// requests returns the stored requests for which want is true, by arrival.
func (t *Table[N, W]) requests(want func(*Request[N, W]) bool) (found []*Request[N, W]) {
	for _, r := range t.storage.requests {
		if want(r) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b *Request[N, W]) int { return cmp.Compare(a.seq, b.seq) })
	return found
}

// Abandon clears the table and its requests, so that a caller that keeps a request does not keep
// the rest in memory. The table must not be used afterwards.
func (t *Table[N, W]) Abandon() {
	for _, r := range t.storage.requests {
		*r = Request[N, W]{}
	}
	*t = Table[N, W]{}
}

// Submit is the arrival of a request for claims. The caller may change claims afterwards. Granted
// tells whether the request is granted at once. Otherwise a later call returns it as granted.
//
// Conflicts are decided at each node alone, so it is enough to queue the request at each node that
// it claims and at each ancestor, in one step. It holds its claims when no node makes it wait.
func (t *Table[N, W]) Submit(claims []Claim[N]) *Request[N, W] {
	r := t.newRequest()
	t.plan++
	if len(claims) == 1 {
		t.arriveInOnePass(r, &claims[0])
	} else {
		t.arriveByPlan(r, claims)
	}
	t.uses += len(r.uses)
	if r.blocked > 0 {
		t.waiting++
	}
	return r
}

// arriveByPlan lets r arrive with several claims. It plans all claims before it queues r at any
// node, so that r is queued once at each node, with all of its modes there combined (I3).
func (t *Table[N, W]) arriveByPlan(r *Request[N, W], claims []Claim[N]) {
	r.uses = t.planClaims(r.uses, claims)
	for i := range r.uses {
		use := &r.uses[i]
		use.mode = use.node.modes.Combined()
		if !use.node.queue.Arrive(use.mode) {
			t.enqueue(r, i)
		}
	}
	t.listClaims(r, false)
}

// arriveInOnePass is arriveByPlan for one claim. The nodes of one lineage are distinct, so the mode
// at each of them is known without a plan. If a lineage has a node twice, the number of the plan
// tells that the request is there already. Most requests have one claim. Without this second path
// BenchmarkSubmit takes 20% more, and BenchmarkLock in manager/bench 4%.
func (t *Table[N, W]) arriveInOnePass(r *Request[N, W], claim *Claim[N]) {
	// A request with new storage collects its uses in scratch space first. Then its own storage has
	// no room to spare: with many live requests that is most of the memory of a table.
	mode, plan, uses, fresh := claim.Mode, t.plan, r.uses[:0], cap(r.uses) == 0
	need := activityOf(1 << mode)
	if fresh {
		uses = t.scratch[:0]
	}
	for i, n := 0, t.nodes.findOrAdd(claim.Lineage[0]); n != nil; i++ {
		if n.plan != plan { // otherwise the mode of r there covers the intention
			n.plan = plan
			uses = append(uses, nodeUse[N, W]{node: n, mode: mode})
			// Only the claim itself is listed: intentions are in no claim list.
			if i == 0 {
				n.addClaim(&r.firstClaim, mode)
			}
			if !n.queue.Arrive(mode) {
				// enqueue needs the uses of r so far.
				r.uses = uses
				t.enqueue(r, len(uses)-1)
			}
			mode = claim.Mode.Intention()
		}
		parent := t.nodes.parentOf(n, claim.Lineage, i)
		if parent != nil && n.linkedAs < need {
			n.linkUnder(parent, need)
		}
		n = parent
	}
	r.uses = uses
	if fresh {
		r.uses = append(make([]nodeUse[N, W], 0, len(uses)), uses...) // exactly as much memory as needed
		t.scratch = reuse(uses)
	}
}

// enqueue makes r wait at its i-th node use, behind the requests that are there.
func (t *Table[N, W]) enqueue(r *Request[N, W], i int) {
	w, use := t.newWait(r, i), &r.uses[i]
	use.waiting = true
	// Without a held mode, as for all but widenings, this is Queue.Wait.
	use.node.queue.WaitToWiden(&w.entry, w, r.seq, use.held, use.mode)
	r.blocked++
}

// End releases or withdraws a live request, and returns the requests that become granted. The slice
// is valid until the next call.
func (t *Table[N, W]) End(r *Request[N, W]) (granted []*Request[N, W]) {
	if r.seq == 0 {
		panic("BUG: treelock: End of a request that is not live")
	}
	if len(t.granted) > 0 {
		t.forgetGranted()
	}
	// A survey must see the request as it was.
	t.beforeChange(r, r.blocked > 0)
	if r.partner != nil {
		t.separate(r)
	}
	// The claims leave their lists first, while all node uses are complete.
	t.unlistClaims(r)
	if r.blocked > 0 {
		t.withdraw(r)
	}
	t.leave(r.uses)
	t.freeRequest(r)
	return t.granted
}

// forgetGranted begins a call. The requests that the previous call granted are not looked at any
// more.
func (t *Table[N, W]) forgetGranted() {
	for _, r := range t.granted {
		if r.partner != nil && r.seq == 0 { // a widening, which has ended with its grant
			t.keepRequest(r)
		}
	}
	t.granted = reuse(t.granted)
}

// withdraw removes the waiting request r from the queues where it waits, and clears its uses there.
// leave then gives up the rest. Both may admit later requests that r blocked.
func (t *Table[N, W]) withdraw(r *Request[N, W]) {
	t.waiting--
	// r has a wait for each node where it had to wait. It may have been admitted to some of them
	// since.
	for w := r.waits; w != nil; w = w.next {
		use := &r.uses[w.use]
		if !use.waiting {
			continue // it was admitted meanwhile
		}
		n := use.node
		*use = nodeUse[N, W]{}
		t.admit(n.queue.Withdraw(&w.entry, t.admitted))
		t.nodes.maybeIdle(n)
	}
	t.freeWaits(r)
}

// leave gives up uses, which are admitted or cleared, and appends to t.granted the requests that no
// longer wait anywhere.
//
// A departure admits a waiting request only if it is the last one in its mode at a node, or the
// last but one (package waitqueue says why). So most departures decrease a count and do nothing
// else.
func (t *Table[N, W]) leave(uses []nodeUse[N, W]) {
	t.uses -= len(uses)
	for i := range uses {
		use := &uses[i]
		n := use.node
		// withdraw has cleared the node uses where the request waited.
		if n == nil || !n.queue.Leave(use.mode) {
			continue
		}
		if n.queue.HasWaiting() { // avoids a call in the common case: see BenchmarkLock
			t.admit(n.queue.Advance(use.mode, t.admitted))
		}
		if !n.inIdleList && n.queue.Empty() {
			t.nodes.addIdle(n)
		}
	}
}

// admit marks the node uses of admitted entries as admitted, and appends to t.granted the requests
// that no longer wait anywhere (I5). The count of a request reaches 0 once, so its grant is
// reported once (I6). admit takes over the slice as t.admitted, which is empty between calls.
func (t *Table[N, W]) admit(admitted []*entry[N, W]) {
	if len(admitted) == 0 {
		return
	}
	for _, e := range admitted {
		w := e.Request()
		r := w.request
		r.uses[w.use].waiting = false
		r.blocked--
		if r.blocked == 0 {
			t.beforeChange(r, true)
			t.waiting--
			t.freeWaits(r)
			if r.partner != nil {
				t.widenings--
				t.unlistClaims(r)
				t.widen(r)
			}
			t.granted = append(t.granted, r)
		}
	}
	t.admitted = reuse(admitted)
}

// planClaims returns the node uses of a request for claims, in the storage of free if that is large
// enough. It marks each node with the number of the plan and the modes of the request there (I3).
//
// It changes no queue. So a caller can compare the plan with the state of the table, as Narrow
// does, and drop it. Each node is linked to its parent for the planned modes at once (I9): a child
// that is linked and not in use is allowed.
func (t *Table[N, W]) planClaims(free []nodeUse[N, W], claims []Claim[N]) (uses []nodeUse[N, W]) {
	uses = free[:0]
	for i := range claims {
		uses = t.planLineage(uses, claims[i].Lineage, claims[i].Mode)
	}
	return uses
}

// planLineage plans one claim. It stops at the first ancestor that has the intention from an
// earlier claim of the same request: that claim planned the nodes above.
func (t *Table[N, W]) planLineage(uses []nodeUse[N, W], lineage []N, mode waitqueue.Mode) []nodeUse[N, W] {
	// A node use is appended when its node is met for the first time in this plan. So a claim comes
	// before the ancestors that it adds, one after the other: claimFor relies on this order.
	for i, n := 0, t.nodes.findOrAdd(lineage[0]); n != nil; i++ {
		if n.plan != t.plan {
			n.plan, n.modes = t.plan, 0
			uses = append(uses, nodeUse[N, W]{node: n})
		} else if i > 0 && n.modes.Has(mode) {
			break
		}
		n.modes = n.modes.With(mode)
		if i == 0 {
			mode = mode.Intention()
		}
		parent := t.nodes.parentOf(n, lineage, i)
		if need := activityOf(n.modes); parent != nil && n.linkedAs < need {
			n.linkUnder(parent, need)
		}
		n = parent
	}
	return uses
}
