package manager

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

// A row is what a request was when the survey began. (Neither row nor survey uses the alias
// request, on which the compiler of Go 1.26 fails here.)
type row[N treelock.Node[N]] struct {
	req    *locktable.Request[N, client[N]] // only to be passed back to the manager goroutine
	seq    uint64
	inside uint64 // the number of the grant that the request is inside, or 0
	widens uint64 // the number of the grant that the request widens, or 0
	token  uint64 // that of an entry of a journal, or 0
	state  treelock.State
	since  instant
	meta   *requestMeta
	uses   []locktable.Use[N] // a copy, as the request changes while the client reads the row
}

// rows is a list of rows. With a limit, it keeps the earliest requests in a heap. Without one it
// grows by chunks, as a copy of all rows would take too long for one step.
type rows[N treelock.Node[N]] struct {
	chunks [][]*row[N]   // full ones
	last   latestHeap[N] // the last chunk, or the heap
}

// rowsPerChunk bounds what one step allocates and clears at once.
const rowsPerChunk = 1024

// len returns the length of a list with a limit, which is one heap.
func (l *rows[N]) len() int { return len(l.last) }

// keeps reports whether a list at its limit would keep a request. Surveys visit requests in the
// order of their storage, so an earlier one may come later.
func (l *rows[N]) keeps(seq uint64) bool { return seq < l.last[0].seq }

// add adds a row. If the list is at its limit, the row of the latest request is dropped.
func (l *rows[N]) add(r *row[N], limit int) {
	switch {
	// The head is the latest, and the caller has asked keeps: the new row is earlier and takes its
	// place.
	case limit > 0 && len(l.last) == limit:
		l.last[0] = r
		heap.Fix(&l.last, 0)
	case limit > 0:
		heap.Push(&l.last, r)
	default:
		// A full chunk is set aside as it is: growth never copies rows.
		if len(l.last) == rowsPerChunk {
			l.chunks, l.last = append(l.chunks, l.last), make(latestHeap[N], 0, rowsPerChunk)
		}
		l.last = append(l.last, r)
	}
}

// sorted returns the rows by arrival. The client calls it, as sorting very many takes long.
func (l *rows[N]) sorted() []*row[N] {
	all := slices.Concat(append(l.chunks, l.last)...)
	slices.SortFunc(all, func(a, b *row[N]) int { return cmp.Compare(a.seq, b.seq) })
	return all
}

// latestHeap is a heap with the latest request first, the one to drop. Its Pop is never needed.
type latestHeap[N treelock.Node[N]] []*row[N]

func (h latestHeap[N]) Len() int           { return len(h) }
func (h latestHeap[N]) Less(i, j int) bool { return h[i].seq > h[j].seq }
func (h latestHeap[N]) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *latestHeap[N]) Push(x any)        { *h = append(*h, x.(*row[N])) }
func (h *latestHeap[N]) Pop() any          { panic("BUG: treelock: Pop of the heap of rows") }
