package manager_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// BenchmarkWide is an acquire and a release of a request for so many nodes, each of which is new to the
// manager, and the longest acquire meanwhile of a client that uses another node. A request arrives as
// one step, so that is what WithMaxClaims bounds.
func BenchmarkWide(b *testing.B) {
	for _, claims := range []int{1000, 10_000, 65_536} {
		b.Run(fmt.Sprintf("impl=treelock/claims=%d", claims), func(b *testing.B) {
			m, round := startManager(b, manager.WithIdleNodes(0)), 0
			stop, worst, sum := make(chan struct{}), make(chan time.Duration), time.Duration(0)
			var bystander sync.WaitGroup
			bystander.Go(func() { longestAcquires(m, worst, stop) })
			for b.Loop() {
				b.StopTimer()
				paths := make([]path, claims)
				for i := range paths {
					paths[i] = path(fmt.Sprintf("/wide/%d/%d", round, i))
				}
				round++
				req := treelock.Write(paths...)
				<-worst
				b.StartTimer()
				must(m.Acquire(b.Context(), req)).Release()
				m.Stats() // when that is answered the release has been dealt with
				sum += <-worst
			}
			close(stop)
			bystander.Wait()
			b.ReportMetric(float64(sum.Nanoseconds())/float64(b.N)/float64(claims), "stall-ns/claim")
			b.ReportMetric(float64(sum.Microseconds())/float64(b.N)/1000, "stall-ms")
		})
	}
}

// longestAcquires acquires and releases one node over and over, and sends the longest that one took
// since it was sent the last time.
func longestAcquires(m *manager.Manager[path], worst chan<- time.Duration, stop <-chan struct{}) {
	req, longest := treelock.Write("/other/client"), time.Duration(0)
	for {
		start := time.Now()
		grant, err := m.TryAcquire(req)
		if err != nil {
			panic(err)
		}
		grant.Release()
		longest = max(longest, time.Since(start))
		select {
		case worst <- longest:
			longest = 0
		case <-stop:
			return
		default:
		}
	}
}
