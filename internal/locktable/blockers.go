package locktable

import "github.com/treelock/treelock/waitqueue"

// writesNode is the set of modes that claim the node itself and write it.
const writesNode waitqueue.Modes = 1<<waitqueue.NW | 1<<waitqueue.TW | 1<<waitqueue.NWTR

// Bounds of a search for blockers.
const (
	// maxHere bounds the blockers that are counted per mode among the requests that use the same
	// node.
	maxHere = 64

	// maxBelow bounds the blockers that are counted below a node, and maxVisits the nodes and
	// claims that are visited to find them. A lineage of 4,096 nodes takes a quarter of maxVisits.
	// See BenchmarkBlockers.
	maxBelow  = 1024
	maxVisits = 16_384
)

// Blockers calls visit for the earliest blockers of r, at most limit, in order of arrival, each
// with the reason. r must wait, and limit must be positive. more is how many further blockers were
// found. all is false if there may be more than that. A widening that blocks r may be left out if
// its grant blocks r as well.
//
// It takes time in proportion to the blockers and their claims, and to the node uses of r. Other
// requests cost it nothing, with two exceptions. A search that meets an idle child unlinks it,
// which is charged to the request that linked it. And it may visit nodes that only later requests
// use.
//
// The bounds above limit this time. When the search below r's nodes reaches maxBelow blockers or
// maxVisits visits, visit is called for the earliest blockers that were found until then.
func (t *Table[N, W]) Blockers(r *Request[N, W], limit int, visit func(blocker *Request[N, W], why ConflictPair[N])) (more int, all bool) {
	// Each node use of r gets its own search number, larger than s.before. So one comparison tells
	// whether this search has found a request, and another whether it has found it at the same node
	// use.
	s := search[N, W]{table: t, request: r, before: t.searches, limit: limit, found: t.found[:0]}
	for i := range r.uses {
		if r.uses[i].waiting {
			s.searchUse(i)
		}
	}
	for i := range s.found {
		// The search is complete before conflictPair, which may start a plan and mark nodes.
		visit(s.found[i].request, t.conflictPair(r, s.found[i]))
	}
	t.found = reuse(s.found)
	return s.count - len(s.found), !s.truncated
}

// A search finds the blockers of one request. A queue knows how many admitted requests conflict
// with the request at its node, but not which. The search finds them in three ways:
//
//   - a blocker that waits at the node has an entry in its queue;
//   - an admitted blocker that claims the node is in a claim list of the node;
//   - an admitted blocker that claims something below is in a claim list further down, in a child
//     that is linked (I9).
type search[N comparable, W any] struct {
	table   *Table[N, W]
	request *Request[N, W]
	before  uint64 // the number before this search; each node use has its own number

	limit      int
	found      []blocker[N, W] // the earliest blockers, at most limit
	count      int             // all blockers that were found
	foundBelow int             // blockers that were found below the nodes of the request
	spent      int             // the nodes and claims visited below
	truncated  bool            // there may be blockers that were not found
}

// A blocker is a request that another one waits for, and the node uses of both that conflict.
type blocker[N comparable, W any] struct {
	request *Request[N, W]
	theirs  int // the index in request.uses
	ours    int // the index in the uses of the waiting request
}

// searchUse adds the requests for which the request waits at its i-th node use. First come waiting
// ones, which the queue has in order of arrival. Then come admitted ones that claim the node, and
// last admitted ones that claim something below it.
func (s *search[N, W]) searchUse(i int) {
	use := &s.request.uses[i]
	// The search counts a request once in total, even if it blocks at several nodes. At each of these
	// nodes it reduces the number of requests that are still to be found there.
	s.table.searches++
	for rest := use.blocking(); rest != 0; rest = rest.WithoutFirst() {
		s.addWaiting(i, rest.First())
	}
	readers, others, below := 0, 0, 0
	// The queue knows how many admitted requests conflict. So it is known how many links of each
	// claim list to visit, or whether to look below at all. Admitted claims come first in a list,
	// except for those of widenings (I4).
	for rest := use.mode.Conflicting(); rest != 0; rest = rest.WithoutFirst() {
		mode := rest.First()
		admitted := use.node.queue.Admitted(mode)
		if use.held.Has(mode) {
			admitted-- // the grant of the request itself
		}
		switch {
		case mode == waitqueue.NR:
			readers = admitted
		case mode.Claims():
			others += admitted
		// These requests have intentions here: what they claim is further down.
		default:
			below += admitted
		}
	}
	for _, l := range use.node.claimLists() {
		switch {
		case l == nil:
		case l.readsNode():
			s.addAdmitted(i, l, readers)
		default:
			s.addAdmitted(i, l, others)
		}
	}
	if below > 0 {
		// A remainder of more than the widenings that came later means that a bound was reached, or
		// that nodes have moved.
		if below = s.searchBelow(use.node, i, below); below > s.table.widenings {
			s.truncated = true
		}
	}
}

