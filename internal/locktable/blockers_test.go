package locktable_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/waitqueue"
)

// blockersOf submits req, describes its blockers, a line for each one that is named, and withdraws
// it.
func blockersOf(tb *table, req treelock.Request[treelock.Path], limit int) (named []string, more int, all bool) {
	r := submit(tb, "", req)
	defer tb.End(r)
	more, all = tb.Blockers(r, limit, func(b *request, why locktable.Quarrel[treelock.Path]) {
		named = append(named, fmt.Sprintf("%s: %v %s, %v %s", b.Who, why.Claim.Mode, why.Claim.Node, why.Wanted.Mode, why.Wanted.Node))
	})
	return named, more, all
}

// numbered returns n paths below parent.
func numbered(parent treelock.Path, n int) (paths []treelock.Path) {
	for i := range n {
		paths = append(paths, treelock.Path(fmt.Sprintf("%s/%d", parent, i)))
	}
	return paths
}

// TestBlockersAreFoundAmongManyLiveRequests is about requests that a search must not spend time on.
func TestBlockersAreFoundAmongManyLiveRequests(t *testing.T) {
	bottom := treelock.Path("/x" + strings.Repeat("/d", 4090))
	deep := treelock.Path("/x/1/2/3/4/5/6/7/8/9/10/11/12/13/14")
	for name, test := range map[string]struct {
		fill func(tb *table)
		req  treelock.Request[treelock.Path]
		want []string
	}{
		"storage that was used once": {func(tb *table) {
			var burst []*request
			for _, p := range numbered("/burst", 1100) {
				burst = append(burst, submit(tb, "", treelock.Write(p)))
			}
			submit(tb, "blocker", treelock.Write("/x/1"))
			for _, r := range burst {
				tb.End(r)
			}
		}, treelock.Read("/x"), []string{"blocker: TW /x/1, TR /x"}},
		"many live elsewhere": {func(tb *table) {
			for _, p := range numbered("/else", 10_000) {
				submit(tb, "", treelock.Write(p))
			}
			submit(tb, "blocker", treelock.Write("/x/1"))
		}, treelock.Read("/x"), []string{"blocker: TW /x/1, TR /x"}},
		"many readers beside one writer": {func(tb *table) {
			for _, p := range numbered("/x", 10_000) {
				submit(tb, "", treelock.Read(p))
			}
			submit(tb, "blocker", treelock.WriteNode("/x/777/1"))
		}, treelock.Read("/x"), []string{"blocker: NW /x/777/1, TR /x"}},
		"many that wrote and now read": {func(tb *table) {
			for _, p := range numbered("/x", 10_000) {
				tb.Narrow(submit(tb, "", treelock.Write(p)), locktable.ClaimsOf(treelock.Read(p)))
			}
			submit(tb, "blocker", treelock.Write("/x/y"))
			blockersOf(tb, treelock.Read("/x"), 1) // relinks the children
		}, treelock.Read("/x"), []string{"blocker: TW /x/y, TR /x"}},
		"many readers of the same node, and a writer that waits": {func(tb *table) {
			for range 10_000 {
				submit(tb, "", treelock.Read("/x"))
			}
			submit(tb, "blocker", treelock.Write("/x"))
		}, treelock.Read("/x"), []string{"blocker: TW /x, TR /x"}},
		"many claims of the blocker elsewhere": {func(tb *table) {
			submit(tb, "blocker", treelock.Write(append(numbered("/x", 1100), "/b/y")...))
		}, treelock.Read("/b"), []string{"blocker: TW /b/y, TR /b"}},
		"many claims of the blocker below": {func(tb *table) {
			submit(tb, "blocker", treelock.Write(numbered("/x", 100_000)...))
		}, treelock.Write("/x"), []string{"blocker: TW /x/0, TW /x"}},
		"many claims of the request": {func(tb *table) {
			submit(tb, "blocker", treelock.Read("/b"))
		}, treelock.Read(numbered("/x", 1100)...).ReadNode("/b/y").Write("/b/x"), []string{"blocker: TR /b, TW /b/x"}},
		"another claim of the request": {func(tb *table) {
			submit(tb, "blocker", treelock.Write("/x/1"))
		}, treelock.Read("/y", "/x"), []string{"blocker: TW /x/1, TR /x"}},
		"another write of the request": {func(tb *table) {
			submit(tb, "blocker", treelock.Read("/b"))
		}, treelock.Write("/c/z").ReadNode("/b/y").Write("/b/x"), []string{"blocker: TR /b, TW /b/x"}},
		"far below": {func(tb *table) { submit(tb, "blocker", treelock.Write(deep)) }, treelock.Read("/"), []string{"blocker: TW " + string(deep) + ", TR /"}},
		"far above": {func(tb *table) { submit(tb, "blocker", treelock.Read("/x")) }, treelock.Write(deep), []string{"blocker: TR /x, TW " + string(deep)}},
		"as far below as may be": {func(tb *table) {
			for _, p := range numbered("/x", 10) {
				submit(tb, "", treelock.Read(p))
			}
			submit(tb, "blocker", treelock.Write(bottom))
		}, treelock.Read("/"), []string{"blocker: TW " + string(bottom) + ", TR /"}},
		"waits, too": {waitBelow, treelock.Read("/"), []string{"waiter: TW /x/1, TR /"}},
	} {
		tb := locktable.New[treelock.Path, string](4096)
		test.fill(tb)
		got, more, all := blockersOf(tb, test.req, 4)
		if diff := cmp.Diff(test.want, got); diff != "" || more != 0 || !all {
			t.Errorf("%s: %d more, all=%t, want 0 and true; blockers -want +got:\n%s", name, more, all, diff)
		}
		checkSound(t, tb)
	}
}

