package manager_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// manyLive requests are live at once in BenchmarkMemory.
const manyLive = 200_000

// BenchmarkMemory measures what a live request for one node at depth 4 takes, everything included: the manager's
// side, what the client keeps, the path itself.
//
//	state=held              grants of distinct nodes with one parent
//	state=waiting           tickets for the same, while another client holds the parent
//	state=waiting-one-node  tickets for one and the same node
//	state=waiting-acquire   as state=waiting, but each in an Acquire on a goroutine of its own, with one context for
//	                        all. B/stack is its stack, B/request the rest, to which the runtime adds its record of the goroutine
func BenchmarkMemory(b *testing.B) {
	held := func(b *testing.B) {
		measureHeap(b, func(m *manager.Manager[path], ctx context.Context) any {
			grants := make([]grant, manyLive)
			for i := range grants {
				grants[i] = must(m.Acquire(ctx, treelock.Write(leaf(4, i))))
			}
			return grants
		})
	}
	waiting := func(holder, waiter func(i int) path) func(b *testing.B) {
		return func(b *testing.B) {
			measureHeap(b, func(m *manager.Manager[path], ctx context.Context) any {
				must(m.Acquire(ctx, treelock.Write(holder(0))))
				tickets := make([]*ticket, manyLive)
				for i := range tickets {
					tickets[i] = must(m.Submit(ctx, treelock.Write(waiter(i))))
				}
				return tickets
			})
		}
	}
	parent := func(int) path { return "/a/b/c" }
	apart := func(i int) path { return leaf(4, i) }
	same := func(int) path { return leaf(4, 0) }
	b.Run("impl=treelock/state=held/depth=4", held)
	b.Run("impl=treelock/state=waiting/depth=4", waiting(parent, apart))
	b.Run("impl=treelock/state=waiting-one-node/depth=4", waiting(same, same))
	b.Run("impl=treelock/state=waiting-acquire/depth=4", waitingInAcquire)
}

// measureHeap reports by how much the heap grows when live makes requests, and returns what their client keeps.
func measureHeap(b *testing.B, live func(m *manager.Manager[path], ctx context.Context) (kept any)) {
	grown := 0.0
	for b.Loop() {
		ctx, cancel := context.WithCancel(b.Context())
		m := manager.Start(ctx)
		before := liveHeap()
		kept := live(m, ctx)
		grown += liveHeap() - before
		runtime.KeepAlive(kept)
		cancel()
		<-m.Done()
	}
	b.ReportMetric(0, "ns/op") // which would tell nothing
	b.ReportMetric(grown/float64(b.N)/manyLive, "B/request")
}

func waitingInAcquire(b *testing.B) {
	heap, stack := 0.0, 0.0
	for b.Loop() {
		heapGrown, stackGrown := measureGoroutines(b)
		heap += heapGrown
		stack += stackGrown
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(heap/float64(b.N)/manyLive, "B/request")
	b.ReportMetric(stack/float64(b.N)/manyLive, "B/stack")
}

// measureGoroutines returns by how much the heap and the stacks grow when goroutines wait in Acquire.
func measureGoroutines(b *testing.B) (heap, stack float64) {
	ctx, cancel := context.WithCancel(b.Context())
	m := manager.Start(ctx, manager.WithMaxWaiting(manyLive))
	must(m.Acquire(ctx, treelock.Write("/a/b/c")))
	heapBefore, stackBefore := liveHeap(), stacks()
	var waiters sync.WaitGroup
	for i := range manyLive {
		waiters.Go(func() {
			req := treelock.Write(leaf(4, i))
			for err := treelock.ErrBusy; errors.Is(err, treelock.ErrBusy); { // one may meet the probe below
				_, err = m.Acquire(ctx, req)
			}
		})
	}
	awaitFull(m, ctx)
	heap, stack = liveHeap()-heapBefore, stacks()-stackBefore
	cancel()
	waiters.Wait()
	<-m.Done()
	return heap, stack
}

// awaitFull waits until as many requests wait as may: then one more is refused.
func awaitFull(m *manager.Manager[path], ctx context.Context) {
	for {
		probe, err := m.Submit(ctx, treelock.Write("/a/b/c/probe"))
		if errors.Is(err, treelock.ErrBusy) {
			return
		}
		must(0, err)
		probe.Withdraw()
		time.Sleep(10 * time.Millisecond)
	}
}

// stacks returns the size of all stacks.
func stacks() float64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.StackInuse)
}
