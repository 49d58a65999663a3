package waitqueue

import (
	"fmt"
	"testing"
)

// A crowd is a queue with a writer that is admitted and n that wait for it, in a circle: the first to wait is at next.
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

// wait puts e at the end of the queue.
func (r *waiterRing) wait(e *Entry[int]) {
	r.seq++
	r.queue.Wait(e, 0, r.seq, TW)
}

// again takes e out, and puts it at the end.
func (r *waiterRing) requeue(e *Entry[int]) {
	r.admitted = r.queue.Withdraw(e, r.admitted[:0])
	r.wait(e)
}

// BenchmarkQueue is to show that no step depends on how many wait. After each there are as many as before:
//
//   - pass: a reader of something else arrives and leaves, which waits for nobody;
//   - arrive: one more arrives, and is withdrawn;
//   - withdraw: a waiter leaves, at the front, in the middle or at the back, and arrives again at the end;
//   - hand-over: the holder leaves, which admits the first waiter, and arrives again at the end.
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
		run("op=withdraw/at=front", func(r *waiterRing) { r.requeue(r.queue.lists[TW]) })
		run("op=withdraw/at=back", func(r *waiterRing) { r.requeue(r.queue.lists[TW].prev) })
		run("op=withdraw/at=middle", withdrawMiddle)
		run("op=hand-over", func(r *waiterRing) {
			r.queue.Leave(TW)
			r.admitted = r.queue.Advance(TW, r.admitted[:0])
			r.wait(r.admitted[0])
		})
	}
}

// withdrawMiddle stays in the middle: whoever leaves goes to the end, and the next one half a round on is there then.
func withdrawMiddle(r *waiterRing) {
	r.requeue(&r.waiters[(r.next+len(r.waiters)/2)%len(r.waiters)])
	r.next = (r.next + 1) % len(r.waiters)
}
