package manager_test

import (
	"fmt"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// BenchmarkWaiters measures one step on a node for which so many writers wait: they must cost the same
// however many these are. The queue is as long after each step as before.
func BenchmarkWaiters(b *testing.B) {
	for _, waiters := range []int{10, 1_000, 100_000} {
		for _, op := range []struct {
			name string
			step func(q *crowd, b *testing.B)
		}{
			{"arrive-and-withdraw", (*crowd).leaveLast},
			{"withdraw-from-the-middle", (*crowd).leaveFromTheMiddle},
			{"hand-over", (*crowd).handOver},
		} {
			b.Run(fmt.Sprintf("op=%s/waiters=%d", op.name, waiters), func(b *testing.B) {
				q := newCrowd(b, waiters)
				for b.Loop() {
					op.step(q, b)
				}
			})
		}
	}
}

// A crowd is a node with a holder and many who wait for it.
type crowd struct {
	m      *manager.Manager[path]
	holder grant
	queue  []*ticket // a ring of all that wait; the first is at next
	next   int
}

func newCrowd(b *testing.B, waiters int) *crowd {
	q := &crowd{m: manager.Start(b.Context())}
	q.holder = <-q.submit(b).Granted()
	for range waiters {
		q.queue = append(q.queue, q.submit(b))
	}
	return q
}

func (q *crowd) submit(b *testing.B) *ticket {
	tick, err := q.m.Submit(b.Context(), treelock.Write("/a/b/c/d"))
	if err != nil {
		b.Fatal(err)
	}
	return tick
}

// leaveLast lets a request arrive and leave again.
func (q *crowd) leaveLast(b *testing.B) { q.submit(b).Withdraw() }

// leaveFromTheMiddle lets one of those that wait leave, and another arrive.
func (q *crowd) leaveFromTheMiddle(b *testing.B) {
	middle := (q.next + len(q.queue)/2) % len(q.queue)
	q.queue[middle].Withdraw()
	q.queue[middle] = q.submit(b)
	q.next = (q.next + 1) % len(q.queue)
}

// handOver lets the holder release and the next one hold, and another arrive.
func (q *crowd) handOver(b *testing.B) {
	q.holder.Release()
	q.holder = <-q.queue[q.next].Granted()
	q.queue[q.next] = q.submit(b)
	q.next = (q.next + 1) % len(q.queue)
}
