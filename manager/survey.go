package manager

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

// A survey is a snapshot that is being taken. It is the manager's until it is finished, and its client's from then on. The client
// has it taken step by step, one message for each.
//
// It shows the moment of its first step: each request that was live then is seen as it was. It goes through all requests, and
// whoever is about to change before its turn comes is seen first (beforeChange, beforeGrant). The requests are gone through from
// the last to the first, as one that moves in their storage moves to the front, where it is come to yet, or again.
type survey[N treelock.Node[N]] struct {
	query Query[N]
	below [][]N // the lineages of query.Below
	limit int

	begun   bool
	at      instant
	last    uint64          // the number of the latest request when it began
	left    int             // requests that have not been come to
	seen    map[uint64]bool // those in the lists, and those that were seen before they changed
	matches int             // requests that fit the query

	stats            Stats
	waiters, holders sightings[N]
}

// A sighting is what a request was when it was seen. (It does not name the request's type by our alias for it, and survey's methods
// do not, since the compiler of Go 1.26 fails on that.)
type sighting[N treelock.Node[N]] struct {
	req    *locktable.Request[N, client[N]] // only to be passed back to the manager
	seq    uint64
	state  treelock.State
	since  instant
	note   *note
	claims []locktable.Used[N]
}

// step is how many requests are looked at between two other messages.
const step = 256

func (s *survey[N]) finished() bool { return s.begun && s.left == 0 }

// look takes a survey one step further. On the manager goroutine.
func (l *loop[N]) look(c *call[N]) {
	l.assertOwner()
	s := c.about.(*survey[N])
	if !s.begun {
		l.readClock()
		s.begun, s.at, s.last, s.left = true, l.now, l.table.LastSeq(), l.table.Stored()
		s.seen, s.stats = make(map[uint64]bool), l.counted()
		l.surveys = append(l.surveys, s)
	}
	s.left = min(s.left, l.table.Stored())
	for range min(step, s.left) {
		s.left--
		s.see(l.table.StoredAt(s.left))
	}
	if s.left == 0 {
		l.forget(s)
	}
	c.answers <- accepted
}

// lookAway is the end of a survey that nobody wants any more. On the manager goroutine.
func (l *loop[N]) lookAway(c *call[N]) {
	l.assertOwner()
	l.forget(c.about.(*survey[N]))
}

func (l *loop[N]) forget(s *survey[N]) {
	l.surveys = slices.DeleteFunc(l.surveys, func(o *survey[N]) bool { return o == s })
}

// beforeChange shows r, which is about to end or to be narrowed, to the surveys that have not come to it.
func (l *loop[N]) beforeChange(r *locktable.Request[N, client[N]]) {
	for _, s := range l.surveys {
		s.see(r)
		s.seen[r.Seq()] = true
	}
}

// beforeGrant shows r, which the table has just granted, as it was before.
func (l *loop[N]) beforeGrant(r *locktable.Request[N, client[N]]) {
	for _, s := range l.surveys {
		s.seeAs(r, treelock.Waiting)
		s.seen[r.Seq()] = true
	}
}

// see takes in r, unless that is no request of the survey's, or was seen already.
func (s *survey[N]) see(r *locktable.Request[N, client[N]]) { s.seeAs(r, stateOf(r)) }

func (s *survey[N]) seeAs(r *locktable.Request[N, client[N]], state treelock.State) {
	if r.Seq() == 0 || r.Seq() > s.last || s.seen[r.Seq()] || !s.fits(r) {
		return
	}
	s.matches++
	list := &s.holders
	if state == treelock.Waiting {
		list = &s.waiters
	}
	if s.limit > 0 && len(*list) == s.limit {
		if (*list)[0].seq < r.Seq() {
			return
		}
		heap.Pop(list)
	}
	s.seen[r.Seq()] = true
	heap.Push(list, &sighting[N]{r, r.Seq(), state, r.Who.since, r.Who.note, r.Claims()})
}

// fits reports whether the query asks for r.
func (s *survey[N]) fits(r *locktable.Request[N, client[N]]) bool {
	return s.at.since(r.Who.since) >= s.query.MinAge &&
		(len(s.below) == 0 || slices.ContainsFunc(s.below, r.Reaches))
}

// sightings is a heap, with the latest request in front.
type sightings[N treelock.Node[N]] []*sighting[N]

func (h sightings[N]) Len() int           { return len(h) }
func (h sightings[N]) Less(i, j int) bool { return h[i].seq > h[j].seq }
func (h sightings[N]) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *sightings[N]) Push(x any)        { *h = append(*h, x.(*sighting[N])) }
func (h *sightings[N]) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}

// sorted returns the requests by arrival.
func (h sightings[N]) sorted() []*sighting[N] {
	return slices.SortedFunc(slices.Values(h), func(a, b *sighting[N]) int { return cmp.Compare(a.seq, b.seq) })
}
