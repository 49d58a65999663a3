package manager_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/treelock/treelock"
)

// BenchmarkHandOver measures the time from a release to the next grant, while so many clients want to write one
// node. One op is a hand-over with two readings of the clock. A sync.RWMutex may hand over to who has just released.
func BenchmarkHandOver(b *testing.B) {
	for _, clients := range []int{32, 1000} {
		b.Run(fmt.Sprintf("impl=treelock/op=write/nodes=contended/depth=4/clients=%d", clients), func(b *testing.B) {
			m := startManager(b)
			req := treelock.Write("/a/b/c/d")
			newRelay(b, clients).run(b, clients, func() (func(), func()) {
				var g grant
				ctx := canEnd(b)
				return func() { g = must(m.Acquire(ctx, req)) }, func() { g.Release() }
			})
		})
		b.Run(fmt.Sprintf("impl=rwmutex/op=write/clients=%d", clients), func(b *testing.B) {
			var mu sync.RWMutex
			newRelay(b, clients).run(b, clients, func() (func(), func()) { return mu.Lock, mu.Unlock })
		})
	}
}

// A relay is what the clients hand over. All of it but the channels is guarded by the lock that is measured.
type relay struct {
	warmUp    int // hand-overs to go before the first one that counts
	handOvers []time.Duration
	released  time.Time
	// warm, begin: the holder tells the benchmark that the warm-up is over, and goes on when it is told to. over is
	// closed by the holder that has seen the last hand-over that counts.
	warm, begin, over chan struct{}
}

func newRelay(b *testing.B, clients int) *relay {
	return &relay{
		warmUp:    clients,
		handOvers: make([]time.Duration, 0, b.N),
		warm:      make(chan struct{}),
		begin:     make(chan struct{}),
		over:      make(chan struct{}),
	}
}

// run measures b.N hand-overs among so many clients, each with a lock and an unlock of its own.
func (r *relay) run(b *testing.B, clients int, start func() (lock, unlock func())) {
	b.ReportAllocs()
	var done sync.WaitGroup
	for range clients {
		lock, unlock := start()
		done.Go(func() {
			for more := true; more; {
				lock()
				more = r.hold(time.Now())
				r.released = time.Now()
				unlock()
			}
		})
	}
	<-r.warm
	time.Sleep(10 * time.Millisecond) // time for all others to queue behind the holder
	b.ResetTimer()
	close(r.begin)
	<-r.over
	b.StopTimer()
	done.Wait()
	r.report(b)
}

// hold is what the holder does, which was granted the lock at that time. It returns whether there is more to do.
func (r *relay) hold(granted time.Time) (more bool) {
	switch {
	case r.warmUp > 0:
		if r.warmUp--; r.warmUp == 0 {
			r.warm <- struct{}{}
			<-r.begin
		}
		return true
	case len(r.handOvers) == cap(r.handOvers):
		return false
	}
	r.handOvers = append(r.handOvers, granted.Sub(r.released))
	if len(r.handOvers) < cap(r.handOvers) {
		return true
	}
	close(r.over)
	return false
}

func (r *relay) report(b *testing.B) {
	slices.Sort(r.handOvers)
	at := func(quantile float64) float64 {
		return float64(r.handOvers[int(quantile*float64(len(r.handOvers)-1))])
	}
	b.ReportMetric(at(0.5), "p50-ns")
	b.ReportMetric(at(0.999), "p99.9-ns")
	b.ReportMetric(at(1), "max-ns")
}
