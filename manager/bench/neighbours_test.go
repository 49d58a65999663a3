package bench_test

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

var neighboursFor = flag.Duration("neighbours", 10*time.Second,
	"how long each row of BenchmarkNeighbours measures")

// BenchmarkNeighbours is an acquire in a program in which so many goroutines compute without end.
// Each client acquires a node of its own and rests for 200 microseconds after its release. The
// benchmark measures for a fixed time, whatever -benchtime says.
//
// impl=parking-echo is an echo that never yields.
func BenchmarkNeighbours(b *testing.B) {
	for _, busy := range []int{1, 2, 8} {
		for _, clients := range []int{1, 32} {
			run := func(impl string, start func(*testing.B) clientMaker) {
				b.Run(fmt.Sprintf("impl=%s/busy=%d/clients=%d", impl, busy, clients), func(b *testing.B) {
					if testing.Short() {
						b.Skip("it takes a fixed time")
					}
					took := besideNeighbours(busy, clients, start(b))
					reportPercentiles(b, took, 50, 90, 99)
					b.ReportMetric(float64(len(took)), "acquires")
					b.ReportMetric(0, "ns/op") // the time that is measured is fixed
				})
			}
			run("treelock", startAcquires)
			run("parking-echo", startParkingEcho)
		}
	}
}

// A clientMaker makes what a client does.
type clientMaker func(client int) (acquire, release func())

func startAcquires(b *testing.B) clientMaker {
	m, ctx := startManager(b), canEnd(b)
	return func(client int) (acquire, release func()) {
		var g grant
		req := treelock.Write(leaf(4, client))
		return func() { g = must(m.Acquire(ctx, req)) }, func() { g.Release() }
	}
}

func startParkingEcho(b *testing.B) clientMaker {
	in := newEcho(b, 2048, inbox.answer)
	return func(int) (acquire, release func()) {
		reply := make(chan struct{}, 1)
		return func() { in <- reply; <-reply }, func() { in <- nil }
	}
}

// besideNeighbours returns how long each acquire took.
func besideNeighbours(busy, clients int, start clientMaker) []time.Duration {
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
	took := make([][]time.Duration, clients)
	end := time.Now().Add(*neighboursFor)
	for client := range clients {
		done.Go(func() {
			acquire, release := start(client)
			for more := true; more; more = time.Now().Before(end) {
				began := time.Now()
				acquire()
				took[client] = append(took[client], time.Since(began))
				release()
				time.Sleep(200 * time.Microsecond)
			}
		})
	}
	done.Wait()
	stop.Store(true)
	neighbours.Wait()
	return slices.Concat(took...)
}
