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
	"github.com/treelock/treelock/manager"
)

var neighboursFor = flag.Duration("neighbours", 10*time.Second, "how long each row of BenchmarkNeighbours measures")

// BenchmarkNeighbours is an acquire in a program in which so many goroutines compute without end: its
// median, and its 90th and 99th percentile. Each client acquires a node of its own and rests for 200
// microseconds after its release. It measures for a fixed time, whatever -benchtime says.
//
// impl=parking-echo is a goroutine that answers each message, knows nothing and never yields: the floor.
func BenchmarkNeighbours(b *testing.B) {
	for _, busy := range []int{1, 2, 8} {
		for _, clients := range []int{1, 32} {
			benchmarkNeighbours(b, "treelock", busy, clients, startAcquires)
			benchmarkNeighbours(b, "parking-echo", busy, clients, startParkingEcho)
		}
	}
}

// startAcquires starts a manager, and returns what starts the clients.
func startAcquires(b *testing.B) (client func(int) (acquire, release func())) {
	m, ctx := startManager(b), canEnd(b)
	return func(i int) (acquire, release func()) {
		var grant manager.Grant[path]
		req := treelock.Write(leaf(4, i))
		return func() { grant = must(m.Acquire(ctx, req)) }, func() { grant.Release() }
	}
}

// startParkingEcho starts an echo that never yields.
func startParkingEcho(b *testing.B) (client func(int) (acquire, release func())) {
	inbox := make(chan chan struct{}, 2048)
	b.Cleanup(func() { close(inbox) })
	go func() {
		for reply := range inbox {
			if reply != nil {
				reply <- struct{}{}
			}
		}
	}()
	return func(int) (acquire, release func()) {
		reply := make(chan struct{}, 1)
		return func() { inbox <- reply; <-reply }, func() { inbox <- nil }
	}
}

func benchmarkNeighbours(b *testing.B, impl string, busy, clients int, start func(*testing.B) func(int) (acquire, release func())) {
	b.Run(fmt.Sprintf("impl=%s/busy=%d/clients=%d", impl, busy, clients), func(b *testing.B) {
		if testing.Short() {
			b.Skip("it takes a fixed time")
		}
		took := besideNeighbours(busy, clients, *neighboursFor, start(b))
		slices.Sort(took)
		for _, percent := range []int{50, 90, 99} {
			b.ReportMetric(float64(took[len(took)*percent/100]), fmt.Sprintf("p%d-ns", percent))
		}
		b.ReportMetric(float64(took[len(took)-1]), "max-ns")
		b.ReportMetric(float64(len(took)), "acquires")
		b.ReportMetric(0, "ns/op") // the time that was told says nothing
	})
}

// besideNeighbours returns how long each acquire took.
func besideNeighbours(busy, clients int, d time.Duration, start func(int) (acquire, release func())) (took []time.Duration) {
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
	end := time.Now().Add(d)
	for client := range clients {
		done.Go(func() {
			acquire, release := start(client)
			for time.Now().Before(end) {
				began := time.Now()
				acquire()
				all[client] = append(all[client], time.Since(began))
				release()
				time.Sleep(200 * time.Microsecond)
			}
		})
	}
	done.Wait()
	stop.Store(true)
	neighbours.Wait()
	return slices.Concat(all...)
}
