package waitqueue

import (
	"fmt"
	"testing"
)

// A waiterRing is a queue with one admitted writer and n waiting ones. next is the index in waiters
// of the first one to wait.
type waiterRing struct {
	queue    Queue[int]
	waiters  []Entry[int]
	next     int
	seq      uint64
	admitted []*Entry[int]
}

func newWaiterRing(n int) *waiterRing {
	r := &waiterRing{waiters: make([]Entry[int], n), admitted: make([]*Entry[int], 0, 8)}
	r.queue.Arrive(TW)
	for i := range r.waiters {
		r.wait(&r.waiters[i])
	}
	return r
}

// wait appends e to the queue.
func (r *waiterRing) wait(e *Entry[int]) {
	r.seq++
	r.queue.Wait(e, 0, r.seq, TW)
}

// requeue withdraws e and appends it.
func (r *waiterRing) requeue(e *Entry[int]) {
	r.admitted = r.queue.Withdraw(e, r.admitted[:0])
	r.wait(e)
}

// BenchmarkQueue shows that no step depends on the number of waiters. Each step restores that
// number:
//
//   - pass: a reader that conflicts with no request arrives and leaves;
//   - arrive: one more request arrives, and is withdrawn;
//   - withdraw: a waiter at the front, in the middle or at the back leaves, and arrives again;
//   - hand-over: the holder leaves, which admits the first waiter, and arrives again.
func BenchmarkQueue(b *testing.B) {
	b.Run("op=pass/waiters=0", func(b *testing.B) {
		r := newWaiterRing(0)
		r.queue.Leave(TW)
		for b.Loop() {
			r.queue.Arrive(IR)
			r.queue.Leave(IR)
		}
	})
	for _, n := range []int{10, 1_000, 100_000} {
		run := func(op string, step func(r *waiterRing)) {
			b.Run(fmt.Sprintf("%s/waiters=%d", op, n), func(b *testing.B) {
				r := newWaiterRing(n)
				b.ReportAllocs()
				for b.Loop() {
					step(r)
				}
			})
		}
		var extra Entry[int]
		run("op=arrive", func(r *waiterRing) {
			r.wait(&extra)
			r.admitted = r.queue.Withdraw(&extra, r.admitted[:0])
		})
		run("op=withdraw/at=front", func(r *waiterRing) { r.requeue(r.queue.lists.heads[TW]) })
		run("op=withdraw/at=back", func(r *waiterRing) { r.requeue(r.queue.lists.heads[TW].prev) })
		run("op=withdraw/at=middle", withdrawMiddle)
		run("op=hand-over", func(r *waiterRing) {
			r.queue.Leave(TW)
			r.admitted = r.queue.Advance(TW, r.admitted[:0])
			r.wait(r.admitted[0])
		})
	}
}

// withdrawMiddle requeues the waiter in the middle. The next one in the ring is in the middle then.
func withdrawMiddle(r *waiterRing) {
	r.requeue(&r.waiters[(r.next+len(r.waiters)/2)%len(r.waiters)])
	r.next = (r.next + 1) % len(r.waiters)
}
