package locktable

import (
	"math"

	"github.com/treelock/treelock/waitqueue"
)

// A node is one node of a tree while a request claims it or something below it, and for some time
// after. Its name stays the same: when it is evicted its storage is not used for another one.
type node[N comparable, W any] struct {
	queue waitqueue.Queue[*wait[N, W]]

	// plan and modes are those that the request being planned has here, if plan is its plan's number.
	plan  uint64
	modes waitqueue.Modes

	inTable    bool
	root       bool     // it has no parent, which is known for good
	inIdleList bool     // in the list of nodes that were idle
	linkedAs   activity // in which list of its parent's children it is (I9)
	name       N

	// up is where the parent was found the last time. It is a guess, to be verified: the parent may
	// have left the table since, or the user's idea of it may have changed.
	parent *node[N, W]

	claims     *claimLink[N, W] // the first of one list of live claims of this node itself
	next, prev *node[N, W]      // siblings in the parent's list; circular
	children   *children[N, W]  // nil until the first child is linked
	long       *longName[N, W]  // nil if the name is short
}

// nodes finds nodes by name. A node whose queue is empty is idle, and is kept for a while (I8):
// programs come back to the same places, and making a node costs as much as the rest of a request.
//
// The list of nodes that were idle has all that are, and some that have become busy since: so it
// costs nothing to become busy and idle again. It is bounded, in nodes and in bytes of long names.
// A node that comes to its front busy is taken off, to be listed anew when it next becomes idle.
type nodes[N comparable, W any] struct {
	byName map[N]*node[N, W] // all but those with long names
	peak   int               // the most that byName held since it was made: a map never shrinks by itself

	// paths is there if N is treelock.Path. Then a name alone says what its parent is, and lineages
	// of claims are not looked at: they may not be in this processor's cache.
	paths *paths[N, W]

	maxIdle int
	idle    fifo[*node[N, W]] // of those that were idle, by when they became that
}

const minShrink = 4096 // maps smaller than this are not worth remaking

func newNodes[N comparable, W any](maxIdle int) nodes[N, W] {
	return nodes[N, W]{
		byName: make(map[N]*node[N, W]), paths: newPaths[N, W](),
		maxIdle: min(maxIdle, math.MaxInt/idleName), // so that the bound in bytes is an int, too
	}
}

// len returns the number of nodes.
func (t *nodes[N, W]) len() int {
	if t.paths == nil {
		return len(t.byName)
	}
	return len(t.byName) + t.paths.count
}

// all calls yield for each node.
func (t *nodes[N, W]) all(yield func(*node[N, W]) bool) {
	for _, n := range t.byName {
		if !yield(n) {
			return
		}
	}
	if t.paths == nil {
		return
	}
	for _, n := range t.paths.byHash {
		for n != nil {
			other := n.long.sameHash
			if !yield(n) {
				return
			}
			n = other
		}
	}
}

// find returns the node with that name, or nil.
func (t *nodes[N, W]) find(name N) *node[N, W] {
	if n := t.byName[name]; n != nil || t.paths == nil {
		return n
	}
	return t.paths.find(name)
}

// at returns the node with that name, and adds it if need be. It evicts nothing, so the nodes found
// for one request stay valid while the rest are found. The caller calls settle for a node that no
// request comes to.
func (t *nodes[N, W]) findOrAdd(name N) *node[N, W] {
	if n := t.byName[name]; n != nil {
		return n
	}
	if t.paths == nil {
		return t.add(name)
	}
	if n := t.paths.find(name); n != nil {
		return n
	}
	if t.paths.isLong(name) {
		return t.paths.add(name)
	}
	return t.add(t.paths.clone(name))
}

// add adds a node with a name that may be kept, and is not long.
func (t *nodes[N, W]) add(name N) *node[N, W] {
	n := &node[N, W]{name: name, inTable: true}
	t.byName[name] = n
	t.peak = max(t.peak, len(t.byName))
	return n
}

