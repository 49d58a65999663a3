package locktable

import (
	"fmt"

	"github.com/treelock/treelock/waitqueue"
)

// Check recounts what the table keeps up to date, and returns an error for the first difference.
// The error starts with the number of the invariant that is violated (see the package
// documentation). It is for tests and for builds with the race detector: it takes time in
// proportion to the nodes, the live requests and their node uses.
func (t *Table[N, W]) Check() error {
	// The checks run from the parts to the whole: names of nodes, then requests, which are
	// recounted for each node, then nodes against their recounts, then the idle list.
	for name, n := range t.nodes.byName {
		if n.name != name {
			return fmt.Errorf("I8: node %v is in the table as %v", n.name, name)
		}
	}
	recounts := make(map[*node[N, W]]*recount, t.nodes.len())
	for n := range t.nodes.all {
		if !n.inTable || t.nodes.find(n.name) != n {
			return fmt.Errorf("I8: node %v is in the table, but is not found by its name", n.name)
		}
		recounts[n] = &recount{earliest: noneWaits}
	}
	if err := t.checkRequests(recounts); err != nil {
		return err
	}
	for _, r := range t.Requests() {
		if err := r.checkOrder(recounts); err != nil {
			return err
		}
	}
	for n, recount := range recounts {
		if err := n.check(recount); err != nil {
			return err
		}
	}
	return t.nodes.check()
}

// A recount is the state of one node according to the live requests.
type recount struct {
	admitted [waitqueue.NumModes]int
	waiting  int
	claims   int
	earliest [waitqueue.NumModes]uint64 // the earliest waiting request, by mode
}

// noneWaits is the value of recount.earliest for a node where no request waits.
var noneWaits = func() (none [waitqueue.NumModes]uint64) {
	for mode := range none {
		none[mode] = ^uint64(0)
	}
	return none
}()

// checkRequests checks that the storage holds each request in its slot, and that ended ones are
// cleared. It checks each live request, counts its node uses in recounts, and compares the totals
// with those of the table (I3, I5).
func (t *Table[N, W]) checkRequests(recounts map[*node[N, W]]*recount) error {
	for i, r := range t.storage.requests {
		if int(r.slot) != i || r.seq == 0 && (r.blocked != 0 || r.waits != nil || len(r.uses) != 0) {
			return fmt.Errorf("I5: request %d is in the wrong slot, or has ended and was not cleared", r.seq)
		}
	}
	// Requests sorts by number. So a number that is used twice shows up as two equal neighbours.
	live, waiting, widenings, uses, last := 0, 0, 0, 0, uint64(0)
	for _, r := range t.Requests() {
		if r.seq > t.lastSeq || r.seq == last {
			return fmt.Errorf("I5: request %d has a number that is too large or used twice", r.seq)
		}
		if err := r.check(recounts); err != nil {
			return err
		}
		if err := r.checkPartner(); err != nil {
			return err
		}
		if r.Waiting() {
			waiting++
		}
		if r.Widens() != nil {
			widenings++
		}
		live++
		uses += len(r.uses)
		last = r.seq
	}
	granted := 0 // widenings, which have ended, but are not free yet
	for _, r := range t.granted {
		if r.seq == 0 && r.partner != nil {
			granted++
		}
	}
	if live != t.live || waiting != t.waiting || live+granted+len(t.storage.freeRequests) != len(t.storage.requests) {
		return fmt.Errorf("I5: %d requests are live and %d wait, but the table counts %d and %d", live, waiting, t.live, t.waiting)
	}
	if widenings != t.widenings {
		return fmt.Errorf("I10: %d widenings wait, but the table counts %d", widenings, t.widenings)
	}
	if uses != t.uses {
		return fmt.Errorf("I3: there are %d node uses, but the table counts %d", uses, t.uses)
	}
	return nil
}

// checkPartner checks a widening and its grant (I10): they know each other, and the widening has a
// node use exactly where the modes of the grant do not cover what it asks for.
func (r *Request[N, W]) checkPartner() error {
	grant := r.Widens()
	switch {
	case r.partner == nil:
		grant = &Request[N, W]{}
	case r.partner.partner != r || r.partner.Granted() == r.Granted():
		return fmt.Errorf("I10: request %d has a widening or a grant that does not know it", r.seq)
	case grant == nil:
		return nil // the widening is checked
	}
	// The queue trusts use.held: it must be what the grant holds at that node, and nothing at nodes
	// that the grant does not use.
	held := make(map[*node[N, W]]waitqueue.Mode, len(grant.uses))
	for i := range grant.uses {
		held[grant.uses[i].node] = grant.uses[i].mode
	}
	for i := range r.uses {
		use := &r.uses[i]
		mode, ok := held[use.node]
		if ok != (use.held != 0) || ok && (use.held != 1<<mode || mode.Covers(use.mode)) {
			return fmt.Errorf("I10: request %d uses node %v as a widening of %v, but its grant holds %v there", r.seq, use.node.name, use.held, mode)
		}
	}
	return nil
}

