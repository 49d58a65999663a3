package waitqueue

import (
	"fmt"
	"testing"
)

// A crowd is a queue with a writer that is admitted and n that wait for it, in a circle: the first to wait is at next.
type crowd struct {
	queue    Queue[int]
	waiters  []Entry[int]
	next     int
	seq      uint64
	admitted []*Entry[int]
}

func newCrowd(n int) *crowd {
	c := &crowd{waiters: make([]Entry[int], n), admitted: make([]*Entry[int], 0, 8)}
	c.queue.Arrive(TW)
	for i := range c.waiters {
		c.wait(&c.waiters[i])
	}
	return c
}

// wait puts e at the end of the queue.
func (c *crowd) wait(e *Entry[int]) {
	c.seq++
	c.queue.Wait(e, 0, c.seq, TW)
}

// again takes e out, and puts it at the end.
func (c *crowd) again(e *Entry[int]) {
	c.admitted = c.queue.Withdraw(e, c.admitted[:0])
	c.wait(e)
}

// BenchmarkQueue is to show that no step depends on how many wait. After each there are as many as before:
//
//   - pass: a reader of something else arrives and leaves, which waits for nobody;
//   - arrive: one more arrives, and is withdrawn;
//   - withdraw: a waiter leaves, at the front, in the middle or at the back, and arrives again at the end;
//   - hand-over: the holder leaves, which admits the first waiter, and arrives again at the end.
func BenchmarkQueue(b *testing.B) {
	b.Run("op=pass/waiters=0", func(b *testing.B) {
		c := newCrowd(0)
		c.queue.Leave(TW)
		for b.Loop() {
			c.queue.Arrive(IR)
			c.queue.Leave(IR)
		}
	})
	for _, n := range []int{10, 1_000, 100_000} {
		run := func(op string, step func(c *crowd)) {
			b.Run(fmt.Sprintf("%s/waiters=%d", op, n), func(b *testing.B) {
				c := newCrowd(n)
				b.ReportAllocs()
				for b.Loop() {
					step(c)
				}
			})
		}
		var extra Entry[int]
		run("op=arrive", func(c *crowd) {
			c.wait(&extra)
			c.admitted = c.queue.Withdraw(&extra, c.admitted[:0])
		})
		run("op=withdraw/at=front", func(c *crowd) { c.again(c.queue.lists[TW]) })
		run("op=withdraw/at=back", func(c *crowd) { c.again(c.queue.lists[TW].prev) })
		run("op=withdraw/at=middle", withdrawMiddle)
		run("op=hand-over", func(c *crowd) {
			c.queue.Leave(TW)
			c.admitted = c.queue.Advance(TW, c.admitted[:0])
			c.wait(c.admitted[0])
		})
	}
}

// withdrawMiddle stays in the middle: whoever leaves goes to the end, and the next one half a round on is there then.
func withdrawMiddle(c *crowd) {
	c.again(&c.waiters[(c.next+len(c.waiters)/2)%len(c.waiters)])
	c.next = (c.next + 1) % len(c.waiters)
}