// above returns the node above n, which has the i-th name of lineage, and adds it if need be. It
// returns nil at the root.
func (t *nodes[N, W]) parentOf(n *node[N, W], lineage []N, i int) *node[N, W] {
	if parent := n.parent; parent != nil && parent.inTable && (t.paths != nil || i+1 < len(lineage) && parent.name == lineage[i+1]) {
		return parent
	}
	return t.findParent(n, lineage, i)
}

// aboveUnknown is above where n's guess is wrong.
func (t *nodes[N, W]) findParent(n *node[N, W], lineage []N, i int) *node[N, W] {
	if n.root {
		return nil
	}
	n.unlink()
	switch {
	case t.paths != nil:
		n.parent = t.parentOfPath(n)
	case i+1 < len(lineage):
		n.parent = t.findOrAdd(lineage[i+1])
	default:
		n.parent = nil
	}
	return n.parent
}

// abovePath returns the node above n, whose name is a path, and adds it if need be; nil at the root.
// The parent's name shares the memory of n's name, as far as that does not keep much more of it.
func (t *nodes[N, W]) parentOfPath(n *node[N, W]) *node[N, W] {
	if n.long != nil {
		if parent, isLong := t.paths.parentOf(n); isLong {
			return parent
		}
	}
	name, ok := t.paths.parent(n.name)
	if !ok {
		n.root = true
		return nil
	}
	if parent := t.byName[name]; parent != nil {
		return parent
	}
	if n.long != nil {
		name = t.paths.clone(name)
	}
	return t.add(name)
}

// parentName returns the name above the i-th of lineage, which is name.
func (t *nodes[N, W]) parentName(name N, lineage []N, i int) (parent N, ok bool) {
	if t.paths != nil {
		return t.paths.parent(name)
	}
	if i+1 < len(lineage) {
		return lineage[i+1], true
	}
	return parent, false
}

// settle looks whether n is idle now, after a request has left its queue or did not come.
func (t *nodes[N, W]) maybeIdle(n *node[N, W]) {
	if !n.inIdleList && n.queue.Empty() {
		t.addIdle(n)
	}
}

// list puts n at the end of the list of nodes that were idle, and evicts the first ones if there are
// too many, or their names take too many bytes.
func (t *nodes[N, W]) addIdle(n *node[N, W]) {
	n.inIdleList = true
	t.idle.push(n)
	if n.long != nil {
		t.paths.countIdle(n.long.text, 1)
	}
	for t.idle.len() > t.maxIdle || t.paths != nil && t.paths.idleBytes > idleName*t.maxIdle {
		t.evictOldest()
	}
}

// evictOldest takes the first node off the list, and out of the table if it is idle.
func (t *nodes[N, W]) evictOldest() {
	n := t.idle.pop()
	n.inIdleList = false
	if n.long != nil {
		t.paths.countIdle(n.long.text, -1)
	}
	if !n.queue.Empty() {
		return
	}
	n.unlink()
	n.children.unlinkAll()
	if n.long != nil {
		t.paths.remove(n)
	} else {
		delete(t.byName, n.name)
		t.byName, t.peak = shrink(t.byName, t.peak)
	}
	*n = node[N, W]{} // also ends the guesses that lead here, and lets go of the name
}

// shrink remakes a map when it has become far too large for what is in it. That takes time in
// proportion to an eighth of the entries that have left since it was last made.
func shrink[K comparable, V any](m map[K]V, peak int) (map[K]V, int) {
	if peak < minShrink || len(m) > peak/8 {
		return m, peak
	}
	smaller := make(map[K]V, len(m))
	for key, value := range m {
		smaller[key] = value
	}
	return smaller, len(smaller)
}

// A fifo is a list that grows at the end and shrinks at the front. The zero fifo is empty.
type fifo[E any] struct {
	all   []E
	first int // of those in all that have not been taken
}

func (f *fifo[E]) len() int { return len(f.all) - f.first }

func (f *fifo[E]) push(e E) { f.all = append(f.all, e) }

// pop takes the first element. When half of the storage has been taken it is used again, so a step
// costs O(1), amortised.
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