// check checks that r uses each of its nodes once, a claimed one first, and that all of them are in
// the table (I3). It checks that the count of waiting uses is right (I5), and adds the node uses to
// recounts.
func (r *Request[N, W]) check(recounts map[*node[N, W]]*recount) error {
	if len(r.uses) > 0 && !r.uses[0].mode.Claims() {
		return fmt.Errorf("I3: the first node use of request %d is not a claim", r.seq)
	}
	blocked, seen := 0, make(map[*node[N, W]]bool, len(r.uses))
	for i := range r.uses {
		use := &r.uses[i]
		recount := recounts[use.node]
		if recount == nil {
			return fmt.Errorf("I3: request %d uses a node that is not in the table", r.seq)
		}
		if seen[use.node] {
			return fmt.Errorf("I3: request %d uses node %v twice", r.seq, use.node.name)
		}
		seen[use.node] = true
		if use.mode.Claims() {
			recount.claims++
		}
		if !use.waiting {
			recount.admitted[use.mode]++
			continue
		}
		blocked++
		recount.waiting++
		recount.earliest[use.mode] = min(recount.earliest[use.mode], r.seq)
	}
	if int(r.blocked) != blocked {
		return fmt.Errorf("I5: request %d waits at %d nodes by its count, at %d by a recount", r.seq, r.blocked, blocked)
	}
	return nil
}

// checkOrder checks that r is admitted nowhere before an earlier request that conflicts with it
// there, unless r is a widening that passes it (I2). It needs the recounts of all requests.
func (r *Request[N, W]) checkOrder(recounts map[*node[N, W]]*recount) error {
	// One comparison for each mode is enough: only the earliest of those that wait in it matters.
	// blocking leaves out the modes of requests that wait for the grant of a widening.
	for i := range r.uses {
		use := &r.uses[i]
		for conflicting := use.blocking(); !use.waiting && conflicting != 0; conflicting = conflicting.WithoutFirst() {
			if earlier := recounts[use.node].earliest[conflicting.First()]; earlier < r.seq {
				return fmt.Errorf("I2: request %d is admitted at node %v before request %d, which is earlier", r.seq, use.node.name, earlier)
			}
		}
	}
	return nil
}

// check checks one node against the live requests: its queue must count the admitted ones by mode,
// and must have one entry for each waiting one (I3). An empty queue must be in the idle list (I8).
func (n *node[N, W]) check(recount *recount) error {
	if n.queue.Empty() && !n.inIdleList {
		return fmt.Errorf("I8: node %v is idle, but not in the idle list", n.name)
	}
	if err := n.queue.Check(); err != nil {
		return fmt.Errorf("node %v: %w", n.name, err)
	}
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
	if waiting != recount.waiting {
		return fmt.Errorf("I3: node %v has %d waiting entries, a recount gives %d", n.name, waiting, recount.waiting)
	}
	if err := n.checkChildren(); err != nil {
		return err
	}
	return n.checkClaims(recount)
}

// checkClaims checks that the claim lists of n hold exactly the live claims of n (I3), each in the
// list for its mode, correctly linked, and admitted claims before waiting ones (I4).
func (n *node[N, W]) checkClaims(recount *recount) error {
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

// isClaimOf reports whether the node use of l is a claim of n.
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
// (I9), and that the lists of its children are correctly linked. A child may be linked without
// need: the next search unlinks it.
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

// check checks the idle list (I8): that it holds exactly the marked nodes, within the bounds, and
// that the bytes of their long names are counted, each text once.
func (t *nodes[N, W]) check() error {
	for _, n := range t.idle.all[t.idle.first:] {
		if !n.inIdleList || !n.inTable || t.find(n.name) != n {
			return fmt.Errorf("I8: node %v is in the idle list, but has inIdleList=%t, inTable=%t", n.name, n.inIdleList, n.inTable)
		}
	}
	// The list may hold busy nodes, but each idle one must be in it: node.check has seen to that.
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