// waitBelow makes a writer wait for readers. A later reader waits for that writer only.
func waitBelow(tb *table) {
	for range 100 {
		submit(tb, "", treelock.Read("/x/1"))
	}
	submit(tb, "waiter", treelock.Write("/x/1"))
}

// TestEarliestBlockersAreNamed is about a search below a subtree, which finds blockers in any
// order.
func TestEarliestBlockersAreNamed(t *testing.T) {
	tb := locktable.New[treelock.Path, string](4096)
	var live []*request
	for i, p := range numbered("/x", 64) {
		live = append(live, submit(tb, fmt.Sprint(i), treelock.Write(p)))
	}
	for _, i := range []int{3, 0, 2} { // leave, and arrive again last
		tb.End(live[i])
		submit(tb, "again", treelock.Write(numbered("/x", 64)[i]))
	}
	named, more, all := blockersOf(tb, treelock.Read("/"), 2)
	want := []string{"1: TW /x/1, TR /", "4: TW /x/4, TR /"}
	if diff := cmp.Diff(want, named); diff != "" || more != 62 || !all {
		t.Errorf("%d more, all=%t, want 62 and true; blockers -want +got:\n%s", more, all, diff)
	}
}

// BenchmarkBlockers measures a search for one blocker among many requests that are live elsewhere,
// and for many blockers. It shows that only blockers cost time.
func BenchmarkBlockers(b *testing.B) {
	for _, live := range []int{0, 1000, 10_000, 100_000} {
		for _, where := range []string{"here", "below", "all-here", "all-below"} {
			b.Run(fmt.Sprintf("live=%d/where=%s", live, where), func(b *testing.B) {
				tb := locktable.New[treelock.Path, string](4096)
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
					tb.Blockers(r, 4, func(*request, locktable.Quarrel[treelock.Path]) {})
				}
			})
		}
	}
}

// TestReasonOfAWideRequestIsFoundInLinearTime fails if the time to find a reason grows with the
// product of claims and depth.
func TestReasonOfAWideRequestIsFoundInLinearTime(t *testing.T) {
	const blockers, depth, wide, root, a, blocked = 4, 4000, 60_000, 0, 1, 2
	tb := locktable.New[int, int](10)
	for range blockers {
		tb.Submit(0, []locktable.Claim[int]{{Mode: waitqueue.TR, Lineage: []int{a, root}}})
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
	r := tb.Submit(0, claims)
	arrival := time.Since(start)
	start = time.Now()
	tb.Blockers(r, blockers, func(_ *locktable.Request[int, int], why locktable.Quarrel[int]) {
		if why.Wanted.Node != blocked {
			t.Errorf("Wanted = %v, want %v", why.Wanted, blocked)
		}
	})
	if search := time.Since(start); search > 10*arrival {
		t.Errorf("the search took %v, the arrival of the request %v", search, arrival)
	}
}
