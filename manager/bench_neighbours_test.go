package manager_test

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/treelock/treelock"
)

var neighboursFor = flag.Duration("neighbours", 10*time.Second, "how long each row of BenchmarkNeighbours measures")

// BenchmarkNeighbours is an acquire in a program in which so many goroutines compute without end: its
// median, and its 90th and 99th percentile. Each client acquires a node of its own and rests for 200
// microseconds after its release. It measures for a fixed time, whatever -benchtime says.
func BenchmarkNeighbours(b *testing.B) {
	for _, busy := range []int{0, 1, 2, 8} {
		for _, clients := range []int{1, 32} {
			b.Run(fmt.Sprintf("impl=treelock/busy=%d/clients=%d", busy, clients), func(b *testing.B) {
				if testing.Short() {
					b.Skip("it takes a fixed time")
				}
				took := besideNeighbours(b, busy, clients, *neighboursFor)
				slices.Sort(took)
				for _, percent := range []int{50, 90, 99} {
					b.ReportMetric(float64(took[len(took)*percent/100]), fmt.Sprintf("p%d-ns", percent))
				}
				b.ReportMetric(float64(took[len(took)-1]), "max-ns")
				b.ReportMetric(float64(len(took)), "acquires")
				b.ReportMetric(0, "ns/op") // the time that was told says nothing
			})
		}
	}
}

// besideNeighbours returns how long each acquire took.
func besideNeighbours(b *testing.B, busy, clients int, d time.Duration) (took []time.Duration) {
	m := startManager(b)
	var stop atomic.Bool
	var neighbours, done sync.WaitGroup
	for range busy {
		neighbours.Go(func() {
			x := 1
			for !stop.Load() {
				for range 1000 {
					x = x*1664525 + 1013904223
				}
			}
			runtime.KeepAlive(x)
		})
	}
	all := make([][]time.Duration, clients)
	ctx, end := canEnd(b), time.Now().Add(d)
	for client := range clients {
		done.Go(func() {
			req := treelock.Write(leaf(4, client))
			for time.Now().Before(end) {
				start := time.Now()
				grant := must(m.Acquire(ctx, req))
				all[client] = append(all[client], time.Since(start))
				grant.Release()
				time.Sleep(200 * time.Microsecond)
			}
		})
	}
	done.Wait()
	stop.Store(true)
	neighbours.Wait()
	return slices.Concat(all...)
}
