package locktest

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/treelock/treelock"
)

// A Node is a node of a tree in which some nodes are ordinary and some misbehave. Ordinary nodes
// are in the subtree /ordinary, hostile ones in /hostile. So no request for hostile nodes conflicts
// with one for ordinary nodes.
type Node struct {
	name     any       // the path of an ordinary node; a step, or a bad value, of a hostile one
	behavior *behavior // nil for an ordinary node
}

// A step is the name of a hostile node: above says how many nodes of its kind are above it.
type step struct {
	kind  string
	above int
}

// Parent returns the parent by the path of an ordinary node, and misbehaves for a hostile one.
func (n Node) Parent() (Node, bool) {
	if n.behavior != nil {
		return n.behavior.parent(n)
	}
	parent, ok := path(n.name.(string)).Parent()
	return ordinary(string(parent)), ok
}

// String returns the name of the node. It panics for the kind over, which is named in an error
// only.
func (n Node) String() string {
	if s, ok := n.name.(step); ok {
		if s.kind == "over" {
			panic("String of a hostile node")
		}
		return fmt.Sprintf("%s+%d", s.kind, s.above)
	}
	return fmt.Sprint(n.name)
}

func ordinary(path string) Node { return Node{name: path} }

// homes are the nodes that a node which moves can be below.
var homes = []Node{ordinary("/hostile/a"), ordinary("/hostile/b")}

// A behavior is the conduct of the nodes of a kind.
type behavior struct {
	in  *hostility
	top func(n Node) (Node, bool) // Parent of a node with no node of its kind above it
}

// maxParents is far more than all lineages of a history have nodes.
const maxParents = 20_000

// parent walks up the nodes of a kind. It panics when it is called without end.
func (b *behavior) parent(n Node) (Node, bool) {
	if b.in.parents.Add(1) > maxParents {
		panic("the lock calls Parent without end")
	}
	if s, ok := n.name.(step); ok && s.above > 0 {
		return Node{step{s.kind, s.above - 1}, b}, true
	}
	return b.top(n)
}

// A nodeKind is a kind of hostile node. want is the outcome of a call that claims it, nil if it
// does no harm.
type nodeKind struct {
	name string
	want error
	top  func(x *hostility, n Node) (Node, bool)
}

var nodeKinds = []nodeKind{
	{"tame", nil, below},
	{"home", nil, nil},   // one of homes, which movers are below at times
	{"edge", nil, below}, // of a lineage as long as the limit: see node
	{"over", treelock.ErrTooDeep, below},
	{"ring", treelock.ErrTooDeep, func(_ *hostility, n Node) (Node, bool) {
		return Node{step{"ring", 2}, n.behavior}, true
	}},
	{"endless", treelock.ErrTooDeep, func(_ *hostility, n Node) (Node, bool) {
		return Node{step{"endless", n.name.(step).above - 1}, n.behavior}, true
	}},
	{"NaN", treelock.ErrIncomparable, below},
	{"slice", treelock.ErrIncomparable, below},
	{"panics", errPanic, func(*hostility, Node) (Node, bool) { panic(errPanic.value) }},
	{"panics-nil", errPanicNil, func(*hostility, Node) (Node, bool) { panic(nil) }},
	{"exits", errExit, func(*hostility, Node) (Node, bool) { runtime.Goexit(); return Node{}, false }},
	{"slow", nil, func(x *hostility, n Node) (Node, bool) { x.gate.wait(); return below(x, n) }},
	{"mover", nil, func(x *hostility, _ Node) (Node, bool) { return homeAfter(x.moves.Load()) }},
	{"fickle", nil, func(x *hostility, _ Node) (Node, bool) { return homeAfter(x.counter.Add(1)) }},
	{"caller", nil, func(x *hostility, n Node) (Node, bool) { x.reenter(); return below(x, n) }},
	{"stopper", nil, func(x *hostility, n Node) (Node, bool) { x.stop(); return below(x, n) }},
}

// NodeKinds returns the names of the kinds of hostile nodes.
func NodeKinds() (names []string) {
	for _, kind := range nodeKinds {
		names = append(names, kind.name)
	}
	return names
}

// maxAbove bounds the nodes of a kind that are above a claimed one.
const maxAbove = 2

func below(*hostility, Node) (Node, bool) { return ordinary("/hostile"), true }

// homeAfter returns the parent of a node that has moved so often: one of homes, or none.
func homeAfter(moves int32) (Node, bool) {
	i := int(moves) % (len(homes) + 1)
	if i == len(homes) {
		return Node{}, false
	}
	return homes[i], true
}

// hostileTree returns a tree in which a word is the path of an ordinary node, or a kind and a
// number such as "slow+2".
func hostileTree(x *hostility) tree[Node] {
	return tree[Node]{
		top: "/ordinary",
		parse: func(word string) (Node, *nodeKind) {
			if strings.HasPrefix(word, "/") {
				return ordinary(word), nil
			}
			name, number, _ := strings.Cut(word, "+")
			above, err := strconv.Atoi(number)
			i := slices.IndexFunc(nodeKinds, func(k nodeKind) bool { return k.name == name })
			if i < 0 || err != nil {
				panic("there is no node " + word)
			}
			return x.node(&nodeKinds[i], above), &nodeKinds[i]
		},
		word:  func(node Node) string { return node.name.(string) },
		check: func(Node) error { return nil },
	}
}

// node returns a node of a kind, with as many nodes of its kind above it. The node above those
// misbehaves.
func (x *hostility) node(kind *nodeKind, above int) Node {
	b := x.behaviors[kind.name]
	if b == nil {
		b = &behavior{in: x, top: func(n Node) (Node, bool) { return kind.top(x, n) }}
		x.behaviors[kind.name] = b
	}
	switch kind.name {
	case "home":
		return homes[above%len(homes)]
	case "edge":
		above = x.maxDepth - 3 // with itself, "/hostile" and "/" as many as are allowed
	case "over":
		above = x.maxDepth - 2
	case "NaN":
		return x.aboveBad(Node{math.NaN(), b}, kind.name, above)
	case "slice":
		return x.aboveBad(Node{[]int{1}, b}, kind.name, above)
	}
	return Node{step{kind.name, above}, b}
}

// aboveBad returns bad, or a node that has bad above it.
func (x *hostility) aboveBad(bad Node, kind string, above int) Node {
	if above == 0 {
		return bad
	}
	return Node{step{kind, above - 1}, &behavior{in: x, top: func(Node) (Node, bool) { return bad, true }}}
}

// A gate is where nodes of the kind slow wait.
type gate struct {
	open  atomic.Pointer[chan struct{}]
	queue atomic.Int32
}

func newGate() *gate {
	g := &gate{}
	open := make(chan struct{})
	g.open.Store(&open)
	return g
}

// wait waits until the gate is opened the next time.
func (g *gate) wait() {
	g.queue.Add(1)
	defer g.queue.Add(-1)
	<-*g.open.Load()
}

// letAll lets all calls of wait return.
func (g *gate) letAll() {
	next := make(chan struct{})
	close(*g.open.Swap(&next))
}
