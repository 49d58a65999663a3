package locktable

import "github.com/treelock/treelock/waitqueue"

// Bounds of a search for blockers.
const (
	// maxHere is how many blockers are counted of those that claim or want one node in one mode.
	maxHere = 64

	// maxBelow is how many blockers are counted in all, and maxVisits how many claims and nodes are
	// visited to find those that claim something further down: a lineage of 4,096 nodes takes half of
	// them. See BenchmarkBlockers.
	maxBelow  = 1024
	maxVisits = 16_384
)

// Blockers calls visit for the earliest requests that r, which waits, waits for, at most limit, which
// is positive, with the reason for each, the earliest first. It returns how many more there are, and whether that is all
// of them: else there may be more.
//
// It takes time in proportion to the number of blockers and of their claims, and to the number of
// places of r: not to what else is live. The time is bounded. Where more than maxBelow requests hold
// something below a subtree that r wants, or hold maxVisits nodes there, those that are visited are
// the earliest of the ones that were found.
func (t *Table[N, W]) Blockers(r *Request[N, W], limit int, visit func(blocker *Request[N, W], why Quarrel[N])) (more int, all bool) {
	s := search[N, W]{table: t, request: r, before: t.searches, limit: limit, found: t.found[:0]}
	for i := range r.places {
		if r.places[i].waiting {
			s.at(i)
		}
	}
	for i := range s.found {
		visit(s.found[i].request, s.found[i].quarrel(r))
	}
	t.found = reuse(s.found)
	return s.count - len(s.found), !s.cut
}

// A search is for the requests that one of them waits for.
type search[N comparable, W any] struct {
	table   *Table[N, W]
	request *Request[N, W]
	before  uint64 // the number of the latest search before this one; each place has one of its own

	limit  int
	found  []rival[N, W] // the earliest, at most limit
	count  int           // of all that were found
	visits int           // of nodes and claims below
	cut    bool          // not all were found
}

// A rival is a request that another one waits for.
type rival[N comparable, W any] struct {
	request *Request[N, W]
	theirs  int // its place
	ours    int // the place of the one that waits
}

// at finds those that the request waits for at its i-th place. First those that wait there, too, as
// the queue has them in order; then those that are admitted and claim the node; then those that are
// admitted since they claim something below.
func (s *search[N, W]) at(i int) {
	p := &s.request.places[i]
	s.table.searches++
	for rest := p.mode.Rivals(); rest != 0; rest = rest.Rest() {
		s.waiting(i, rest.First())
	}
	claiming, below := 0, 0
	for rest := p.mode.Rivals(); rest != 0; rest = rest.Rest() {
		if mode := rest.First(); mode.Claims() {
			claiming += p.node.queue.Admitted(mode)
		} else {
			below += p.node.queue.Admitted(mode)
		}
	}
	s.claiming(i, claiming)
	if below > 0 {
		if below = s.below(p.node, i, below); below > 0 {
			s.cut = true
		}
	}
}

// waiting finds those that wait in mode at the i-th place.
func (s *search[N, W]) waiting(i int, mode waitqueue.Mode) {
	here := 0
	for e := range s.request.places[i].node.queue.Waiting(1 << mode) {
		if e.Seq() >= s.request.seq {
			return
		}
		if here++; here > maxHere {
			s.cut = true
			return
		}
		w := e.Request()
		s.add(w.request, w.place, i)
	}
}

// claiming finds those that are admitted to the i-th place and claim its node, of which there are so
// many. They are in order of arrival.
func (s *search[N, W]) claiming(i, left int) {
	p, here := &s.request.places[i], 0
	for l := p.node.claimed; l != nil && left > 0; l = l.next {
		q := &l.request.places[l.place]
		s.visits++
		if q.waiting || !q.mode.Conflicts(p.mode) {
			continue
		}
		if here++; here > maxHere || s.visits > maxVisits {
			s.cut = true
			return
		}
		s.add(l.request, int(l.place), i)
		left--
	}
}

// below finds those that claim something below n in a way that conflicts with the i-th place, which
// is at n or above, until so many were found. It returns how many are left.
func (s *search[N, W]) below(n *node[N, W], i, left int) int {
	if n.lower == nil {
		return left
	}
	wanted := s.request.places[i].mode
	for u := writes; u >= reads; u-- {
		if u == reads && !wanted.Conflicts(waitqueue.IR) {
			break
		}
		list := &n.lower.first[u-reads]
		var last *node[N, W]
		if *list != nil {
			last = (*list).prev
		}
		for c := *list; c != nil && left > 0; {
			next := c.next
			if c == last {
				next = nil
			}
			if s.visits++; s.visits > maxVisits || s.count >= maxBelow {
				return left
			}
			if s.tidy(n, c) == u {
				left = s.claimedBelow(c, i, left)
				left = s.below(c, i, left)
			}
			c = next
		}
	}
	return left
}

// tidy puts c, which is linked under up, into the list where it belongs now, and returns its use.
func (s *search[N, W]) tidy(up, c *node[N, W]) use {
	switch {
	case c.queue.Empty():
		c.unlink()
		return unused
	case c.linked == writes && !c.queue.Uses(waitqueue.Writing):
		c.linkUnder(up, reads)
	}
	return c.linked
}

// claimedBelow finds those that claim n, which is below the i-th place.
func (s *search[N, W]) claimedBelow(n *node[N, W], i, left int) int {
	wanted := s.request.places[i].mode
	for l := n.claimed; l != nil && left > 0; l = l.next {
		if s.visits++; s.visits > maxVisits || s.count >= maxBelow {
			return left
		}
		p := &l.request.places[l.place]
		if _, ok := p.claimAgainst(wanted); !ok || l.request.seq >= s.request.seq {
			continue
		}
		if counted := s.add(l.request, int(l.place), i); counted {
			left--
		}
	}
	return left
}

// add adds r, with its place, unless it was found already. It reports whether it was not yet found
// at the i-th place of the request that waits.
func (s *search[N, W]) add(r *Request[N, W], theirs, ours int) bool {
	known := r.search
	if r.search = s.table.searches; known == s.table.searches {
		return false
	}
	if known > s.before {
		return true // at another place
	}
	s.count++
	if at := len(s.found); at < s.limit {
		s.found = append(s.found, rival[N, W]{})
	} else if s.found[at-1].request.seq < r.seq {
		return true
	}
	at := len(s.found) - 1
	for ; at > 0 && s.found[at-1].request.seq > r.seq; at-- {
		s.found[at] = s.found[at-1]
	}
	s.found[at] = rival[N, W]{r, theirs, ours}
	return true
}
