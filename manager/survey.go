package manager

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

// A survey collects the live requests that a query asks for, as they are at its first step. Its client
// takes it step by step, and has it when it is over; until then it belongs to the manager goroutine.
type survey[N treelock.Node[N]] struct {
	minAge time.Duration
	limit  int
	reach  *locktable.Reach[N] // if there is one, what requests must reach

	// due, if there is one, says which requests are wanted, by state and age.
	due func(seq uint64, state treelock.State, age time.Duration) bool

	table   *locktable.Survey[N, client[N]] // nil before the first step
	over    bool
	at      instant // of the first step
	matches int     // requests that fit the query

	stats            Stats
	waiters, holders rows[N]
}

// A row is what a request was when the survey began. (It does not name the request's type by our alias
// for it, and survey's methods do not, since the compiler of Go 1.26 fails on that.)
type row[N treelock.Node[N]] struct {
	req    *locktable.Request[N, client[N]] // only to be passed back to the manager
	seq    uint64
	state  treelock.State
	since  instant
	meta   *requestMeta
	places []locktable.Used[N]
}

// stepWork is how many requests are visited between two other messages. If none of it is in the
// processor's cache that takes some 10 µs. A request at very many nodes counts for more than one: one
// more for each placesPerVisit of them, or for each of them if they are looked up.
const (
	stepWork       = 128
	placesPerVisit = 16
)

// inspect takes the survey one step further.
func (s *survey[N]) inspect(l *loop[N]) {
	if s.table == nil {
		l.readClock()
		s.at, s.stats = l.now, l.currentStats()
		s.table = l.table.BeginSurvey(s.record)
	}
	s.over = l.table.StepSurvey(s.table, stepWork)
}

// A surveyEnd ends a survey whose client does not take another step.
type surveyEnd[N treelock.Node[N]] struct{ *survey[N] }

func (s surveyEnd[N]) inspect(l *loop[N]) {
	if s.table != nil {
		l.table.EndSurvey(s.table)
	}
}

// record adds r to the rows if the query asks for it, and returns the work beyond that for one visit.
func (s *survey[N]) record(r *locktable.Request[N, client[N]], waiting bool) (work int) {
	work = r.Width() / placesPerVisit
	if s.reach != nil {
		work += r.Width()
	}
	state, list := treelock.Holding, &s.holders
	if waiting {
		state, list = treelock.Waiting, &s.waiters
	}
	if !s.fits(r, state) {
		return work
	}
	s.matches++
	if s.limit <= 0 || list.len() < s.limit || list.keeps(r.Seq()) {
		list.add(&row[N]{r, r.Seq(), state, r.Who.since, r.Who.meta, r.Places()}, s.limit)
	}
	return work
}

// fits reports whether the query asks for r.
func (s *survey[N]) fits(r *locktable.Request[N, client[N]], state treelock.State) bool {
	age := s.at.since(r.Who.since)
	return age >= s.minAge && (s.due == nil || s.due(r.Seq(), state, age)) && (s.reach == nil || r.Reaches(s.reach))
}

// rows is a list of rows: those of the earliest requests if there is a limit. Without one it grows in
// pieces, as to copy all of it would take long.
type rows[N treelock.Node[N]] struct {
	chunks [][]*row[N]
	last   latestHeap[N] // a heap, if there is a limit
}

const rowsPerChunk = 1024

func (l *rows[N]) len() int { return len(l.last) }

// earlier reports whether a request came before the latest one in the list.
func (l *rows[N]) keeps(seq uint64) bool { return seq < l.last[0].seq }

// add adds a row. If the list is at its limit, the latest one is dropped.
func (l *rows[N]) add(r *row[N], limit int) {
	switch {
	case limit > 0 && len(l.last) == limit:
		l.last[0] = r
		heap.Fix(&l.last, 0)
	case limit > 0:
		heap.Push(&l.last, r)
	default:
		if len(l.last) == rowsPerChunk {
			l.chunks, l.last = append(l.chunks, l.last), make(latestHeap[N], 0, rowsPerChunk)
		}
		l.last = append(l.last, r)
	}
}

// sorted returns the requests by arrival.
func (l *rows[N]) sorted() []*row[N] {
	all := slices.Concat(append(l.chunks, l.last)...)
	slices.SortFunc(all, func(a, b *row[N]) int { return cmp.Compare(a.seq, b.seq) })
	return all
}

// latestFirst is a heap, with the latest request in front.
type latestHeap[N treelock.Node[N]] []*row[N]

func (h latestHeap[N]) Len() int           { return len(h) }
func (h latestHeap[N]) Less(i, j int) bool { return h[i].seq > h[j].seq }
func (h latestHeap[N]) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *latestHeap[N]) Push(x any)        { *h = append(*h, x.(*row[N])) }
func (h *latestHeap[N]) Pop() any          { panic("BUG: treelock: nothing is taken out of the heap") }
