package locktable

import (
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/waitqueue"
)

// A node is one node of a tree while somebody claims it or something below it, and for some time after. Its name
// stays the same: when it is evicted its storage is not used for another one.
type node[N comparable, W any] struct {
	queue waitqueue.Queue[*wait[N, W]]

	// plan and modes are those that the request being planned has here, if plan is its plan's number.
	plan  uint64
	modes waitqueue.Modes

	inTable bool
	root    bool // it has no parent, for ever
	listed  bool // in the list of nodes that were idle
	name    N

	// up is where the parent was found the last time. It is a guess, to be verified: the parent may have
	// left the table since, or the user's idea of it may have changed.
	up *node[N, W]

	claimed *link[N, W] // the first of the list of all live claims of this node itself
}

// nodes finds nodes by name. A node whose queue is empty is idle, and is kept for a while (I8): programs come back to
// the same places, and making a node costs as much as the rest of a request.
//
// The list of nodes that were idle has all that are, and some that have become busy since: so it costs nothing to
// become busy and idle again. It is bounded. Whoever comes to its front busy is taken off, to be listed anew when it
// next becomes idle.
type nodes[N comparable, W any] struct {
	byName map[N]*node[N, W]
	peak   int // the most that byName held since it was made: a map never shrinks by itself

	own func(N) N // returns a name that may be kept for long

	// parentOf is there if a name alone says what its parent is, for ever. Then the lineages of claims are not looked at: they
	// may not be in this processor's cache.
	parentOf func(N) (N, bool)

	maxListed int
	listed    fifo[*node[N, W]] // of those that were idle, by when they became that
}

const minShrink = 4096 // maps smaller than this are not worth remaking

func newNodes[N comparable, W any](maxIdle int) nodes[N, W] {
	t := nodes[N, W]{byName: make(map[N]*node[N, W]), maxListed: maxIdle}
	if own, ok := any(ownPath).(func(N) N); ok {
		t.own = own
		t.parentOf, _ = any(treelock.Path.Parent).(func(N) (N, bool))
	}
	return t
}

// ownPath returns a copy of p that does not keep a larger string, which p may have been cut from, in memory.
func ownPath(p treelock.Path) treelock.Path { return treelock.Path(strings.Clone(string(p))) }

// at returns the node with that name, and adds it if need be. It evicts nothing, so the nodes found for one request
// stay valid while the rest are found. The caller calls settle for a node that nobody comes to.
func (t *nodes[N, W]) at(name N) *node[N, W] {
	if n := t.byName[name]; n != nil {
		return n
	}
	if t.own != nil {
		name = t.own(name)
	}
	n := &node[N, W]{name: name, inTable: true}
	t.byName[name] = n
	t.peak = max(t.peak, len(t.byName))
	return n
}

// above returns the node above n, which has the i-th name of lineage, and adds it if need be. It returns nil at the root.
func (t *nodes[N, W]) above(n *node[N, W], lineage []N, i int) *node[N, W] {
	if up := n.up; up != nil && up.inTable && (t.parentOf != nil || i+1 < len(lineage) && up.name == lineage[i+1]) {
		return up
	}
	return t.aboveUnknown(n, lineage, i)
}

// aboveUnknown is above where n's guess is wrong.
func (t *nodes[N, W]) aboveUnknown(n *node[N, W], lineage []N, i int) *node[N, W] {
	if n.root {
		return nil
	}
	name, ok := t.parentName(n.name, lineage, i)
	if !ok {
		n.root = t.parentOf != nil
		return nil
	}
	n.up = t.at(name)
	return n.up
}

// parentName returns the name above the i-th of lineage, which is name.
func (t *nodes[N, W]) parentName(name N, lineage []N, i int) (parent N, ok bool) {
	if t.parentOf != nil {
		return t.parentOf(name)
	}
	if i+1 < len(lineage) {
		return lineage[i+1], true
	}
	return parent, false
}

// settle looks whether n is idle now, after somebody has left its queue or did not come.
func (t *nodes[N, W]) settle(n *node[N, W]) {
	if n.queue.Empty() && !n.listed {
		t.list(n)
	}
}

// list puts n at the end of the list of nodes that were idle, and evicts the first if there are too many.
func (t *nodes[N, W]) list(n *node[N, W]) {
	n.listed = true
	t.listed.push(n)
	if t.listed.len() > t.maxListed {
		t.evictOldest()
	}
}

// evictOldest takes the first node off the list, and out of the table if it is idle.
func (t *nodes[N, W]) evictOldest() {
	n := t.listed.pop()
	n.listed = false
	if !n.queue.Empty() {
		return
	}
	delete(t.byName, n.name)
	*n = node[N, W]{} // also ends the guesses that lead here, and lets go of the name
	t.shrink()
}

// shrink remakes the map when it has become far too large for what is in it. That takes time in
// proportion to an eighth of the nodes that have left since it was last made.
func (t *nodes[N, W]) shrink() {
	if t.peak < minShrink || len(t.byName) > t.peak/8 {
		return
	}
	smaller := make(map[N]*node[N, W], len(t.byName))
	for name, n := range t.byName {
		smaller[name] = n
	}
	t.byName, t.peak = smaller, len(smaller)
}

// A fifo is a list that grows at the end and shrinks at the front. The zero fifo is empty.
type fifo[E any] struct {
	all   []E
	first int // of those in all that have not been taken
}

func (f *fifo[E]) len() int { return len(f.all) - f.first }

func (f *fifo[E]) push(e E) { f.all = append(f.all, e) }

// pop takes the first element. When half of the storage has been taken it is used again, so a step costs O(1), amortised.
func (f *fifo[E]) pop() E {
	var none E
	e := f.all[f.first]
	f.all[f.first] = none
	f.first++
	if f.first > len(f.all)/2 {
		rest := copy(f.all, f.all[f.first:])
		clear(f.all[rest:])
		f.all, f.first = f.all[:rest], 0
	}
	return e
}
