package bench_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/treelock/treelock"
)

// BenchmarkLive is an acquire and a release of a write lock by one client, while so many other
// nodes are held. It takes the leaves in a random order that is always the same. leaves=1000 are
// few enough for the manager to remember their nodes when they are idle, leaves=100000 are not.
func BenchmarkLive(b *testing.B) {
	for _, live := range []int{0, 1_000, 100_000, 1_000_000} {
		for _, leaves := range []int{1_000, 100_000} {
			name := fmt.Sprintf("impl=treelock/op=write/depth=4/leaves=%d/live=%d", leaves, live)
			b.Run(name, func(b *testing.B) {
				m, ctx := startManager(b), canEnd(b)
				for i := range live {
					must(m.Acquire(ctx, treelock.Write(inForest("live", i))))
				}
				requests := make([]treelock.Request[path], leaves)
				for i, leaf := range rand.New(rand.NewPCG(1, 2)).Perm(leaves) {
					requests[i] = treelock.Write(inForest("idle", leaf))
				}
				for _, req := range requests { // so that the manager remembers what it can
					must(m.Acquire(ctx, req)).Release()
				}
				runtime.GC() // the garbage of the preparation is not measured
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
