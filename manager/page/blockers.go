package page

import (
	"cmp"
	"slices"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A topBlocker is a holder for which other requests wait, directly or through other waiters.
type topBlocker[N treelock.Node[N]] struct {
	manager.RequestInfo[N]
	behind  int                    // how many requests wait for it
	atLeast bool                   // there may be more of them
	first   manager.RequestInfo[N] // the longest waiter among them
}

// topBlockers returns the holders that block requests: first those with a long waiter, then those
// that block most. partial means that s may lack requests.
//
// A snapshot names only the earliest blockers of a waiter. So the page does not know of every
// waiter whether it waits for a given holder.
func topBlockers[N treelock.Node[N]](s *manager.Snapshot[N], partial bool) []topBlocker[N] {
	all := make([]topBlocker[N], len(s.Holders))
	index := make(map[uint64]int, len(s.Holders))
	for i, h := range s.Holders {
		all[i].RequestInfo = h
		index[h.Number] = i
	}
	unnamed, unnamedBehind := 0, make([]int, len(all))
	behind := make(map[uint64]bitSet, len(s.Waiters))
	for _, w := range s.Waiters { // by arrival, so the blockers of w come before it
		holders := newBitSet(len(all))
		for _, number := range w.BlockedBy {
			if i, holds := index[number]; holds {
				holders.add(i)
			} else {
				holders.union(behind[number])
			}
		}
		behind[w.Number] = holders
		hasUnnamed := w.More > 0 || w.AtLeast
		if hasUnnamed {
			unnamed++
		}
		for i := range all {
			if !holders.has(i) {
				continue
			}
			if all[i].behind++; all[i].behind == 1 {
				all[i].first = w
			}
			if hasUnnamed {
				unnamedBehind[i]++
			}
		}
	}
	for i := range all {
		all[i].atLeast = partial || unnamedBehind[i] < unnamed
	}
	all = slices.DeleteFunc(all, func(b topBlocker[N]) bool { return b.behind == 0 })
	slices.SortStableFunc(all, func(a, b topBlocker[N]) int {
		return cmp.Or(cmp.Compare(a.rank(s.Taken), b.rank(s.Taken)), cmp.Compare(b.behind, a.behind))
	})
	return all
}

// rank is lower if a request has waited for b for long.
func (b topBlocker[N]) rank(now time.Time) int {
	if now.Sub(b.first.Since) >= longWait {
		return 0
	}
	return 1
}

// A bitSet is a set of small numbers.
type bitSet []uint64

func newBitSet(size int) bitSet { return make(bitSet, (size+63)/64) }

func (s bitSet) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s bitSet) has(i int) bool { return s[i/64]>>(i%64)&1 == 1 }

// union adds the elements of o, which may be nil.
func (s bitSet) union(o bitSet) {
	for i, word := range o {
		s[i] |= word
	}
}
