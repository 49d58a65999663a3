package locktable_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/terms"
	"github.com/treelock/treelock/waitqueue"
)

// numbered returns n paths below parent.
func numbered(parent treelock.Path, n int) (paths []treelock.Path) {
	for i := range n {
		paths = append(paths, treelock.Path(fmt.Sprintf("%s/%d", parent, i)))
	}
	return paths
}

// BenchmarkBlockers measures a search for one blocker among many requests that are live elsewhere,
// and for many blockers. It shows that only blockers cost time.
func BenchmarkBlockers(b *testing.B) {
	for _, live := range []int{0, 1000, 10_000, 100_000} {
		for _, where := range []string{"here", "below", "all-here", "all-below"} {
			b.Run(fmt.Sprintf("live=%d/where=%s", live, where), func(b *testing.B) {
				tb := locktable.New[treelock.Path, string](4096, terms.NewPaths())
				other := map[string]treelock.Path{"all-here": "/a/b", "all-below": "/a/b"}[where]
				for i := range live {
					switch {
					case where == "all-here":
						submit(tb, "", treelock.Read(other))
					case other != "":
						submit(tb, "", treelock.Read(treelock.Path(fmt.Sprintf("%s/%d", other, i))))
					default:
						submit(tb, "", treelock.Write(treelock.Path(fmt.Sprintf("/else/%d/%d", i%10, i))))
					}
				}
				held := map[string]treelock.Path{"here": "/a/b", "below": "/a/b/c/d"}[where]
				if held == "" {
					held = other
				}
				if where == "here" || where == "below" {
					submit(tb, "blocker", treelock.Write(held))
				} else {
					submit(tb, "blocker", treelock.Read(held))
				}
				r := submit(tb, "", treelock.Write("/a/b"))
				b.ReportAllocs()
				for b.Loop() {
					tb.Blockers(r, 4, func(*request, locktable.ConflictPair[treelock.Path]) {})
				}
			})
		}
	}
}

// TestReasonOfAWideRequestIsFoundInLinearTime fails if the time to find a reason grows with the
// product of claims and depth.
func TestReasonOfAWideRequestIsFoundInLinearTime(t *testing.T) {
	const blockers, depth, wide, root, a, blocked = 4, 4000, 60_000, 0, 1, 2
	tb := locktable.New[int, int](10, nil)
	for range blockers {
		tb.Submit([]locktable.Claim[int]{{Mode: waitqueue.TR, Lineage: []int{a, root}}})
	}
	chain := make([]int, depth)
	for i := range chain[1:] {
		chain[depth-2-i] = 1000 + i
	}
	claims := []locktable.Claim[int]{{Mode: waitqueue.NR, Lineage: []int{blocked + 1, a, root}}}
	above := chain
	for i := range wide {
		claims = append(claims, locktable.Claim[int]{Mode: waitqueue.NW, Lineage: append([]int{10_000 + i}, above...)})
		above = chain[:1] // the rest is not read: the first claim planned it
	}
	claims = append(claims, locktable.Claim[int]{Mode: waitqueue.NW, Lineage: []int{blocked, a, root}})
	start := time.Now()
	r := tb.Submit(claims)
	arrival := time.Since(start)
	search := time.Hour
	for range 3 { // the machine may stand still in one of them
		start = time.Now()
		tb.Blockers(r, blockers, func(_ *locktable.Request[int, int], why locktable.ConflictPair[int]) {
			if why.Wanted.Node != blocked {
				t.Errorf("Wanted = %v, want %v", why.Wanted, blocked)
			}
		})
		search = min(search, time.Since(start))
	}
	if search > 10*arrival {
		t.Errorf("the search took %v, the arrival of the request %v", search, arrival)
	}
}

// TestLaterClaimsBelowCostASearchNothing lets many requests come later, at the nodes where the
// search below finds the blockers. If it visited them, it would reach its bound and miss a blocker.
func TestLaterClaimsBelowCostASearchNothing(t *testing.T) {
	tb := locktable.New[treelock.Path, string](4096, terms.NewPaths())
	nodes := []treelock.Path{"/a/1", "/a/2"}
	for _, node := range nodes {
		submit(tb, string(node), treelock.WriteNode(node))
	}
	r := submit(tb, "", treelock.Write("/a"))
	for _, node := range nodes {
		for range 1 << 15 {
			submit(tb, "", treelock.WriteNode(node))
		}
	}
	var found []string
	more, all := tb.Blockers(r, 4, func(b *request, _ locktable.ConflictPair[treelock.Path]) {
		found = append(found, b.Who)
	})
	if len(found) != len(nodes) || more != 0 || !all {
		t.Errorf("Blockers() = %d, %t, and visits %q; want 0, true, and the holders of both nodes", more, all, found)
	}
}
