package bench_test

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

// BenchmarkMemory measures the memory of a live request for one node at depth 4: what the manager
// keeps, what the client keeps, and the path itself.
//
//	state=held              grants of distinct nodes with one parent
//	state=waiting           tickets for the same, while another client holds the parent
//	state=waiting-one-node  tickets for one node
//	state=waiting-acquire   as state=waiting, but each in an Acquire on a goroutine of its own,
//	                        with one context for all. B/stack is its stack, B/request the
//	                        rest, which includes the runtime's record of the goroutine
func BenchmarkMemory(b *testing.B) {
	held := func(m *lockManager, ctx context.Context) any {
		grants := make([]grant, manyLive)
		for i := range grants {
			grants[i] = must(m.Acquire(ctx, treelock.Write(leaf(4, i))))
		}
		return grants
	}
	waiting := func(holder path, waiter func(i int) path) func(*lockManager, context.Context) any {
		return func(m *lockManager, ctx context.Context) any {
			must(m.Acquire(ctx, treelock.Write(holder)))
			tickets := make([]*ticket, manyLive)
			for i := range tickets {
				tickets[i] = must(m.Submit(ctx, treelock.Write(waiter(i))))
			}
			return tickets
		}
	}
	for _, state := range []struct {
		name string
		live func(m *lockManager, ctx context.Context) (kept any)
	}{
		{"held", held},
		{"waiting", waiting("/a/b/c", func(i int) path { return leaf(4, i) })},
		{"waiting-one-node", waiting(leaf(4, 0), func(int) path { return leaf(4, 0) })},
		{"waiting-acquire", waitInAcquire},
	} {
		b.Run("impl=treelock/state="+state.name+"/depth=4", func(b *testing.B) {
			heap, stack := 0.0, 0.0
			for b.Loop() {
				ctx, cancel := context.WithCancel(b.Context())
				m := manager.Start(ctx, manager.WithMaxWaiting(manyLive))
				heapBefore, stackBefore := liveHeap(), stacks()
				kept := state.live(m, ctx)
				heap, stack = heap+liveHeap()-heapBefore, stack+stacks()-stackBefore
				cancel()
				<-m.Done()
				if waiters, ok := kept.(*sync.WaitGroup); ok {
					waiters.Wait()
				}
				runtime.KeepAlive(kept)
			}
			b.ReportMetric(0, "ns/op") // which would tell nothing
			b.ReportMetric(heap/float64(b.N)/manyLive, "B/request")
			if state.name == "waiting-acquire" {
				b.ReportMetric(stack/float64(b.N)/manyLive, "B/stack")
			}
		})
	}
}

// waitInAcquire lets goroutines wait in Acquire, and returns the *sync.WaitGroup of these.
func waitInAcquire(m *lockManager, ctx context.Context) (kept any) {
	must(m.Acquire(ctx, treelock.Write("/a/b/c")))
	var waiters sync.WaitGroup
	for i := range manyLive {
		waiters.Go(func() {
			req := treelock.Write(leaf(4, i))
			// One that meets the probe below is refused, and tries again.
			for err := treelock.ErrBusy; errors.Is(err, treelock.ErrBusy); {
				_, err = m.Acquire(ctx, req)
			}
		})
	}
	for { // until as many requests wait as may: then one more is refused
		probe, err := m.Submit(ctx, treelock.Write("/a/b/c/probe"))
		if errors.Is(err, treelock.ErrBusy) {
			return &waiters
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
