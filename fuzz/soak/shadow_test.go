package soak_test

import (
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/treelock/treelock"
)

// A shadow is a tree that detects when two clients use a node at once and one of them writes. It is
// independent of the lock manager. It is also a store that checks fencing tokens and numbers: it
// refuses a client with a smaller one than it has seen from a conflicting client.
type shadow struct {
	names []path         // of the nodes
	nodes []shadowNode   // one for each name
	below map[path][]int // for each name the indices of the nodes of its subtree, its own first
}

// A shadowNode is one node of a shadow.
//
// The plain fields are changed by writers and read by readers, protected by the lock alone. So the
// race detector sees it if a grant does not happen after the release that it waited for. Atomic
// fields would hide that, since they order the goroutines that touch them. Hence clients touch the
// plain fields before the first use of the atomic ones, and again after the last.
type shadowNode struct {
	writes  int   // odd while a client writes
	written order // the largest of a writer

	users                 atomic.Int64  // the readers, or a large negative number for a writer
	readToken, readNumber atomic.Uint64 // the largest of a reader
}

// An order has the places of a request in the order of grants and in that of arrivals. Both grow
// along conflicting grants (I7, I2). It is 0 if it is not known.
type order struct{ token, number uint64 }

const soleWriter = -1 << 40

// newShadow returns a shadow of a tree with as many levels below its root as there are widths. Each
// node of a level has as many children as its width says.
func newShadow(width ...int) *shadow {
	s := &shadow{below: map[path][]int{}}
	s.grow("/", width)
	s.nodes = make([]shadowNode, len(s.names))
	return s
}

// grow adds a node and its subtree, and returns the indices of these.
func (s *shadow) grow(node path, width []int) (region []int) {
	region = []int{len(s.names)}
	s.names = append(s.names, node)
	if len(width) > 0 {
		for i := range width[0] {
			child := treelock.CleanPath(fmt.Sprintf("%s/%c", node, 'a'+i))
			region = append(region, s.grow(child, width[1:])...)
		}
	}
	s.below[node] = region
	return region
}

// What a request may do to a node.
const (
	read  = 1
	write = 2
)

// accesses returns for each node what req may do to it: nothing, read or write.
func (s *shadow) accesses(req request) []uint8 {
	access := make([]uint8, len(s.nodes))
	for claim := range req.Claims() {
		region := s.below[claim.Node]
		if claim.Scope == treelock.NodeOnly {
			region = region[:1]
		}
		for _, i := range region {
			access[i] = max(access[i], read+uint8(claim.Access))
		}
	}
	return access
}

// use uses for a while all nodes that req allows to use. It returns what was wrong, if anything
// was.
func (s *shadow) use(req request, at order, while int) (wrong string) {
	access := s.accesses(req)
	before := make([]int, len(access))
	each := func(f func(i int, n *shadowNode, access uint8)) {
		for i, a := range access {
			if a != 0 {
				f(i, &s.nodes[i], a)
			}
		}
	}
	each(func(i int, n *shadowNode, access uint8) { before[i] = n.begin(access, at, &wrong) })
	each(func(_ int, n *shadowNode, access uint8) { n.enter(access, at, &wrong) })
	for range while {
		runtime.Gosched()
	}
	each(func(_ int, n *shadowNode, access uint8) { n.leave(access) })
	each(func(i int, n *shadowNode, access uint8) { n.end(access, before[i], &wrong) })
	return wrong
}

// begin touches the plain fields and returns the number of writes so far.
func (n *shadowNode) begin(access uint8, at order, wrong *string) int {
	at.checkAfter(n.written, wrong)
	if access == write {
		n.writes++
		n.written = order{max(n.written.token, at.token), max(n.written.number, at.number)}
	}
	return n.writes
}

// checkAfter checks that o comes after a conflicting grant.
func (o order) checkAfter(earlier order, wrong *string) {
	if o.token != 0 && o.token < earlier.token {
		*wrong = fmt.Sprintf("I7: token %d after the token %d of a conflicting grant", o.token, earlier.token)
	}
	if o.number != 0 && o.number < earlier.number {
		*wrong = fmt.Sprintf("I2: request %d was overtaken by request %d", o.number, earlier.number)
	}
}

// enter counts a client in, and checks which clients are there.
func (n *shadowNode) enter(access uint8, at order, wrong *string) {
	if access == read {
		if n.users.Add(1) <= 0 {
			*wrong = "I1: a reader meets a writer"
		}
		raise(&n.readToken, at.token)
		raise(&n.readNumber, at.number)
		return
	}
	if n.users.Add(soleWriter) != soleWriter {
		*wrong = "I1: a writer is not alone"
	}
	at.checkAfter(order{n.readToken.Load(), n.readNumber.Load()}, wrong)
}

// raise sets v to the maximum of its value and to.
func raise(v *atomic.Uint64, to uint64) {
	for seen := v.Load(); seen < to && !v.CompareAndSwap(seen, to); seen = v.Load() {
	}
}

// leave counts a client out.
func (n *shadowNode) leave(access uint8) {
	if access == read {
		n.users.Add(-1)
	} else {
		n.users.Add(-soleWriter)
	}
}

// end touches the plain fields again.
func (n *shadowNode) end(access uint8, before int, wrong *string) {
	if n.writes != before || access == read && before%2 != 0 {
		*wrong = fmt.Sprintf("I1: written %d times while it was used", n.writes-before)
	}
	if access == write {
		n.writes++
	}
}
