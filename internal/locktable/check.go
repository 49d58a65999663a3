package locktable

import (
	"fmt"
	"iter"

	"github.com/treelock/treelock/waitqueue"
)

// Check recomputes from scratch what the table keeps up step by step, and returns an error that names
// the invariant for the first difference that it finds. It is for tests and for builds with the race detector: it
// takes time in proportion to the number of nodes, of live requests and of their places.
func (t *Table[N, W]) Check() error {
	recounts := make(map[*Request[N, W]]recount)
	for name, n := range t.nodes.byName {
		if err := t.checkNode(name, n, recounts); err != nil {
			return err
		}
	}
	for r, recount := range recounts {
		if err := r.check(recount); err != nil {
			return err
		}
	}
	if len(recounts) > t.live {
		return fmt.Errorf("I5: %d requests have entries, %d are live", len(recounts), t.live)
	}
	places := 0
	for _, recount := range recounts {
		places += recount.entries
	}
	if places != t.places {
		return fmt.Errorf("I3: there are %d entries, %d counted", places, t.places)
	}
	if err := t.checkWaiting(recounts); err != nil {
		return err
	}
	return t.nodes.check()
}

// A recount is what the queues say of one request.
type recount struct {
	entries int
	blocked int // those that are not admitted
}

// checkNode checks one node and adds its entries to recounts.
func (t *Table[N, W]) checkNode(name N, n *node[N, W], recounts map[*Request[N, W]]recount) error {
	if n.name != name || !n.inTable {
		return fmt.Errorf("I8: node %v is in the table as %v", n.name, name)
	}
	if n.idle != n.queue.Empty() {
		return fmt.Errorf("I8: node %v has idle=%t, and an empty queue: %t", name, n.idle, n.queue.Empty())
	}
	if err := n.queue.Check(); err != nil {
		return fmt.Errorf("node %v: %w", name, err)
	}
	for e := range n.queue.Entries() {
		r := e.Request()
		if r.seq != e.Seq() {
			return fmt.Errorf("I3: node %v has an entry of request %d, which is %d now", name, e.Seq(), r.seq)
		}
		count := recounts[r]
		count.entries++
		if !e.Admitted() {
			count.blocked++
		}
		recounts[r] = count
	}
	return nil
}

// check checks one request against what the queues say of it.
func (r *Request[N, W]) check(recount recount) error {
	if r.blocked != recount.blocked {
		return fmt.Errorf("I5: request %d counts %d entries that are not admitted, a recount %d", r.seq, r.blocked, recount.blocked)
	}
	if len(r.places) != recount.entries {
		return fmt.Errorf("I3: request %d has %d places and %d entries", r.seq, len(r.places), recount.entries)
	}
	type spot struct {
		node *node[N, W]
		mode waitqueue.Mode
	}
	seen := make(map[spot]bool)
	for i := range r.places {
		p := &r.places[i]
		at := spot{p.node, p.entry.Mode()}
		if seen[at] {
			return fmt.Errorf("I3: request %d is queued twice at %v in mode %v", r.seq, p.node.name, p.entry.Mode())
		}
		seen[at] = true
	}
	return nil
}

// checkWaiting checks the list of waiting requests.
func (t *Table[N, W]) checkWaiting(recounts map[*Request[N, W]]recount) error {
	listed, waiting, last := 0, 0, (*Request[N, W])(nil)
	for _, recount := range recounts {
		if recount.blocked > 0 {
			waiting++
		}
	}
	for r := range t.Waiters() {
		if recounts[r].blocked == 0 || r.earlier != last || last != nil && r.seq <= last.seq {
			return fmt.Errorf("I5: request %d is listed as waiting in the wrong place, or with no entry that is not admitted", r.seq)
		}
		last = r
		listed++
	}
	if listed != waiting || t.waiting != waiting || t.lastWaiting != last {
		return fmt.Errorf("I5: %d requests wait, %d are listed, %d counted", waiting, listed, t.waiting)
	}
	return nil
}

// check checks the list of idle nodes.
func (t *nodes[N, W]) check() error {
	idle := 0
	for n := range t.idleNodes() {
		if !n.idle || !n.inTable || t.byName[n.name] != n {
			return fmt.Errorf("I8: node %v is on the idle list and has idle=%t, inTable=%t", n.name, n.idle, n.inTable)
		}
		idle++
	}
	if idle != t.idle || idle > t.maxIdle {
		return fmt.Errorf("I8: %d nodes are idle, %d counted, at most %d allowed", idle, t.idle, t.maxIdle)
	}
	return nil
}

// idleNodes returns an iterator over the idle nodes, the longest idle first.
func (t *nodes[N, W]) idleNodes() iter.Seq[*node[N, W]] {
	return func(yield func(*node[N, W]) bool) {
		for n := t.oldest; n != nil; n = n.newer {
			if !yield(n) {
				return
			}
		}
	}
}
