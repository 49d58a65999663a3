package locktable

import (
	"fmt"

	"github.com/treelock/treelock/waitqueue"
)

// check checks one node against the live requests. Its queue must count the admitted ones by mode,
// and must have one entry for each waiting one (I3). An empty queue must be in the idle list (I8).
func (n *node[N, W]) check(recount *recount) error {
	// Nothing else would remove such a node, so it would leak.
	if n.queue.Empty() && !n.inIdleList {
		return fmt.Errorf("I8: node %v is idle, but not in the idle list", n.name)
	}
	if err := n.queue.Check(); err != nil {
		return fmt.Errorf("node %v: %w", n.name, err)
	}
	// A count that is too large blocks requests without end, and one that is too small lets
	// conflicting ones in.
	for mode, count := range recount.admitted {
		mode := waitqueue.Mode(mode)
		if got := n.queue.Admitted(mode); got != count {
			return fmt.Errorf("I3: node %v counts %d requests admitted in %v, a recount gives %d", n.name, got, mode, count)
		}
	}
	waiting := 0
	for e := range n.queue.Waiting(waitqueue.AllModes) {
		w := e.Request()
		// An entry and its node use point to each other, and agree in mode and number.
		use := &w.request.uses[w.use]
		if use.node != n || !use.waiting || use.mode != e.Mode() || use.held != e.Held() || w.request.seq != e.Seq() {
			return fmt.Errorf("I3: node %v has an entry of request %d that does not match the request", n.name, e.Seq())
		}
		waiting++
	}
	// Each entry has its node use, so equal numbers mean that each waiting use has its entry.
	if waiting != recount.waiting {
		return fmt.Errorf("I3: node %v has %d waiting entries, a recount gives %d", n.name, waiting, recount.waiting)
	}
	if err := n.checkChildren(); err != nil {
		return err
	}
	return n.checkClaims(recount)
}

// checkClaims checks that the claim lists of n hold exactly the live claims of n (I3), each in the
// list for its mode. Links must be right, and admitted claims come before waiting ones (I4).
func (n *node[N, W]) checkClaims(recount *recount) error {
	// claimList takes n.claims == nil to mean that both are empty.
	if n.claims == nil && n.claimLists()[1] != nil {
		return fmt.Errorf("I3: node %v has a second claim list, but no first one", n.name)
	}
	claims := 0
	// One pass over each list checks that prev is the reverse of next, and that no admitted claim
	// comes after a waiting one. The claims of a widening that waits are the exception: it may be
	// admitted here although it came later.
	for _, first := range n.claimLists() {
		last := (*claimLink[N, W])(nil)
		for l := first; l != nil; l = l.next {
			if !l.isClaimOf(n) || l.readsNode() != first.readsNode() || last != nil && l.prev != last {
				return fmt.Errorf("I3: node %v lists a claim of request %d that is wrong, or linked wrongly", n.name, l.request.seq)
			}
			if last != nil && last.waits() && !l.waits() && l.request.Widens() == nil {
				return fmt.Errorf("I4: node %v lists request %d, which waits, before request %d, which is admitted", n.name, last.request.seq, l.request.seq)
			}
			claims++
			last = l
		}
		// In a list of one link, prev is nil. In a longer one the prev of the first link is the
		// last link.
		if last == first {
			last = nil // the only one
		}
		if first != nil && first.prev != last {
			return fmt.Errorf("I3: node %v has the wrong last claim: the link of request %d points to it", n.name, first.prev.request.seq)
		}
	}
	if claims != recount.claims {
		return fmt.Errorf("I3: node %v lists %d claims, a recount gives %d", n.name, claims, recount.claims)
	}
	return nil
}

// isClaimOf reports whether the node use of l is a claim of n. A link knows its node use by index,
// so the uses of a request must not change while its claims are listed.
func (l *claimLink[N, W]) isClaimOf(n *node[N, W]) bool {
	if l.use >= len(l.request.uses) {
		return false
	}
	use := &l.request.uses[l.use]
	return use.node == n && use.mode.Claims()
}

// waits reports whether the claim waits.
func (l *claimLink[N, W]) waits() bool { return l.request.uses[l.use].waiting }

// checkChildren checks that a busy node is linked to its parent for its activity or a stronger one
// (I9). It also checks the links in the lists of its children. A child may be linked without need:
// the next search unlinks it.
func (n *node[N, W]) checkChildren() error {
	// A node without activity needs no link, and neither does a root. The parent of a busy node has
	// left the table only if nodes have moved.
	need := inactive
	switch {
	case n.parent == nil || n.parent == n || !n.parent.inTable || n.queue.Empty():
	case n.queue.Uses(waitqueue.Writing):
		need = writing
	default:
		need = reading
	}
	if n.linkedAs < need {
		return fmt.Errorf("I9: node %v is linked for activity %d, but has activity %d", n.name, n.linkedAs, need)
	}
	if n.children == nil {
		return nil
	}
	// The links of idle children are checked as well: relink and unlinkAll follow them. The lists
	// are circular, so the walk ends when it is back at the first child.
	for i, first := range n.children.first {
		for c := first; c != nil; {
			// A wrong link would lead the search for blockers into another tree, or round in a ring.
			if c == n || c.parent != n || c.linkedAs != activity(i)+reading || c.next.prev != c || !c.inTable {
				return fmt.Errorf("I9: node %v is in a list of children of %v by mistake", c.name, n.name)
			}
			if c = c.next; c == first {
				break
			}
		}
	}
	return nil
}

// check checks the idle list (I8). It must hold exactly the marked nodes, within the bounds. The
// bytes of their long names must be counted, each text once.
func (t *nodes[N, W]) check() error {
	for _, n := range t.idle.all[t.idle.first:] {
		if !n.inIdleList || !n.inTable || t.find(n.name) != n {
			return fmt.Errorf("I8: node %v is in the idle list, but has inIdleList=%t, inTable=%t", n.name, n.inIdleList, n.inTable)
		}
	}
	// The list may hold busy nodes, but each idle one must be in it: node.check has seen to that. A
	// node that is in it twice shows up as a list that is longer than the number of marks.
	flagged, bytes, texts := 0, 0, map[*text]int{}
	for n := range t.all {
		if n.inIdleList {
			flagged++
		}
		// Nodes may share a text.
		if n.inIdleList && n.long != nil {
			if texts[n.long.text]++; texts[n.long.text] == 1 {
				bytes += n.long.text.bytes
			}
		}
	}
	if bytes != t.long.idleBytes {
		return fmt.Errorf("I8: the names in the idle list take %d bytes, but %d are counted", bytes, t.long.idleBytes)
	}
	if listed := t.idle.len(); flagged != listed || listed > t.maxIdle {
		return fmt.Errorf("I8: the idle list has %d nodes, %d have inIdleList set, the limit is %d", listed, flagged, t.maxIdle)
	}
	return nil
}
