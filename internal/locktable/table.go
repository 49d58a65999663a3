package locktable

import (
	"iter"

	"github.com/treelock/treelock/waitqueue"
)

// A Table knows all live requests and decides when each is granted. N names the nodes. W is what its
// owner attaches to a request. Get one from [New].
type Table[N comparable, W any] struct {
	nodes nodes[N, W]

	lastSeq uint64 // of the latest request
	live    int
	places  int // of all live requests

	waiting                   int // the requests that wait, and the list of them by arrival
	firstWaiting, lastWaiting *Request[N, W]

	// Storage that is used over and over.
	free    []*Request[N, W] // requests that ended
	plan    uint64           // the number of the latest plan
	planned []*node[N, W]    // the nodes of the latest plan
	stirred []*Request[N, W] // requests with an entry that was just admitted or revoked, once for each
	granted []*Request[N, W] // what the latest call granted
}

// New returns an empty table that keeps at most maxIdle nodes that nobody claims.
func New[N comparable, W any](maxIdle int) *Table[N, W] {
	return &Table[N, W]{nodes: newNodes[N, W](maxIdle)}
}

// Live returns the number of requests that are live.
func (t *Table[N, W]) Live() int { return t.live }

// Waiting returns the number of requests that are live and not granted.
func (t *Table[N, W]) Waiting() int { return t.waiting }

// Places returns the number of entries in all queues.
func (t *Table[N, W]) Places() int { return t.places }

// Nodes returns the number of nodes that the table knows, the idle ones included.
func (t *Table[N, W]) Nodes() int { return len(t.nodes.byName) }

// Waiters returns an iterator over the waiting requests by arrival. The table must not change while it runs.
func (t *Table[N, W]) Waiters() iter.Seq[*Request[N, W]] {
	return func(yield func(*Request[N, W]) bool) {
		for r := t.firstWaiting; r != nil; r = r.later {
			if !yield(r) {
				return
			}
		}
	}
}

// Abandon ends the use of the table: it takes everything in it apart, so that a request that somebody keeps does
// not keep all the rest in memory. It takes time in proportion to the number of nodes and places.
func (t *Table[N, W]) Abandon() {
	for _, n := range t.nodes.byName {
		n.queue.Clear()
		*n = node[N, W]{}
	}
	*t = Table[N, W]{}
}

// Submit is the arrival of a request for claims, which the caller may change afterwards. The request is
// granted at once if Granted says so; if not, a later call will return it as granted.
func (t *Table[N, W]) Submit(who W, claims []Claim[N]) *Request[N, W] {
	r := t.newRequest(who)
	t.planClaims(claims)
	r.places = makePlaces(r.places, t.countPlaces())
	t.places += len(r.places)
	i := 0
	for _, n := range t.planned {
		t.nodes.becomeBusy(n)
		for modes := n.modes; modes != 0; modes = modes.Rest() {
			p := &r.places[i]
			p.node = n
			if !n.queue.Arrive(&p.entry, r, r.seq, modes.First()) {
				r.blocked++
			}
			i++
		}
	}
	t.planned = reuse(t.planned)
	if r.blocked > 0 {
		t.pushWaiting(r)
	}
	return r
}

// End releases or withdraws a live request, whichever it is for, and returns the requests that are
// granted by that. The slice is valid until the next call.
func (t *Table[N, W]) End(r *Request[N, W]) (granted []*Request[N, W]) {
	if r.seq == 0 {
		panic("BUG: treelock: the end of a request that is not live")
	}
	if r.Waiting() {
		t.dropWaiting(r)
	}
	t.granted = reuse(t.granted)
	t.leave(r.places)
	t.freeRequest(r)
	return t.granted
}

// leave takes entries out of the queues and adds the requests that lose their last obstacle by that to
// t.granted.
func (t *Table[N, W]) leave(places []place[N, W]) {
	t.places -= len(places)
	for i := range places {
		p := &places[i]
		t.stirred = p.node.queue.Leave(&p.entry, reuse(t.stirred))
		for _, r := range t.stirred {
			r.blocked--
			if r.blocked == 0 {
				t.dropWaiting(r)
				t.granted = append(t.granted, r)
			}
		}
		if p.node.queue.Empty() {
			t.nodes.becomeIdle(p.node)
		}
	}
}

// planClaims finds the nodes that a request for claims has to be queued at, and leaves them in
// t.planned, each with the modes that it needs there: those that no other of its modes covers (I3).
func (t *Table[N, W]) planClaims(claims []Claim[N]) {
	t.plan++
	for i := range claims {
		t.planLineage(claims[i].Lineage, claims[i].Mode)
	}
	for _, n := range t.planned {
		n.modes = n.modes.Minimal()
	}
}

// planLineage plans one claim. It stops early at the first ancestor that an earlier claim of the same
// request has the same intention for, since that claim went on from there.
func (t *Table[N, W]) planLineage(lineage []N, mode waitqueue.Mode) {
	var below *node[N, W]
	for _, name := range lineage {
		n := t.nodes.findOrAdd(name, below)
		if n.plan != t.plan {
			n.plan, n.modes = t.plan, 0
			t.planned = append(t.planned, n)
		}
		if below != nil && n.modes.Has(mode) {
			return
		}
		n.modes = n.modes.With(mode)
		below, mode = n, mode.Intention()
	}
}

// countPlaces returns how many places the latest plan needs.
func (t *Table[N, W]) countPlaces() (count int) {
	for _, n := range t.planned {
		count += n.modes.Len()
	}
	return count
}

// makePlaces returns a slice of count zero places, in the storage of free if that is large enough.
func makePlaces[N comparable, W any](free []place[N, W], count int) []place[N, W] {
	if cap(free) < count {
		return make([]place[N, W], count)
	}
	return free[:count]
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
