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
// It shows the moment of its first step: each request that was live then is seen as it was. It goes through the storage of all
// requests, and whoever is about to change, or to move there, before its turn comes is seen first (beforeChange, beforeGrant).
type survey[N treelock.Node[N]] struct {
	query Query[N]
	below [][]N // the lineages of query.Below
	limit int

	begun   bool
	over    bool
	at      instant
	last    uint64          // the number of the latest request when it began
	next    int             // the first place in the storage that has not been come to
	ahead   map[uint64]bool // requests that were seen before their turn
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
	places []locktable.Used[N]
}

// step is how many requests are looked at between two other messages. If none of it is in the processor's cache that takes some
// 10 µs. A request at very many nodes counts for more than one.
const (
	step       = 128
	placesStep = 16
)

// look takes a survey one step further. On the manager goroutine.
func (l *loop[N]) look(c *call[N]) {
	l.assertOwner()
	s := c.about.(*survey[N])
	if !s.begun {
		l.readClock()
		s.begun, s.at, s.last = true, l.now, l.table.LastSeq()
		s.ahead, s.stats = make(map[uint64]bool), l.counted()
		l.surveys = append(l.surveys, s)
	}
	for work := 0; work < step && s.next < l.table.Stored(); s.next++ {
		r := l.table.StoredAt(s.next)
		s.see(r, stateOf(r))
		work += 1 + r.Width()/placesStep
	}
	if s.next >= l.table.Stored() {
		s.over = true
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

// beforeChange shows r, which is about to end or to be narrowed, to the surveys; and the request that may move to its place in the
// storage, which may be where they have been already.
func (l *loop[N]) beforeChange(r *request[N]) {
	for _, s := range l.surveys {
		last := l.table.StoredAt(l.table.Stored() - 1)
		s.seeAhead(r, stateOf(r))
		s.seeAhead(last, stateOf(last))
	}
}

// beforeGrant shows r, which the table has just granted, as it was before.
func (l *loop[N]) beforeGrant(r *request[N]) {
	for _, s := range l.surveys {
		s.seeAhead(r, treelock.Waiting)
	}
}

// seeAhead takes in r before its turn, if that has not come yet.
func (s *survey[N]) seeAhead(r *locktable.Request[N, client[N]], state treelock.State) {
	if r.Index() >= s.next && r.Seq() <= s.last {
		s.see(r, state)
		s.ahead[r.Seq()] = true
	}
}

// see takes in r, which is in state, unless that is no request of the survey's, or was seen already.
func (s *survey[N]) see(r *locktable.Request[N, client[N]], state treelock.State) {
	if r.Seq() == 0 || r.Seq() > s.last || s.ahead[r.Seq()] || !s.fits(r) {
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
	heap.Push(list, &sighting[N]{r, r.Seq(), state, r.Who.since, r.Who.note, r.Places()})
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
