package manager_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// fewWaiters wait for the node itself where the many wait elsewhere.
const fewWaiters = 10

// BenchmarkWaiters measures one step at a node while so many writers wait, where=here for it or where=elsewhere for
// a sibling. They must cost the same however many these are. The queue is as long after each step as before:
//
//	step=arrive     one more arrives at the back, and withdraws
//	step=withdraw   one withdraws from the front, the middle or the back, and one more arrives
//	step=hand-over  the holder releases, the next receives its grant, and one more arrives
//	step=acquire    acquire and release of a node for which nobody waits
func BenchmarkWaiters(b *testing.B) {
	type step struct {
		name    string
		prepare func(q *crowd) (step func())
	}
	steps := []step{
		{"arrive", func(q *crowd) func() { return func() { q.submit().Withdraw() } }},
		{"withdraw/at=front", func(q *crowd) func() { return q.withdraw(q.queue) }},
		{"withdraw/at=middle", func(q *crowd) func() { return q.withdraw(q.queue[len(q.queue)/2:]) }},
		{"withdraw/at=back", func(q *crowd) func() { return q.withdraw(q.queue[len(q.queue)-1:]) }},
		{"hand-over", (*crowd).handOver},
	}
	for _, waiters := range []int{10, 1_000, 100_000} {
		run := func(where string, s step, here, elsewhere int) {
			b.Run(fmt.Sprintf("impl=treelock/waiters=%d/where=%s/step=%s", waiters, where, s.name), func(b *testing.B) {
				m, ctx := startManager(b), canEnd(b)
				others := newCrowd(m, ctx, "/a/b/c/other", elsewhere)
				step := s.prepare(newCrowd(m, ctx, "/a/b/c/d", here))
				runtime.GC() // the garbage of the arrivals is not what is to be measured
				b.ReportAllocs()
				for b.Loop() {
					step()
				}
				b.StopTimer()
				others.check(b)
			})
		}
		for _, s := range steps {
			run("here", s, waiters, 0)
			run("elsewhere", s, fewWaiters, waiters)
		}
		run("elsewhere", step{"acquire", (*crowd).passBy}, fewWaiters, waiters)
	}
}

// A crowd is a node with a holder and many who wait for it, in order of their arrival.
type crowd struct {
	m      *manager.Manager[path]
	ctx    context.Context
	req    treelock.Request[path]
	holder grant
	queue  []*ticket
}

func newCrowd(m *manager.Manager[path], ctx context.Context, node path, waiters int) *crowd {
	q := &crowd{m: m, ctx: ctx, req: treelock.Write(node)}
	q.holder = must(m.Acquire(ctx, q.req))
	for range waiters {
		q.queue = append(q.queue, q.submit())
	}
	return q
}

// check fails b unless all still wait.
func (q *crowd) check(b *testing.B) {
	for _, t := range q.queue {
		if len(t.Granted()) > 0 || t.Err() != nil {
			b.Fatal("one of those who wait elsewhere waits no longer: this is not what is to be measured")
		}
	}
}

func (q *crowd) submit() *ticket { return must(q.m.Submit(q.ctx, q.req)) }

// withdraw lets the earliest of last leave, which are the last of the queue, and another arrive. That one is
// the last of the last, so all leave from the same place in the queue.
func (q *crowd) withdraw(last []*ticket) (step func()) {
	next := 0
	return func() {
		last[next].Withdraw()
		last[next] = q.submit()
		if next++; next == len(last) {
			next = 0
		}
	}
}

// handOver lets the holder release and the next one hold, and another arrive.
func (q *crowd) handOver() (step func()) {
	next := 0
	return func() {
		q.holder.Release()
		q.holder = <-q.queue[next].Granted()
		q.queue[next] = q.submit()
		if next++; next == len(q.queue) {
			next = 0
		}
	}
}

// passBy locks a node for which nobody waits.
func (q *crowd) passBy() (step func()) {
	req := treelock.Write("/a/b/c/free")
	return func() { must(q.m.Acquire(q.ctx, req)).Release() }
}
