package soak_test

import (
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/treelock/treelock"
)

// A shadow is a tree whose users notice when two of them use a node at once and one of them writes. It knows
// nothing of the lock manager. It is also a store that knows fencing tokens, and refuses a user with a smaller one
// than it has seen from a user that conflicts.
type shadow struct {
	nodes []treelock.Path         // the plots' names
	plots []plot                  // one for each node
	below map[treelock.Path][]int // for each node the plots of its subtree, its own first
}

// A plot is one node of a shadow.
//
// The plain fields are changed by writers and read by readers, with no other protection than the lock: so the race
// detector sees it, too, if a grant does not happen after the release that made room for it. Atomic fields would
// hide that from it, since they order whoever touches them. Hence the users of a plot touch the plain fields before the
// first use of the others, and again after the last.
type plot struct {
	writes  int    // odd while somebody writes
	written uint64 // the largest token of a writer

	users atomic.Int64  // the readers, or a large negative number for a writer
	read  atomic.Uint64 // the largest token of a reader
}

const soleWriter = -1 << 40

// newShadow returns a shadow of a tree with three levels below its root, each node having as many children as
// width says for its level.
func newShadow(width ...int) *shadow {
	s := &shadow{below: map[treelock.Path][]int{}}
	s.grow("/", width)
	s.plots = make([]plot, len(s.nodes))
	return s
}

// grow adds a node and what is below it, and returns the numbers of these.
func (s *shadow) grow(node treelock.Path, width []int) (region []int) {
	region = []int{len(s.nodes)}
	s.nodes = append(s.nodes, node)
	if len(width) > 0 {
		for i := range width[0] {
			child := treelock.CleanPath(fmt.Sprintf("%s/%c", node, 'a'+i))
			region = append(region, s.grow(child, width[1:])...)
		}
	}
	s.below[node] = region
	return region
}

// accesses returns for each plot what req may do to it: nothing, read (1) or write (2).
func (s *shadow) accesses(req treelock.Request[treelock.Path]) []uint8 {
	access := make([]uint8, len(s.plots))
	for claim := range req.Claims() {
		region := s.below[claim.Node]
		if claim.Scope == treelock.NodeOnly {
			region = region[:1]
		}
		for _, i := range region {
			access[i] = max(access[i], 1+uint8(claim.Access))
		}
	}
	return access
}

// use uses all that req allows to use, for a while, with a token or 0 if there is none. It returns what was wrong, if
// anything was: each of these is a breach of I1 or I7.
func (s *shadow) use(req treelock.Request[treelock.Path], token uint64, while int) (wrong string) {
	access := s.accesses(req)
	before := make([]int, len(access))
	for i, a := range access {
		if a != 0 {
			before[i] = s.plots[i].begin(a, token, &wrong)
		}
	}
	for i, a := range access {
		if a != 0 {
			s.plots[i].enter(a, token, &wrong)
		}
	}
	for range while {
		runtime.Gosched()
	}
	for i, a := range access {
		if a != 0 {
			s.plots[i].leave(a)
		}
	}
	for i, a := range access {
		if a != 0 {
			s.plots[i].end(a, before[i], &wrong)
		}
	}
	return wrong
}

// begin touches the plain fields and returns the number of writes so far.
func (p *plot) begin(access uint8, token uint64, wrong *string) int {
	if token != 0 && token < p.written {
		*wrong = fmt.Sprintf("I7: token %d after the token %d of a writer", token, p.written)
	}
	if access == 2 {
		p.writes++
		p.written = max(p.written, token)
	}
	return p.writes
}

// enter counts a user in, and looks who else is there.
func (p *plot) enter(access uint8, token uint64, wrong *string) {
	if access == 1 {
		if p.users.Add(1) <= 0 {
			*wrong = "I1: a reader meets a writer"
		}
		for seen := p.read.Load(); seen < token && !p.read.CompareAndSwap(seen, token); seen = p.read.Load() {
		}
		return
	}
	if p.users.Add(soleWriter) != soleWriter {
		*wrong = "I1: a writer is not alone"
	}
	if seen := p.read.Load(); token != 0 && token < seen {
		*wrong = fmt.Sprintf("I7: token %d after the token %d of a reader", token, seen)
	}
}

// leave counts a user out.
func (p *plot) leave(access uint8) {
	if access == 1 {
		p.users.Add(-1)
	} else {
		p.users.Add(-soleWriter)
	}
}

// end touches the plain fields again.
func (p *plot) end(access uint8, before int, wrong *string) {
	if p.writes != before || access == 1 && before%2 != 0 {
		*wrong = fmt.Sprintf("I1: written %d times while it was used", p.writes-before)
	}
	if access == 2 {
		p.writes++
	}
}
