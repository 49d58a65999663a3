package manager_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// echo is the yardstick: a goroutine that answers every message and knows nothing. No lock manager that
// answers from its own goroutine can be faster.
type echo struct{ inbox chan chan struct{} }

// startEcho starts an echo with an inbox like the manager's.
func startEcho(ctx context.Context) *echo {
	e := &echo{make(chan chan struct{}, 64)}
	receive := func() chan struct{} {
		select {
		case reply := <-e.inbox:
			return reply
		default:
			runtime.Gosched()
			return <-e.inbox
		}
	}
	go func() {
		for ctx.Err() == nil {
			if reply := receive(); reply != nil {
				reply <- struct{}{}
			}
		}
	}()
	context.AfterFunc(ctx, func() { e.inbox <- nil })
	return e
}

// clients runs f b.N times in all, on so many goroutines, each of which first gets an f of its own.
func clients(b *testing.B, n int, start func(client int) (f func())) {
	var wg sync.WaitGroup
	b.ReportAllocs()
	for client := range n {
		f := start(client)
		share := b.N / n
		if client < b.N%n {
			share++
		}
		wg.Go(func() {
			for range share {
				f()
			}
		})
	}
	wg.Wait()
}

// BenchmarkEcho is the floor for BenchmarkAcquire: a request, a reply, a release.
func BenchmarkEcho(b *testing.B) {
	for _, n := range []int{1, 32} {
		b.Run(fmt.Sprintf("impl=echo/clients=%d", n), func(b *testing.B) {
			e := startEcho(b.Context())
			clients(b, n, func(int) func() {
				reply := make(chan struct{}, 1)
				return func() {
					e.inbox <- reply
					<-reply
					e.inbox <- nil
				}
			})
		})
	}
}

// BenchmarkAcquire is an acquire and a release of a write lock, on a node of each client's own or on one
// that all share. The context can end.
func BenchmarkAcquire(b *testing.B) {
	paths := map[int]string{1: "/%d", 4: "/a/b/c/%d", 16: "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/%d"}
	for _, depth := range []int{1, 4, 16} {
		for _, n := range []int{1, 32} {
			b.Run(fmt.Sprintf("impl=treelock/nodes=disjoint/depth=%d/clients=%d", depth, n), func(b *testing.B) {
				acquireAndRelease(b, n, func(client int) treelock.Request[treelock.Path] {
					return treelock.Write(treelock.Path(fmt.Sprintf(paths[depth], client)))
				})
			})
		}
	}
	b.Run("impl=treelock/nodes=shared/depth=4/clients=32", func(b *testing.B) {
		acquireAndRelease(b, 32, func(int) treelock.Request[treelock.Path] {
			return treelock.Write("/a/b/c/d")
		})
	})
}

func acquireAndRelease(b *testing.B, n int, request func(client int) treelock.Request[treelock.Path]) {
	m := manager.Start(b.Context())
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	clients(b, n, func(client int) func() {
		req := request(client)
		return func() {
			grant, err := m.Acquire(ctx, req)
			if err != nil {
				panic(err)
			}
			grant.Release()
		}
	})
}
