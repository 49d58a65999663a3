package bench_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/treelock/treelock"
)

// fewWaiters wait for the node itself where the many wait elsewhere.
const fewWaiters = 10

// BenchmarkWaiters measures one step at a node while so many writers wait, where=here for it or
// where=elsewhere for a sibling. A step costs the same however many these are. The queue is as long
// after each step as before:
//
//	step=arrive     one more arrives at the back, and withdraws
//	step=withdraw   one withdraws from the front, the middle or the back, and one more arrives
//	step=hand-over  the holder releases, the next receives its grant, and one more arrives
//	step=acquire    acquire and release of a node for which no request waits
func BenchmarkWaiters(b *testing.B) {
	type step struct {
		name    string
		prepare func(q *queue) (step func())
	}
	steps := []step{
		{"arrive", func(q *queue) func() { return func() { q.submit().Withdraw() } }},
		{"withdraw/at=front", func(q *queue) func() { return q.withdraw(q.tickets) }},
		{"withdraw/at=middle", func(q *queue) func() { return q.withdraw(q.tickets[len(q.tickets)/2:]) }},
		{"withdraw/at=back", func(q *queue) func() { return q.withdraw(q.tickets[len(q.tickets)-1:]) }},
		{"hand-over", (*queue).handOver},
	}
	free := step{"acquire", func(q *queue) func() {
		req := treelock.Write("/a/b/c/free")
		return func() { must(q.m.Acquire(q.ctx, req)).Release() }
	}}
	for _, waiters := range []int{10, 1_000, 100_000} {
		run := func(where string, s step, here, elsewhere int) {
			name := fmt.Sprintf("impl=treelock/waiters=%d/where=%s/step=%s", waiters, where, s.name)
			b.Run(name, func(b *testing.B) {
				m, ctx := startManager(b), canEnd(b)
				others := newQueue(m, ctx, "/a/b/c/other", elsewhere)
				step := s.prepare(newQueue(m, ctx, "/a/b/c/d", here))
				runtime.GC() // the garbage of the arrivals is not measured
				b.ReportAllocs()
				for b.Loop() {
					step()
				}
				b.StopTimer()
				for _, t := range others.tickets {
					if len(t.Granted()) > 0 || t.Err() != nil {
						b.Fatal("a request that waits elsewhere waits no longer")
					}
				}
			})
		}
		for _, s := range steps {
			run("here", s, waiters, 0)
			run("elsewhere", s, fewWaiters, waiters)
		}
		run("elsewhere", free, fewWaiters, waiters)
	}
}

// A queue is a node with a holder, and tickets that wait for it in the order of their arrival.
type queue struct {
	m       *lockManager
	ctx     context.Context
	req     treelock.Request[path]
	holder  grant
	tickets []*ticket
}

func newQueue(m *lockManager, ctx context.Context, node path, waiters int) *queue {
	q := &queue{m: m, ctx: ctx, req: treelock.Write(node)}
	q.holder = must(m.Acquire(ctx, q.req))
	for range waiters {
		q.tickets = append(q.tickets, q.submit())
	}
	return q
}

func (q *queue) submit() *ticket { return must(q.m.Submit(q.ctx, q.req)) }

// withdraw returns a step that withdraws the earliest of last, which are the last of the queue, and
// submits another. That one is the last of last, so each step withdraws at the same place.
func (q *queue) withdraw(last []*ticket) (step func()) {
	next := 0
	return func() {
		last[next].Withdraw()
		last[next] = q.submit()
		if next++; next == len(last) {
			next = 0
		}
	}
}

// handOver returns a step in which the holder releases, the next one holds, and another arrives.
func (q *queue) handOver() (step func()) {
	next := 0
	return func() {
		q.holder.Release()
		q.holder = <-q.tickets[next].Granted()
		q.tickets[next] = q.submit()
		if next++; next == len(q.tickets) {
			next = 0
		}
	}
}
