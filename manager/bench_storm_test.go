package manager_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/treelock/treelock"
)

// BenchmarkCancelStorm cancels 30,000 Acquires at once that wait for one node, and tells the longest
// acquire meanwhile of a client that uses another one.
func BenchmarkCancelStorm(b *testing.B) {
	const waiters = 30_000
	var worst, sum time.Duration
	for b.Loop() {
		b.StopTimer()
		m := startManager(b)
		holder := must(m.Acquire(b.Context(), treelock.Write("/a/b/c/d")))
		ctx, cancel := context.WithCancel(b.Context())
		var canceled, bystander sync.WaitGroup
		for range waiters {
			canceled.Go(func() {
				if _, err := m.Acquire(ctx, treelock.Write("/a/b/c/d")); err == nil {
					panic("a cancelled Acquire has a grant")
				}
			})
		}
		for m.Stats().Waiting < waiters {
			time.Sleep(time.Millisecond)
		}
		stop, began, longest := make(chan struct{}), make(chan struct{}), time.Duration(0)
		bystander.Go(func() {
			for req, first := treelock.Write("/other/client"), true; ; first = false {
				select {
				case <-stop:
					return
				default:
				}
				start := time.Now()
				must(m.Acquire(context.Background(), req)).Release()
				longest = max(longest, time.Since(start))
				if first {
					close(began)
				}
			}
		})
		<-began
		b.StartTimer()
		cancel()
		canceled.Wait()
		b.StopTimer()
		close(stop)
		bystander.Wait()
		holder.Release()
		worst, sum = max(worst, longest), sum+longest
		b.StartTimer()
	}
	b.ReportMetric(float64(sum.Milliseconds())/float64(b.N), "bystander-ms")
	b.ReportMetric(float64(worst.Milliseconds()), "worst-ms")
}
