package bench_test

import (
	"fmt"
	"testing"

	"github.com/treelock/treelock"
)

// BenchmarkRevoke revokes one of many grants, which Revoke has to find among all. A step also
// acquires that grant again.
func BenchmarkRevoke(b *testing.B) {
	for _, live := range []int{1, 1000, 100_000} {
		b.Run(fmt.Sprintf("impl=treelock/live=%d", live), func(b *testing.B) {
			m := startManager(b)
			for i := range live - 1 {
				must(m.TryAcquire(b.Context(), treelock.Write(inForest("live", i))))
			}
			b.ReportAllocs()
			for b.Loop() {
				g := must(m.TryAcquire(b.Context(), treelock.Write("/a/b/c/d")))
				if err := m.Revoke(b.Context(), g.Number(), nil); err != nil {
					b.Fatal(err)
				}
				g.Release()
			}
		})
	}
}

// BenchmarkWanted has grants that ask whether they are wanted, beside requests that wait for
// another grant.
func BenchmarkWanted(b *testing.B) {
	for _, asked := range []int{0, 1, 1000} {
		b.Run(fmt.Sprintf("impl=treelock/asked=%d", asked), func(b *testing.B) {
			m := startManager(b)
			for i := range asked {
				must(m.TryAcquire(b.Context(), treelock.Write(inForest("live", i)))).Wanted()
			}
			must(m.TryAcquire(b.Context(), treelock.Write("/a/b/c/d")))
			b.ReportAllocs()
			for b.Loop() {
				must(m.Submit(b.Context(), treelock.Write("/a/b/c/d"))).Withdraw()
			}
		})
	}
}
