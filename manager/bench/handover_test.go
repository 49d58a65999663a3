package bench_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/treelock/treelock"
)

// BenchmarkHandOver measures the time from a release to the next grant, while so many clients want
// to write one node. One operation is a hand-over with two readings of the clock. A sync.RWMutex
// may hand over to the goroutine that has just released it.
func BenchmarkHandOver(b *testing.B) {
	for _, clients := range []int{32, 1000} {
		name := fmt.Sprintf("impl=treelock/op=write/nodes=contended/depth=4/clients=%d", clients)
		b.Run(name, func(b *testing.B) {
			m, req := startManager(b), treelock.Write("/a/b/c/d")
			measureHandOvers(b, clients, func() (lock, unlock func()) {
				var g grant
				ctx := canEnd(b)
				return func() { g = must(m.Acquire(ctx, req)) }, func() { g.Release() }
			})
		})
		b.Run(fmt.Sprintf("impl=rwmutex/op=write/clients=%d", clients), func(b *testing.B) {
			var mu sync.RWMutex
			measureHandOvers(b, clients, func() (lock, unlock func()) { return mu.Lock, mu.Unlock })
		})
	}
}

// A relay is what the clients hand over. The lock that is measured guards all of it but the
// channels.
type relay struct {
	warmUp    int // hand-overs to go before the first one that counts
	handOvers []time.Duration
	released  time.Time
	// warm goes from the holder to the benchmark when the warm-up is over. The benchmark then
	// closes begin. The holder closes over after the last hand-over that counts.
	warm, begin, over chan struct{}
}

// measureHandOvers measures b.N hand-overs among so many clients, each with a lock and an unlock.
func measureHandOvers(b *testing.B, clients int, start func() (lock, unlock func())) {
	b.ReportAllocs()
	r := &relay{
		warmUp:    clients,
		handOvers: make([]time.Duration, 0, b.N),
		warm:      make(chan struct{}),
		begin:     make(chan struct{}),
		over:      make(chan struct{}),
	}
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
	reportPercentiles(b, r.handOvers, 50, 99.9)
}

// hold is what the holder does, which was granted the lock at that time. It returns whether there
// is more to do.
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
