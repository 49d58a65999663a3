package fuzz_test

import (
	"fmt"
	"math"
	"runtime"
	"sync/atomic"

	"github.com/treelock/treelock"
)

// A being is a node of a tree in which some nodes are sane and others do what no node should. Sane beings and
// wild ones live in two subtrees of one root, so that nothing the wild ones are claimed for is any business of
// those who claim sane ones.
type being struct {
	name any      // of a sane being: its path
	wild *conduct // nil in a sane being
}

// A step is the name of a wild being: one that has so many others of its breed above it before the trouble.
type step struct {
	breed string
	above int
}

// Parent of a sane being is what its path says.
func (b being) Parent() (being, bool) {
	if b.wild != nil {
		return b.wild.parent(b)
	}
	parent, ok := treelock.Path(b.name.(string)).Parent()
	return sane(string(parent)), ok
}

// String panics where that is all the harm that is left to do: in the error for a lineage that is too long.
func (b being) String() string {
	if s, ok := b.name.(step); ok {
		if s.breed == "over" {
			panic("a name that is not to be spoken")
		}
		return fmt.Sprintf("%s+%d", s.breed, s.above)
	}
	return fmt.Sprint(b.name)
}

func sane(path string) being { return being{name: path} }

// saneWorld has every relation between two nodes; all that is claimed by sane guests is in it.
var saneWorld = []being{
	sane("/sane"), sane("/sane/a"), sane("/sane/a/x"), sane("/sane/a/y"), sane("/sane/b"), sane("/sane/b/z"),
}

// wildHomes are the places that a being which moves can be at.
var wildHomes = []being{sane("/wild/a"), sane("/wild/b")}

// A conduct is what a breed of wild beings does in Parent.
type conduct struct {
	in  *house
	top func(b being) (being, bool) // the answer of a being with nothing of its breed above it
}

// parent walks up the steps of a breed. There is an end to it even if the manager should know none, so that
// this is a failure and not a full memory.
func (c *conduct) parent(b being) (being, bool) {
	if c.in.steps.Add(1) > maxSteps {
		panic("the manager asks for parents without end")
	}
	if s, ok := b.name.(step); ok && s.above > 0 {
		return being{step{s.breed, s.above - 1}, c}, true
	}
	return c.top(b)
}

// maxSteps is far more than all lineages of a history have nodes.
const maxSteps = 10_000

// A breed is a kind of wild being. Its fate is what it brings upon whoever claims it, in the words of
// outcome; empty if it does no harm to a call.
type breed struct {
	name string
	fate string
	top  func(h *house, b being) (being, bool)
}

var breeds = []breed{
	{"tame", "", atHome},
	{"home", "", nil},    // a place where others are at times; a sane being in itself
	{"edge", "", atHome}, // of a lineage as long as the limit; see house.being
	{"over", "too deep", atHome},
	{"ring", "too deep", func(_ *house, b being) (being, bool) {
		return being{step{"ring", 2}, b.wild}, true
	}},
	{"endless", "too deep", func(_ *house, b being) (being, bool) {
		return being{step{"endless", b.name.(step).above - 1}, b.wild}, true
	}},
	{"NaN", "incomparable", atHome},
	{"slice", "incomparable", atHome},
	{"panics", "panics with mine", func(*house, being) (being, bool) { panic("mine") }},
	{"panics-nil", "panics with nil", func(*house, being) (being, bool) { panic(nil) }},
	{"exits", "exits", func(*house, being) (being, bool) { runtime.Goexit(); return being{}, false }},
	{"slow", "", func(h *house, b being) (being, bool) { h.gate.wait(); return atHome(h, b) }},
	{"mover", "", func(h *house, _ being) (being, bool) { return h.homeOf(h.home.Load()) }},
	{"fickle", "", func(h *house, _ being) (being, bool) { return h.homeOf(h.whim.Add(1)) }},
	{"caller", "", func(h *house, b being) (being, bool) { h.bother(); return atHome(h, b) }},
	{"stopper", "", func(h *house, b being) (being, bool) { h.endManager(); return atHome(h, b) }},
}

func atHome(*house, being) (being, bool) { return sane("/wild"), true }

// being returns a being of a breed, with as many of its breed above it; what is above those is the trouble.
func (h *house) being(b breed, above int) being {
	wild := h.conducts[b.name]
	if wild == nil {
		wild = &conduct{in: h, top: func(top being) (being, bool) { return b.top(h, top) }}
		h.conducts[b.name] = wild
	}
	switch b.name {
	case "home":
		return wildHomes[above%len(wildHomes)]
	case "edge":
		above = h.maxDepth - 3 // with itself, "/wild" and "/" as many as are allowed
	case "over":
		above = h.maxDepth - 2
	case "NaN":
		return h.below(being{math.NaN(), wild}, b.name, above)
	case "slice":
		return h.below(being{[]int{1}, wild}, b.name, above)
	}
	return being{step{b.name, above}, wild}
}

// below returns bad, or a being of its breed that has it above itself.
func (h *house) below(bad being, breed string, above int) being {
	if above == 0 {
		return bad
	}
	return being{step{breed, above - 1}, &conduct{in: h, top: func(being) (being, bool) { return bad, true }}}
}

// homeOf returns where a being that has moved so often is: below one of the homes or nowhere.
func (h *house) homeOf(moves int32) (being, bool) {
	i := int(moves) % (len(wildHomes) + 1)
	if i == len(wildHomes) {
		return being{}, false
	}
	return wildHomes[i], true
}

// A gate is where the slow wait.
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

// letAll lets all through who wait.
func (g *gate) letAll() {
	next := make(chan struct{})
	close(*g.open.Swap(&next))
}
