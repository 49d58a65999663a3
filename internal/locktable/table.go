package locktable

import (
	"cmp"
	"slices"

	"github.com/treelock/treelock/waitqueue"
)

// A Table knows all live requests and decides when each is granted. N names the nodes. W is what its
// owner attaches to a request. Get one from [New].
type Table[N comparable, W any] struct {
	nodes nodes[N, W]

	lastSeq uint64 // of the latest request
	live    int
	waiting int // of those that are live
	uses    int // of all that are live

	storage storage[N, W]
	survey  *Survey[N, W] // that is under way, if any

	// Scratch space for one call.
	plan     uint64           // the number of the latest plan
	admitted []*entry[N, W]   // what a queue has admitted
	granted  []*Request[N, W] // what the latest call granted
	scratch  []nodeUse[N, W]  // the places of a request that has no storage for them yet
	requeued []requeued[N, W]
	searches uint64 // the number of the latest place at which blockers were searched for
	found    []blocker[N, W]
}

// entry is an entry in a queue.
type entry[N comparable, W any] = waitqueue.Entry[*wait[N, W]]

// New returns an empty table that keeps at most maxIdle nodes that nobody claims.
func New[N comparable, W any](maxIdle int) *Table[N, W] {
	return &Table[N, W]{nodes: newNodes[N, W](maxIdle)}
}

// Live returns the number of requests that are live.
func (t *Table[N, W]) Live() int { return t.live }

// Waiting returns the number of requests that are live and not granted.
func (t *Table[N, W]) Waiting() int { return t.waiting }

// Places returns the number of places of all live requests: for each, the nodes that it claims and their ancestors.
func (t *Table[N, W]) Places() int { return t.uses }

// Nodes returns the number of nodes that the table knows, the idle ones included.
func (t *Table[N, W]) Nodes() int { return t.nodes.len() }

// Requests returns the live requests by arrival. It takes time in proportion to their number, and to sort them.
func (t *Table[N, W]) Requests() []*Request[N, W] {
	return t.requests(func(r *Request[N, W]) bool { return r.seq != 0 })
}

// Waiters returns the requests that wait, as Requests does.
func (t *Table[N, W]) Waiters() []*Request[N, W] { return t.requests((*Request[N, W]).Waiting) }

// requests returns the requests that are wanted, by arrival.
func (t *Table[N, W]) requests(want func(*Request[N, W]) bool) (found []*Request[N, W]) {
	for _, r := range t.storage.requests {
		if want(r) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b *Request[N, W]) int { return cmp.Compare(a.seq, b.seq) })
	return found
}

// Abandon ends the use of the table: it takes everything in it apart, so that a request that somebody keeps does
// not keep all the rest in memory. A request is the only part of it that anybody else has.
func (t *Table[N, W]) Abandon() {
	for _, r := range t.storage.requests {
		*r = Request[N, W]{}
	}
	*t = Table[N, W]{}
}

// Submit is the arrival of a request for claims, which the caller may change afterwards. The request is
// granted at once if Granted says so; if not, a later call will return it as granted.
func (t *Table[N, W]) Submit(who W, claims []Claim[N]) *Request[N, W] {
	r := t.newRequest(who)
	t.plan++
	if len(claims) == 1 {
		t.arriveAlone(r, &claims[0])
	} else {
		t.arrive(r, claims)
	}
	t.uses += len(r.uses)
	if r.blocked > 0 {
		t.waiting++
	}
	return r
}

