package locktable

import (
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/waitqueue"
)

// A node is one node of a tree while somebody claims it or something below it, and for some time after.
type node[N comparable, W any] struct {
	name  N
	queue waitqueue.Queue[*Request[N, W]]

	// up is where the parent was found the last time. It is a guess, to be verified: the parent may have
	// left the table since, or the user's idea of it may have changed.
	up      *node[N, W]
	inTable bool

	// modes are those that the request being planned has here, if plan is its plan's number.
	plan  uint64
	modes waitqueue.Modes

	idle         bool // in the list of idle nodes
	older, newer *node[N, W]
}

// nodes finds nodes by name. A node whose queue is empty is kept for a while, in a bounded list of idle
// nodes (I8): programs come back to the same places, and making a node costs as much as the rest of a
// request.
type nodes[N comparable, W any] struct {
	byName map[N]*node[N, W]
	peak   int // the most that byName held since it was made: a map never shrinks by itself

	own            func(N) N // returns a name that may be kept for long
	maxIdle        int
	idle           int
	oldest, newest *node[N, W] // the idle nodes, by when they became idle

	spare []*node[N, W] // evicted nodes, for reuse
}

const (
	maxSpare  = 64   // bounds nodes.spare
	minShrink = 4096 // maps smaller than this are not worth remaking
)

func newNodes[N comparable, W any](maxIdle int) nodes[N, W] {
	own, ok := any(ownPath).(func(N) N)
	if !ok {
		own = func(name N) N { return name }
	}
	return nodes[N, W]{byName: make(map[N]*node[N, W]), maxIdle: maxIdle, own: own}
}

// ownPath returns a copy of p that does not keep a larger string, which p may have been cut from, in memory.
func ownPath(p treelock.Path) treelock.Path { return treelock.Path(strings.Clone(string(p))) }

// find returns the node with that name, or nil if it is not in the table. below is the node whose parent
// is wanted, or nil.
func (t *nodes[N, W]) find(name N, below *node[N, W]) *node[N, W] {
	if below != nil && below.up != nil && below.up.inTable && below.up.name == name {
		return below.up
	}
	n := t.byName[name]
	if below != nil && n != nil {
		below.up = n
	}
	return n
}

// findOrAdd is like find, but adds the node if need be. The caller makes it busy, or adds it to the
// idle nodes, before it returns to its own caller. It evicts nothing, so the nodes found for one request
// stay valid while the rest are found.
func (t *nodes[N, W]) findOrAdd(name N, below *node[N, W]) *node[N, W] {
	if n := t.find(name, below); n != nil {
		return n
	}
	var n *node[N, W]
	if last := len(t.spare) - 1; last >= 0 {
		n, t.spare[last] = t.spare[last], nil
		t.spare = t.spare[:last]
	} else {
		n = new(node[N, W])
	}
	n.name, n.inTable = t.own(name), true
	t.byName[n.name] = n
	t.peak = max(t.peak, len(t.byName))
	if below != nil {
		below.up = n
	}
	return n
}

// becomeBusy takes n off the idle list, if it is there, before it gets its first entry.
func (t *nodes[N, W]) becomeBusy(n *node[N, W]) {
	if !n.idle {
		return
	}
	if n.older != nil {
		n.older.newer = n.newer
	} else {
		t.oldest = n.newer
	}
	if n.newer != nil {
		n.newer.older = n.older
	} else {
		t.newest = n.older
	}
	n.idle, n.older, n.newer = false, nil, nil
	t.idle--
}

// becomeIdle puts n, which has lost its last entry, on the idle list, and evicts the oldest if there are
// too many.
func (t *nodes[N, W]) becomeIdle(n *node[N, W]) {
	n.idle, n.older = true, t.newest
	if t.newest != nil {
		t.newest.newer = n
	} else {
		t.oldest = n
	}
	t.newest = n
	t.idle++
	if t.idle > t.maxIdle {
		t.evict(t.oldest)
	}
}

// evict removes an idle node from the table.
func (t *nodes[N, W]) evict(n *node[N, W]) {
	t.becomeBusy(n)
	delete(t.byName, n.name)
	*n = node[N, W]{} // also ends the guesses that lead here, and lets go of the name
	if len(t.spare) < maxSpare {
		t.spare = append(t.spare, n)
	}
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
