package bench_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// BenchmarkCancelStorm cancels 30,000 Acquires at once that wait for one node, and reports the
// longest acquire meanwhile of a client that uses another node.
func BenchmarkCancelStorm(b *testing.B) {
	const waiters = 30_000
	var worst, sum time.Duration
	for b.Loop() {
		b.StopTimer()
		m := startManager(b)
		holder := must(m.Acquire(b.Context(), treelock.Write("/a/b/c/d")))
		ctx, cancel := context.WithCancel(b.Context())
		var canceled sync.WaitGroup
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
		longest, stop := startBystander(m)
		longest()
		b.StartTimer()
		cancel()
		canceled.Wait()
		b.StopTimer()
		took := longest()
		stop()
		holder.Release()
		worst, sum = max(worst, took), sum+took
		b.StartTimer()
	}
	b.ReportMetric(float64(sum.Milliseconds())/float64(b.N), "bystander-ms")
	b.ReportMetric(float64(worst.Milliseconds()), "worst-ms")
}

// BenchmarkWide is an acquire and a release of a request for so many nodes that are new to the
// manager, and the longest acquire meanwhile of a client that uses another node. A request arrives
// as one step, so WithMaxClaims bounds this.
func BenchmarkWide(b *testing.B) {
	for _, claims := range []int{1000, 10_000, 65_536} {
		b.Run(fmt.Sprintf("impl=treelock/claims=%d", claims), func(b *testing.B) {
			m, round, sum := startManager(b, manager.WithIdleNodes(0)), 0, time.Duration(0)
			longest, stop := startBystander(m)
			for b.Loop() {
				b.StopTimer()
				paths := make([]path, claims)
				for i := range paths {
					paths[i] = path(fmt.Sprintf("/wide/%d/%d", round, i))
				}
				round++
				req := treelock.Write(paths...)
				longest()
				b.StartTimer()
				must(m.Acquire(b.Context(), req)).Release()
				m.Stats() // its answer comes after the release is done
				sum += longest()
			}
			stop()
			b.ReportMetric(float64(sum.Nanoseconds())/float64(b.N)/float64(claims), "stall-ns/claim")
			b.ReportMetric(float64(sum.Microseconds())/float64(b.N)/1000, "stall-ms")
		})
	}
}

// startBystander starts a client that acquires and releases one node over and over. longest returns
// the longest acquire since the last call, after the one that goes on. stop ends the client.
func startBystander(m *lockManager) (longest func() time.Duration, stop func()) {
	longests, stopping := make(chan time.Duration), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		req, worst := treelock.Write("/other/client"), time.Duration(0)
		for {
			start := time.Now()
			must(m.TryAcquire(context.Background(), req)).Release()
			worst = max(worst, time.Since(start))
			select {
			case longests <- worst:
				worst = 0
			case <-stopping:
				return
			default:
			}
		}
	})
	return func() time.Duration { return <-longests }, func() { close(stopping); done.Wait() }
}
