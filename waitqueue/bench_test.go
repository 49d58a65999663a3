package waitqueue

import (
	"fmt"
	"testing"
)

// A crowd is a queue with a writer that is admitted and n that wait for it.
type crowd struct {
	queue   Queue[*Entry[int]]
	holder  *Entry[*Entry[int]]
	waiters []Entry[*Entry[int]]
	seq     uint64
	stirred []*Entry[int]
}

func newCrowd(n int) *crowd {
	c := &crowd{holder: new(Entry[*Entry[int]]), waiters: make([]Entry[*Entry[int]], n), stirred: make([]*Entry[int], 0, 8)}
	c.arrive(c.holder)
	for i := range c.waiters {
		c.arrive(&c.waiters[i])
	}
	return c
}

// arrive puts e at the end of the queue.
func (c *crowd) arrive(e *Entry[*Entry[int]]) {
	c.seq++
	c.queue.Arrive(e, nil, c.seq, TW)
}

func (c *crowd) leave(e *Entry[*Entry[int]]) { c.stirred = c.queue.Leave(e, c.stirred[:0]) }

// BenchmarkQueue is to show that no step depends on how many wait. Each operation takes one entry out and puts
// one in, so that there are always as many:
//
//   - arrive: the last waiter leaves and arrives again;
//   - withdraw: a waiter leaves, at the front, in the middle or at the back, and arrives again at the end;
//   - hand-over: the holder leaves, which admits the first waiter, and arrives again at the end.
func BenchmarkQueue(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		run := func(op string, step func(c *crowd) func()) {
			b.Run(fmt.Sprintf("%s/waiters=%d", op, n), func(b *testing.B) {
				do := step(newCrowd(n))
				b.ReportAllocs()
				for b.Loop() {
					do()
				}
			})
		}
		run("op=arrive", arriveLast)
		run("op=withdraw/at=front", withdrawFront)
		run("op=withdraw/at=middle", withdrawMiddle)
		run("op=withdraw/at=back", withdrawBack)
		run("op=hand-over", handOver)
	}
}

func arriveLast(c *crowd) func() {
	e := new(Entry[*Entry[int]])
	c.arrive(e)
	return func() {
		c.leave(e)
		c.arrive(e)
	}
}

func withdrawFront(c *crowd) func() {
	return func() {
		e := c.holder.next
		c.leave(e)
		c.arrive(e)
	}
}

// withdrawMiddle stays in the middle: each waiter that leaves lets the one behind it move up to its place.
func withdrawMiddle(c *crowd) func() {
	middle := &c.waiters[len(c.waiters)/2]
	return func() {
		e := middle
		middle = e.next
		c.leave(e)
		c.arrive(e)
	}
}

func withdrawBack(c *crowd) func() {
	return func() {
		e := c.holder.prev.prev // the last but one
		c.leave(e)
		c.arrive(e)
	}
}

func handOver(c *crowd) func() {
	return func() {
		e := c.holder
		c.holder = e.next
		c.leave(e)
		c.arrive(e)
	}
}
