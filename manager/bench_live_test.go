package manager_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/treelock/treelock"
)

// BenchmarkLive is an acquire and a release of a write lock by one client, while so many other nodes are held. It takes
// the leaves in a random order, time after time the same: leaves=1000 are few enough for the manager to remember
// their nodes when they are idle, leaves=100000 are not.
func BenchmarkLive(b *testing.B) {
	for _, live := range []int{0, 1_000, 100_000, 1_000_000} {
		for _, leaves := range []int{1_000, 100_000} {
			b.Run(fmt.Sprintf("impl=treelock/op=write/depth=4/leaves=%d/live=%d", leaves, live), func(b *testing.B) {
				m, ctx := startManager(b), canEnd(b)
				for i := range live {
					must(m.Acquire(ctx, treelock.Write(inForest("live", i))))
				}
				requests := make([]treelock.Request[path], leaves)
				for i := range requests {
					requests[i] = treelock.Write(inForest("idle", i))
				}
				rand.New(rand.NewPCG(1, 2)).Shuffle(leaves, func(i, j int) {
					requests[i], requests[j] = requests[j], requests[i]
				})
				for _, req := range requests { // so that the nodes are known, if they can be
					must(m.Acquire(ctx, req)).Release()
				}
				runtime.GC() // the garbage of all this is not what is to be measured
				b.ReportAllocs()
				next := 0
				for b.Loop() {
					must(m.Acquire(ctx, requests[next])).Release()
					if next++; next == leaves {
						next = 0
					}
				}
			})
		}
	}
}

// inForest returns the i-th leaf below a node: at depth 4, a hundred in each folder, a hundred folders in each above.
func inForest(top string, i int) path {
	return path(fmt.Sprintf("/%s/%02d/%02d/%02d", top, i/10_000, i/100%100, i%100))
}
