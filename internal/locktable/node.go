package locktable

import (
	"math"

	"github.com/treelock/treelock/waitqueue"
)

// A node is one node of a tree. It is in the table while a request uses it, and for some time
// after. Its name never changes, and its storage is not used for another node.
type node[N comparable, W any] struct {
	queue waitqueue.Queue[*wait[N, W]]

	// plan is the number of the latest plan that visited this node. Numbers are never reused, so a
	// mark needs no removal.
	plan uint64

	// modes are the modes of the planned request here, if plan is the number of the latest plan.
	modes waitqueue.Modes

	inTable    bool
	root       bool     // it has no parent: a fact about its name
	inIdleList bool     // see nodes.idle
	linkedAs   activity // the list of its parent's children that it is in (I9)
	name       N

	// parent is a guess, to be verified: the parent at the last look. It may have left the table,
	// or the user may have moved the node.
	parent *node[N, W]

	claims     *claimLink[N, W] // the first claim link of one list; see claimList
	next, prev *node[N, W]      // siblings in a list of the parent; circular
	children   *children[N, W]  // nil until the first child is linked
	long       *longName[N, W]  // nil if the name is short
}

// nodes finds nodes by name, and keeps a bounded number of idle ones (I8). Programs use the same
// nodes again, and making a node costs as much as the rest of a request.
//
// The idle list holds every idle node, and busy ones that were idle before. So a node that
// alternates between idle and busy is not moved each time. The list is bounded in nodes and in
// bytes of long names. A busy node that reaches its front is removed, and is added again when it
// becomes idle.
type nodes[N comparable, W any] struct {
	byName map[N]*node[N, W] // the nodes with short names
	peak   int               // the largest size of byName since it was made: maps never shrink

	naming Naming[N] // nil if lineages decide what the parent of a node is
	long   longNames[N, W]

	maxIdle int
	idle    fifo[*node[N, W]] // in the order in which they became idle
}

// minShrink is the smallest former size of a map that is worth remaking.
const minShrink = 4096

func newNodes[N comparable, W any](maxIdle int, naming Naming[N]) nodes[N, W] {
	return nodes[N, W]{
		byName: make(map[N]*node[N, W]), naming: naming, long: newLongNames[N, W](naming),
		maxIdle: min(maxIdle, math.MaxInt/idleName), // so that the bound in bytes is an int, too
	}
}

// len returns the number of nodes.
func (t *nodes[N, W]) len() int { return len(t.byName) + t.long.count }

// all calls yield for each node.
func (t *nodes[N, W]) all(yield func(*node[N, W]) bool) {
	for _, n := range t.byName {
		if !yield(n) {
			return
		}
	}
	for _, n := range t.long.byHash {
		for n != nil {
			other := n.long.sameHash
			if !yield(n) {
				return
			}
			n = other
		}
	}
}

// find returns the node with that name, or nil. A short name is found by itself, a long one by its
// hash. To hash the whole name anew for each ancestor would take the square of its length.
func (t *nodes[N, W]) find(name N) *node[N, W] {
	if n := t.byName[name]; n != nil {
		return n
	}
	return t.long.find(name)
}

// findOrAdd returns the node with that name, and adds it if need be. It evicts no node, so the
// nodes of one request stay valid while the rest are found. The caller calls maybeIdle for each
// node that no request comes to use: a node with an empty queue must be in the idle list (I8).
//
// With a naming, the table copies a name before it keeps it: the name may be part of larger memory
// of the caller.
func (t *nodes[N, W]) findOrAdd(name N) *node[N, W] {
	if n := t.byName[name]; n != nil {
		return n
	}
	// Without a naming the table cannot copy a name: N may be any type.
	if t.naming == nil {
		return t.add(name)
	}
	if !t.long.isLong(name) {
		return t.add(t.naming.Clone(name))
	}
	if n := t.long.find(name); n != nil {
		return n
	}
	return t.long.add(name)
}

// add adds a node with a short name, which it keeps.
func (t *nodes[N, W]) add(name N) *node[N, W] {
	n := &node[N, W]{name: name, inTable: true}
	t.byName[name] = n
	t.peak = max(t.peak, len(t.byName))
	return n
}