// arrive lets r arrive with several claims. First it finds out all modes that r has at a node.
func (t *Table[N, W]) arrive(r *Request[N, W], claims []Claim[N]) {
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

// arriveAlone is arrive for one claim, in one pass, as most requests have no more. See BenchmarkSubmit.
func (t *Table[N, W]) arriveAlone(r *Request[N, W], claim *Claim[N]) {
	mode, uses, fresh := claim.Mode, r.uses[:0], cap(r.uses) == 0
	need := activityOf(1 << mode)
	if fresh {
		uses = t.scratch[:0]
	}
	for i, n := 0, t.nodes.findOrAdd(claim.Lineage[0]); n != nil; i++ {
		if n.plan != t.plan { // else what r has there already covers the intention
			n.plan = t.plan
			uses = append(uses, nodeUse[N, W]{node: n, mode: mode})
			if i == 0 {
				n.addClaim(&r.firstClaim, mode)
			}
			if !n.queue.Arrive(mode) {
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
		r.uses = append(make([]nodeUse[N, W], 0, len(uses)), uses...) // and no more memory than that
		t.scratch = reuse(uses)
	}
}

// await makes r wait at its i-th place, behind all who are there.
func (t *Table[N, W]) enqueue(r *Request[N, W], i int) {
	w, use := t.newWait(r, i), &r.uses[i]
	use.waiting = true
	use.node.queue.Wait(&w.entry, w, r.seq, use.mode)
	r.blocked++
}

// End releases or withdraws a live request, whichever it is for, and returns the requests that are
// granted by that. The slice is valid until the next call.
func (t *Table[N, W]) End(r *Request[N, W]) (granted []*Request[N, W]) {
	if r.seq == 0 {
		panic("BUG: treelock: the end of a request that is not live")
	}
	if len(t.granted) > 0 {
		t.granted = reuse(t.granted)
	}
	t.beforeChange(r, r.blocked > 0)
	t.unlistClaims(r)
	if r.blocked > 0 {
		t.withdraw(r)
	}
	t.leave(r.uses)
	t.freeRequest(r)
	return t.granted
}

// withdraw takes r, which waits, out of the queues where it does, and drops the places there.
func (t *Table[N, W]) withdraw(r *Request[N, W]) {
	t.waiting--
	for w := r.waits; w != nil; w = w.next {
		use := &r.uses[w.use]
		if !use.waiting {
			continue // it was admitted since
		}
		n := use.node
		*use = nodeUse[N, W]{}
		t.admit(n.queue.Withdraw(&w.entry, t.admitted))
		t.nodes.maybeIdle(n)
	}
	t.freeWaits(r)
}

// leave gives up places, at all of which a request was admitted but for those without a node, and adds the requests
// that lose their last obstacle by that to t.granted.
func (t *Table[N, W]) leave(uses []nodeUse[N, W]) {
	t.uses -= len(uses)
	for i := range uses {
		use := &uses[i]
		n := use.node
		if n == nil || !n.queue.Leave(use.mode) {
			continue
		}
		if !n.queue.Calm() { // where nothing waits, nothing is called: see BenchmarkLock
			t.admit(n.queue.Advance(use.mode, t.admitted))
		}
		if !n.inIdleList && n.queue.Empty() {
			t.nodes.addIdle(n)
		}
	}
}

// admit tells requests that their entries were admitted, and adds those that lose their last obstacle by that
// to t.granted. The slice is t.admitted, which is empty at other times, or takes its place.
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
			t.granted = append(t.granted, r)
		}
	}
	t.admitted = reuse(admitted)
}

// planClaims finds the nodes that a request for claims has to be at, and returns them as places, in the storage of
// free if that is large enough. The nodes carry the number of this plan and the modes that the request has there (I3).
func (t *Table[N, W]) planClaims(free []nodeUse[N, W], claims []Claim[N]) (uses []nodeUse[N, W]) {
	uses = free[:0]
	for i := range claims {
		uses = t.planLineage(uses, claims[i].Lineage, claims[i].Mode)
	}
	return uses
}

// planLineage plans one claim. It stops early at the first ancestor that an earlier claim of the same
// request has the same intention for, since that claim went on from there.
func (t *Table[N, W]) planLineage(uses []nodeUse[N, W], lineage []N, mode waitqueue.Mode) []nodeUse[N, W] {
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

// maxReuse bounds the storage that a table keeps for its next call.
const maxReuse = 1024

// reuse returns an empty slice, in the storage of s if that is not too large to be kept, with nothing
// left in it that the garbage collector would have to spare.
func reuse[E any](s []E) []E {
	if cap(s) > maxReuse {
		return nil
	}
	clear(s)
	return s[:0]
}