// addWaiting adds the earlier requests that wait in mode at the i-th node use.
func (s *search[N, W]) addWaiting(i int, mode waitqueue.Mode) {
	here := 0
	for e := range s.request.uses[i].node.queue.WaitingBefore(s.request.seq, 1<<mode) {
		if here++; here > maxHere {
			s.truncated = true
			return
		}
		w := e.Request()
		s.add(w.request, w.use, i)
	}
}

// addAdmitted adds left admitted requests that claim the node of the i-th use, from l on. They are
// the first ones of the list (I4), unless widenings wait. A widening that came later may be one of
// the requests that the queue counts, so the search may find fewer.
func (s *search[N, W]) addAdmitted(i int, l *claimLink[N, W], left int) {
	for visits := 0; l != nil && left > 0; l = l.next {
		if visits++; visits > maxHere {
			s.truncated = true
			return
		}
		if s.isBlockedBy(i, l) {
			s.add(l.request, l.use, i)
			left--
		}
	}
}

// isBlockedBy reports whether l, a claim of the node of the i-th use, is admitted and blocks it.
func (s *search[N, W]) isBlockedBy(i int, l *claimLink[N, W]) bool {
	use := &l.request.uses[l.use]
	return !use.waiting && use.mode.Conflicts(s.request.uses[i].mode) && s.isOther(l.request)
}

// isOther reports whether r is earlier than the request, and not the grant that it widens. A
// request that holds what another one waits for always has the smaller number, since it would
// otherwise have had to wait itself.
func (s *search[N, W]) isOther(r *Request[N, W]) bool {
	return r.seq < s.request.seq && r != s.request.partner
}

// searchBelow adds requests that claim something below n and conflict with the i-th node use, which
// is at n or above. It stops after left requests, and returns how many are still to be found.
//
// The caller knows from its queue how many requests there are. So the search ends when it has found
// all of them, and does not visit the rest of the subtree.
func (s *search[N, W]) searchBelow(n *node[N, W], i, left int) int {
	if n.children == nil {
		return left
	}
	wanted := s.request.uses[i].mode
	// Requests that write below block every mode that can wait for a request further down. Requests
	// that only read below block a mode that writes the subtree, which conflicts with IR.
	for kind := writing; kind >= reading; kind-- {
		if kind == reading && !wanted.Conflicts(waitqueue.IR) {
			break
		}
		list := &n.children.first[kind-reading]
		var last *node[N, W]
		if *list != nil {
			last = (*list).prev
		}
		for c := *list; c != nil && left > 0; {
			// relink may remove c, even if it is the head. So the loop ends at the child that was
			// last when it began, and reads c.next before.
			next := c.next
			if c == last {
				next = nil
			}
			// A child that relink has just moved to the list of read children is visited in that
			// list.
			if s.relink(n, c) == kind {
				if !s.spend() {
					return left
				}
				left = s.addClaimsBelow(c, i, left)
				left = s.searchBelow(c, i, left)
			}
			c = next
		}
	}
	return left
}

// relink moves c, a child of parent, to the list where it belongs now, and returns its activity. So
// the next search does not meet c in the wrong list.
func (s *search[N, W]) relink(parent, c *node[N, W]) activity {
	switch {
	case c.queue.Empty():
		c.unlink()
		return inactive
	case c.linkedAs == writing && !c.queue.Uses(waitqueue.Writing):
		c.linkUnder(parent, reading)
	}
	return c.linkedAs
}