// parentOf returns the parent of n, which has the i-th name of lineage, and adds it if need be. It
// returns nil at the root.
func (t *nodes[N, W]) parentOf(n *node[N, W], lineage []N, i int) *node[N, W] {
	// With a naming, a node never moves. Otherwise it may have moved, so the lineage decides. The
	// parent may also have left the table. Its storage is cleared then, and not used for another
	// node, so inTable tells.
	if parent := n.parent; parent != nil && parent.inTable && (t.naming != nil || i+1 < len(lineage) && parent.name == lineage[i+1]) {
		return parent
	}
	return t.findParent(n, lineage, i)
}

// findParent is parentOf for a node whose guess is wrong or missing. It stores the new parent as
// the next guess.
func (t *nodes[N, W]) findParent(n *node[N, W], lineage []N, i int) *node[N, W] {
	if n.root {
		return nil
	}
	// The node leaves the lists of its former parent. The arriving request links it again.
	n.unlink()
	switch {
	case t.naming != nil:
		n.parent = t.parentByName(n)
	case i+1 < len(lineage):
		n.parent = t.findOrAdd(lineage[i+1])
	default:
		n.parent = nil
	}
	return n.parent
}

// parentByName returns the parent of n by the naming, and adds it if need be. It returns nil at the
// root. The name of the parent may share the memory of n's name, within the bound of
// longNames.parentOf.
func (t *nodes[N, W]) parentByName(n *node[N, W]) *node[N, W] {
	if n.long != nil {
		if parent, isLong := t.long.parentOf(n); isLong {
			return parent
		}
	}
	name, ok := t.naming.Parent(n.name)
	if !ok {
		n.root = true
		return nil
	}
	if parent := t.byName[name]; parent != nil {
		return parent
	}
	if n.long != nil {
		name = t.naming.Clone(name)
	}
	return t.add(name)
}

// parentName returns the parent of name, the i-th name of lineage. ok is false at the root.
func (t *nodes[N, W]) parentName(name N, lineage []N, i int) (parent N, ok bool) {
	if t.naming != nil {
		return t.naming.Parent(name)
	}
	if i+1 < len(lineage) {
		return lineage[i+1], true
	}
	return parent, false
}

// reaches reports whether lineage has an i-th name. With a naming it need not be in the lineage. A
// walk by parents that stops there ends, even if nodes have moved below one another.
func (t *nodes[N, W]) reaches(lineage []N, i int) bool { return t.naming != nil || i < len(lineage) }

// maybeIdle adds n to the idle list if it is idle and not there yet.
func (t *nodes[N, W]) maybeIdle(n *node[N, W]) {
	if !n.inIdleList && n.queue.Empty() {
		t.addIdle(n)
	}
}

// addIdle appends n to the idle list, and evicts from its front while the list exceeds its bounds.
func (t *nodes[N, W]) addIdle(n *node[N, W]) {
	n.inIdleList = true
	t.idle.push(n)
	if n.long != nil {
		t.long.countIdle(n.long.text, 1)
	}
	// The list may be full of busy nodes. Each eviction removes one from it, so the loop ends.
	for t.idle.len() > t.maxIdle || t.long.idleBytes > idleName*t.maxIdle {
		t.evictOldest()
	}
}

// evictOldest removes the first node from the idle list, and from the table if it is still idle.
// Idle children are unlinked: they would point to a cleared node.
func (t *nodes[N, W]) evictOldest() {
	n := t.idle.pop()
	n.inIdleList = false
	if n.long != nil {
		t.long.countIdle(n.long.text, -1)
	}
	// A busy node is not evicted. It is added to the list again when it becomes idle.
	if !n.queue.Empty() {
		return
	}
	n.unlink()
	n.children.unlinkAll()
	if n.long != nil {
		t.long.remove(n)
	} else {
		delete(t.byName, n.name)
		t.byName, t.peak = shrink(t.byName, t.peak)
	}
	*n = node[N, W]{} // guesses that lead here become wrong, and the name is freed
}

// shrink remakes a map that holds at most an eighth of what it once held, and returns the map and
// its new peak. Go maps never shrink, so a burst of requests would keep its memory. The cost is
// charged to the entries that were deleted since.
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

// A fifo is a first-in, first-out list. The zero fifo is empty.
type fifo[E any] struct {
	all   []E
	first int // the index in all of the first element
}

func (f *fifo[E]) len() int { return len(f.all) - f.first }

func (f *fifo[E]) push(e E) { f.all = append(f.all, e) }

// pop removes and returns the first element. Once half of the storage is free it moves the rest to
// the front, so a step costs O(1), amortised.
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
