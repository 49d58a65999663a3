package page

import (
	"cmp"
	"slices"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A culprit is a request that holds and that others wait for, directly or in a row.
type culprit[N treelock.Node[N]] struct {
	manager.Live[N]
	behind  int             // how many wait for it
	atLeast bool            // there may be more
	first   manager.Live[N] // the one of them that has waited for longest
}

// culprits returns who holds up others: in front those who keep somebody waiting for long, then those that hold up most. partial
// says that requests may be missing in s.
//
// A snapshot names the earliest few of those that a request waits for. So of some it is not known whether they wait for a
// given holder too.
func culprits[N treelock.Node[N]](s *manager.Snapshot[N], partial bool) []culprit[N] {
	all := make([]culprit[N], len(s.Holders))
	place := make(map[uint64]int, len(s.Holders))
	for i, h := range s.Holders {
		all[i].Live = h
		place[h.Number] = i
	}
	vague, vagueBehind := 0, make([]int, len(all))
	behind := make(map[uint64]set, len(s.Waiters))
	for _, w := range s.Waiters { // by arrival: those that it waits for have had their turn
		holders := newSet(len(all))
		for _, seq := range w.BlockedBy {
			if i, holds := place[seq]; holds {
				holders.put(i)
			} else {
				holders.join(behind[seq])
			}
		}
		behind[w.Number] = holders
		if w.More > 0 || w.AtLeast {
			vague++
		}
		for i := range all {
			if !holders.has(i) {
				continue
			}
			if all[i].behind++; all[i].behind == 1 {
				all[i].first = w
			}
			if w.More > 0 || w.AtLeast {
				vagueBehind[i]++
			}
		}
	}
	for i := range all {
		all[i].atLeast = partial || vagueBehind[i] < vague
	}
	all = slices.DeleteFunc(all, func(c culprit[N]) bool { return c.behind == 0 })
	slices.SortStableFunc(all, func(a, b culprit[N]) int {
		return cmp.Or(cmp.Compare(a.rank(s.Taken), b.rank(s.Taken)), cmp.Compare(b.behind, a.behind))
	})
	return all
}

// rank is lower for one who keeps somebody waiting for long.
func (c culprit[N]) rank(now time.Time) int {
	if now.Sub(c.first.Since) >= long {
		return 0
	}
	return 1
}

// A set is a set of small numbers.
type set []uint64

func newSet(size int) set { return make(set, (size+63)/64) }

func (s set) put(i int)      { s[i/64] |= 1 << (i % 64) }
func (s set) has(i int) bool { return s[i/64]>>(i%64)&1 == 1 }

// join puts all that is in o into s; o may be nil.
func (s set) join(o set) {
	for i, word := range o {
		s[i] |= word
	}
}
