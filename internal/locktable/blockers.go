package locktable

import "github.com/treelock/treelock/waitqueue"

// writesNode are the modes with a claim that writes the node itself.
const writesNode waitqueue.Modes = 1<<waitqueue.NW | 1<<waitqueue.TW | 1<<waitqueue.NWTR

// Bounds of a search for blockers.
const (
	// maxHere is how many blockers are counted that claim or want one node in one mode.
	maxHere = 64

	// maxBelow is how many blockers are counted that claim something further down, and maxVisits
	// how many nodes and claims are visited to find them. A lineage of 4,096 nodes takes a quarter
	// of these. See BenchmarkBlockers.
	maxBelow  = 1024
	maxVisits = 16_384
)

// Blockers calls visit for the earliest requests that r waits for, at most limit, in order of
// arrival, each with a reason. r must wait, and limit must be positive. It returns how many more
// there are, and whether that is all of them: else there may be more.
//
// It takes time in proportion to the number of blockers and of their claims, and to the number of
// places of r. Requests that do not block r cost it nothing, with two exceptions. It moves a child
// that it meets to the list where the child belongs, which the request that put it into another one
// has paid for. And later requests may use nodes that it visits.
//
// The bounds above limit the time. If more than maxBelow blockers claim something below the nodes
// that r claims, or if that is in more than maxVisits nodes, visit is called for the earliest of
// those that were found.
func (t *Table[N, W]) Blockers(r *Request[N, W], limit int, visit func(blocker *Request[N, W], why Quarrel[N])) (more int, all bool) {
	s := search[N, W]{table: t, request: r, before: t.searches, limit: limit, found: t.found[:0]}
	for i := range r.uses {
		if r.uses[i].waiting {
			s.searchUse(i)
		}
	}
	for i := range s.found {
		visit(s.found[i].request, t.conflictPair(r, s.found[i]))
	}
	t.found = reuse(s.found)
	return s.count - len(s.found), !s.truncated
}

// A search is for the requests that one of them waits for.
type search[N comparable, W any] struct {
	table   *Table[N, W]
	request *Request[N, W]
	before  uint64 // the number of the latest search before this one; each place has one of its own

	limit      int
	found      []blocker[N, W] // the earliest, at most limit
	count      int             // of all that were found
	foundBelow int             // of those that were found by what they claim further down
	spent      int             // of nodes and claims below
	truncated  bool            // not all were found
}

// A rival is a request that another one waits for.
type blocker[N comparable, W any] struct {
	request *Request[N, W]
	theirs  int // its place
	ours    int // the place of the one that waits
}

// at finds those that the request waits for at its i-th place. First those that wait there, too, as
// the queue has them in order; then those that are admitted and claim the node; then those that are
// admitted since they claim something below.
func (s *search[N, W]) searchUse(i int) {
	use := &s.request.uses[i]
	s.table.searches++
	for rest := use.mode.Rivals(); rest != 0; rest = rest.Rest() {
		s.addWaiting(i, rest.First())
	}
	readers, others, below := 0, 0, 0
	for rest := use.mode.Rivals(); rest != 0; rest = rest.Rest() {
		switch mode := rest.First(); {
		case mode == waitqueue.NR:
			readers = use.node.queue.Admitted(mode)
		case mode.Claims():
			others += use.node.queue.Admitted(mode)
		default:
			below += use.node.queue.Admitted(mode)
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
		if below = s.searchBelow(use.node, i, below); below > 0 {
			s.truncated = true
		}
	}
}

// waiting finds the earlier requests that wait in mode at the i-th place.
func (s *search[N, W]) addWaiting(i int, mode waitqueue.Mode) {
	here := 0
	for e := range s.request.uses[i].node.queue.Waiting(1 << mode) {
		if e.Seq() >= s.request.seq {
			return
		}
		if here++; here > maxHere {
			s.truncated = true
			return
		}
		w := e.Request()
		s.add(w.request, w.use, i)
	}
}

// claiming finds the requests that are admitted to the i-th place and claim its node: so many from
// l on.
func (s *search[N, W]) addAdmitted(i int, l *claimLink[N, W], left int) {
	if left > maxHere {
		s.truncated = true
		left = maxHere
	}
	for ; left > 0; left-- {
		s.add(l.request, l.use, i)
		l = l.next
	}
}

// below finds those that claim something below n in a way that conflicts with the i-th place, which
// is at n or above, until so many were found. It returns how many are left.
func (s *search[N, W]) searchBelow(n *node[N, W], i, left int) int {
	if n.children == nil {
		return left
	}
	wanted := s.request.uses[i].mode
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
			next := c.next
			if c == last {
				next = nil
			}
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

// tidy puts c, which is linked under up, into the list where it belongs now, and returns its use.
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

// claimedBelow finds the earlier requests that claim n, which is below the i-th place, in a way
// that conflicts with it, until so many were found. It returns how many are left.
//
// A claim that writes n conflicts with each other claim of n. So where only writes are looked for,
// one that is admitted is the first of its list.
func (s *search[N, W]) addClaimsBelow(n *node[N, W], i, left int) int {
	wanted := s.request.uses[i].mode
	all := wanted.Conflicts(waitqueue.IR)
	for _, l := range n.claimLists() {
		for ; l != nil && left > 0 && l.request.seq < s.request.seq && s.spend(); l = l.next {
			if _, ok := l.request.uses[l.use].claimAgainst(wanted); ok {
				left -= s.addBelow(l.request, l.use, i)
			}
			if !all {
				break
			}
		}
	}
	if all {
		return left
	}
	for rest := writesNode; rest != 0; rest = rest.Rest() {
		for e := range n.queue.Waiting(1 << rest.First()) {
			if left == 0 || e.Seq() >= s.request.seq || !s.spend() {
				break
			}
			left -= s.addBelow(e.Request().request, e.Request().use, i)
		}
	}
	return left
}

// addBelow adds r, with its place, which is below the i-th one of the request that waits. It
// returns 1 if r was not yet found there, else 0.
func (s *search[N, W]) addBelow(r *Request[N, W], theirs, i int) int {
	if !s.add(r, theirs, i) {
		return 0
	}
	s.foundBelow++
	return 1
}

// visit counts a node or a claim further down, and reports whether it may be looked at.
func (s *search[N, W]) spend() bool {
	s.spent++
	return s.spent <= maxVisits && s.foundBelow < maxBelow
}

// add adds r, with its place, unless it was found already. It reports whether it was not yet found
// at the i-th place of the request that waits.
func (s *search[N, W]) add(r *Request[N, W], theirs, ours int) bool {
	known := r.search
	if r.search = s.table.searches; known == s.table.searches {
		return false
	}
	if known > s.before {
		return true // at another node
	}
	s.count++
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