// addClaimsBelow adds earlier requests that claim n, which is below the i-th node use, and conflict
// with that use. It stops after left requests, and returns how many are still to be found.
//
// A claim that writes n conflicts with every other claim of n. So if only writes conflict, an
// admitted one is the first of its list, unless a widening passed others.
func (s *search[N, W]) addClaimsBelow(n *node[N, W], i, left int) int {
	wanted := s.request.uses[i].mode
	all := wanted.Conflicts(waitqueue.IR) || s.table.widenings > 0
	for _, l := range n.claimLists() {
		// The first later request ends the search: the list is in order of arrival, except for
		// requests that have narrowed, which are at the front.
		for ; l != nil && left > 0 && l.request.seq < s.request.seq && s.spend(); l = l.next {
			if _, ok := l.request.uses[l.use].claimAgainst(wanted); ok && s.isBlockedBelow(i, l.request) {
				left -= s.addBelow(l.request, l.use, i)
			}
			if !all {
				break
			}
		}
	}
	if wanted.Conflicts(waitqueue.IR) {
		return left
	}
	// A waiting writer may be behind any number of admitted readers in the claim list, where the
	// loop above does not reach it. The queue has a list for its mode alone.
	for rest := writesNode; rest != 0; rest = rest.WithoutFirst() {
		for e := range n.queue.WaitingBefore(s.request.seq, 1<<rest.First()) {
			if left == 0 || !s.spend() {
				break
			}
			if w := e.Request(); s.isBlockedBelow(i, w.request) {
				left -= s.addBelow(w.request, w.use, i)
			}
		}
	}
	return left
}

// isBlockedBelow reports whether r, which conflicts with the i-th node use and claims something
// below, is not passed there. A widening passes each request that waits there for its grant.
func (s *search[N, W]) isBlockedBelow(i int, r *Request[N, W]) bool {
	if !s.isOther(r) {
		return false
	}
	ours := &s.request.uses[i]
	if ours.held == 0 || r.Granted() {
		return true
	}
	theirs := r.useOf(ours.node)
	return theirs == nil || !theirs.mode.Conflicts(ours.held.First())
}

// useOf returns the use of n by r, or nil.
func (r *Request[N, W]) useOf(n *node[N, W]) *nodeUse[N, W] {
	for i := range r.uses {
		if r.uses[i].node == n {
			return &r.uses[i]
		}
	}
	return nil
}

// addBelow adds r, whose node use is below the i-th one of the waiting request. It returns 1 if the
// queue there counts r and r was not found there before, otherwise 0.
func (s *search[N, W]) addBelow(r *Request[N, W], theirs, i int) int {
	if !s.add(r, theirs, i) {
		return 0
	}
	s.foundBelow++
	if r.Widens() != nil && r.useOf(s.request.uses[i].node) == nil {
		return 0 // the mode of its grant there covers its own
	}
	return 1
}

// spend counts a visit of a node or a claim below, and reports whether the budget allows it.
func (s *search[N, W]) spend() bool {
	s.spent++
	ok := s.spent <= maxVisits && s.foundBelow < maxBelow
	s.truncated = s.truncated || !ok
	return ok
}

// add adds r, unless it was found already. It reports whether r is new at this node use of the
// waiting request.
func (s *search[N, W]) add(r *Request[N, W], theirs, ours int) bool {
	known := r.search
	if r.search = s.table.searches; known == s.table.searches {
		return false
	}
	// It was found at another node use. The reason that was found first stays.
	if known > s.before {
		return true // at another node
	}
	s.count++
	// Insert r by arrival. If found is full, r replaces the latest request there, unless r is
	// later.
	if at := len(s.found); at < s.limit {
		s.found = append(s.found, blocker[N, W]{})
	} else if s.found[at-1].request.seq < r.seq {
		return true
	}
	at := len(s.found) - 1
	for ; at > 0 && s.found[at-1].request.seq > r.seq; at-- {
		s.found[at] = s.found[at-1]
	}
	s.found[at] = blocker[N, W]{r, theirs, ours}
	return true
}
