package bench_test

import (
	"testing"

	"github.com/treelock/treelock"
)

// BenchmarkDrain queues writers for one node and then serves them one after the other. One
// operation serves all of them; queueing is not measured. B/queue is what they hold while all are
// queued, with their tickets.
func BenchmarkDrain(b *testing.B) {
	b.Run("impl=treelock/op=write/depth=4/waiters=8000", func(b *testing.B) {
		const waiters = 8000
		m, ctx := startManager(b), canEnd(b)
		req := treelock.Write("/a/b/c/d")
		fill := func(tickets []*ticket) (holder grant) {
			holder = must(m.Acquire(ctx, req))
			for i := range tickets {
				tickets[i] = must(m.Submit(ctx, req))
			}
			return holder
		}
		drain := func(holder grant, tickets []*ticket) {
			holder.Release()
			for _, t := range tickets {
				(<-t.Granted()).Release()
			}
		}
		before := liveHeap()
		tickets := make([]*ticket, waiters)
		holder := fill(tickets)
		held := liveHeap() - before
		drain(holder, tickets)

		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			holder := fill(tickets)
			b.StartTimer()
			drain(holder, tickets)
		}
		b.ReportMetric(held, "B/queue")
	})
}
