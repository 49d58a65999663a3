package bench_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

type (
	path        = treelock.Path
	grant       = treelock.Grant[path]
	ticket      = manager.Ticket[path]
	lockManager = manager.Manager[path]
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// startManager starts a manager that ends before the benchmark does.
func startManager(b *testing.B, opts ...manager.Option) *lockManager {
	m := manager.Start(b.Context(), opts...)
	b.Cleanup(func() { <-m.Done() })
	return m
}

// inParallel measures b.N steps in all, taken by so many clients at once. start makes the step of
// a client.
func inParallel(b *testing.B, clients int, start func(client int) (step func())) {
	b.ReportAllocs()
	warmUp, begin := make(chan struct{}), make(chan struct{})
	var warm, done sync.WaitGroup
	warm.Add(clients)
	for client := range clients {
		step := start(client)
		share := b.N / clients
		if client < b.N%clients {
			share++
		}
		done.Go(func() {
			<-warmUp
			step() // all at once, so that what is made once, like a large enough stack, exists
			warm.Done()
			<-begin
			for range share {
				step()
			}
		})
	}
	close(warmUp)
	warm.Wait()
	b.ResetTimer()
	close(begin)
	done.Wait()
	b.StopTimer()
}

// reportPercentiles reports these percentiles of took, as p50-ns and so on, and the longest.
func reportPercentiles(b *testing.B, took []time.Duration, percents ...float64) {
	slices.Sort(took)
	for _, percent := range percents {
		at := int(percent / 100 * float64(len(took)-1))
		b.ReportMetric(float64(took[at]), fmt.Sprintf("p%v-ns", percent))
	}
	b.ReportMetric(float64(took[len(took)-1]), "max-ns")
}

// liveHeap returns the size of the live heap.
func liveHeap() float64 {
	runtime.GC()
	runtime.GC() // the second empties the pools
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}

// leaf returns the i-th of many nodes of that depth that have one parent.
func leaf(depth, i int) path {
	var parent strings.Builder
	for level := range depth - 1 {
		parent.WriteByte('/')
		parent.WriteByte('a' + byte(level%26))
	}
	return path(fmt.Sprintf("%s/%06d", &parent, i))
}

// inForest returns the i-th leaf below a node, at depth 4: each folder has a hundred leaves, each
// folder above has a hundred folders.
func inForest(top string, i int) path {
	return path(fmt.Sprintf("/%s/%02d/%02d/%02d", top, i/10_000, i/100%100, i%100))
}

// request returns a request for one node.
func request(op string, node path) treelock.Request[path] {
	if op == "read" {
		return treelock.Read(node)
	}
	return treelock.Write(node)
}

// acquireStep returns a step that acquires req and releases it. Its context can end, as that of a
// request to a server can.
func acquireStep(b *testing.B, m *lockManager, req treelock.Request[path]) (step func()) {
	ctx := canEnd(b)
	return func() { must(m.Acquire(ctx, req)).Release() }
}

// canEnd returns a new context that can end.
func canEnd(b *testing.B) context.Context {
	ctx, cancel := context.WithCancel(b.Context())
	b.Cleanup(cancel)
	return ctx
}

// must returns v. It panics on an error, so that any goroutine may call it.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
