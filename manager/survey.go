package manager

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

// A survey is a snapshot that is being taken. It is the manager's until it is finished, and its client's from then on. The client
// has it taken step by step, one message for each.
//
// It shows the moment of its first step: each request that was live then is seen as it was. It goes through the storage of all
// requests, and whoever is about to change, or to move there, before its turn comes is seen first (beforeChange, beforeGrant).
type survey[N treelock.Node[N]] struct {
	minAge time.Duration
	limit  int
	reach  *locktable.Reach[N] // if there is one, what requests must reach

	// due, if there is one, says which requests are wanted, by state and age.
	due func(seq uint64, state treelock.State, age time.Duration) bool

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
// 10 µs. A request at very many nodes counts for more than one, and so does one whose nodes are looked up.
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
		l.survey = s
	}
	for work := 0; work < step && s.next < l.table.Stored(); s.next++ {
		r := l.table.StoredAt(s.next)
		s.see(r, stateOf(r))
		work += 1 + r.Width()/placesStep
		if s.reach != nil {
			work += r.Width()
		}
	}
	if s.next >= l.table.Stored() {
		s.over = true
		l.survey = nil
	}
	c.answers <- accepted
}

// lookAway is the end of a survey that nobody wants any more. On the manager goroutine.
func (l *loop[N]) lookAway(c *call[N]) {
	l.assertOwner()
	if l.survey == c.about.(*survey[N]) {
		l.survey = nil
	}
}

// beforeChange shows r, which is about to end or to be narrowed, to the survey; and the request that may move to its place in the
// storage, which may be where it has been already.
func (l *loop[N]) beforeChange(r *request[N]) {
	if l.survey != nil { // hardly ever: this is inlined
		l.showFirst(r)
	}
}

func (l *loop[N]) showFirst(r *request[N]) {
	last := l.table.StoredAt(l.table.Stored() - 1)
	l.survey.seeAhead(r, stateOf(r))
	l.survey.seeAhead(last, stateOf(last))
}

// beforeGrant shows r, which the table has just granted, as it was before.
func (l *loop[N]) beforeGrant(r *request[N]) {
	if l.survey != nil {
		l.survey.seeAhead(r, treelock.Waiting)
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
	if r.Seq() == 0 || r.Seq() > s.last || s.ahead[r.Seq()] || !s.fits(r, state) {
		return
	}
	s.matches++
	list := &s.holders
	if state == treelock.Waiting {
		list = &s.waiters
	}
	if s.limit <= 0 || list.len() < s.limit || list.earlier(r.Seq()) {
		list.add(&sighting[N]{r, r.Seq(), state, r.Who.since, r.Who.note, r.Places()}, s.limit)
	}
}

// fits reports whether the query asks for r.
func (s *survey[N]) fits(r *locktable.Request[N, client[N]], state treelock.State) bool {
	age := s.at.since(r.Who.since)
	return age >= s.minAge && (s.due == nil || s.due(r.Seq(), state, age)) && (s.reach == nil || r.Reaches(s.reach))
}

// sightings has what was seen, the earliest requests if there is a limit. Without one it grows in pieces, as to copy all of it would
// take long.
type sightings[N treelock.Node[N]] struct {
	full [][]*sighting[N]
	top  latestFirst[N] // a heap, if there is a limit
}

const pieceOfSightings = 1024

func (l *sightings[N]) len() int { return len(l.top) }

// earlier reports whether a request came before the latest one in the list.
func (l *sightings[N]) earlier(seq uint64) bool { return seq < l.top[0].seq }

// add adds one. If the list is at its limit the latest one has to go.
func (l *sightings[N]) add(row *sighting[N], limit int) {
	switch {
	case limit > 0 && len(l.top) == limit:
		l.top[0] = row
		heap.Fix(&l.top, 0)
	case limit > 0:
		heap.Push(&l.top, row)
	default:
		if len(l.top) == pieceOfSightings {
			l.full, l.top = append(l.full, l.top), make(latestFirst[N], 0, pieceOfSightings)
		}
		l.top = append(l.top, row)
	}
}

// sorted returns the requests by arrival.
func (l *sightings[N]) sorted() []*sighting[N] {
	all := slices.Concat(append(l.full, l.top)...)
	slices.SortFunc(all, func(a, b *sighting[N]) int { return cmp.Compare(a.seq, b.seq) })
	return all
}

// latestFirst is a heap, with the latest request in front.
type latestFirst[N treelock.Node[N]] []*sighting[N]

func (h latestFirst[N]) Len() int           { return len(h) }
func (h latestFirst[N]) Less(i, j int) bool { return h[i].seq > h[j].seq }
func (h latestFirst[N]) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *latestFirst[N]) Push(x any)        { *h = append(*h, x.(*sighting[N])) }
func (h *latestFirst[N]) Pop() any          { panic("BUG: treelock: nothing is taken out of the heap") }
