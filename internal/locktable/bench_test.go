package locktable_test

import (
	"fmt"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/terms"
)

// BenchmarkSubmit measures the arrival and the end of a write four levels deep. It shows that the
// time does not depend on the number of requests that are live elsewhere.
func BenchmarkSubmit(b *testing.B) {
	for _, n := range []int{0, 10, 1_000, 100_000} {
		b.Run(fmt.Sprintf("op=submit-end/depth=4/live=%d", n), func(b *testing.B) {
			tb := locktable.New[treelock.Path, string](4096, terms.NewPaths())
			for i := range n {
				tb.SubmitAs("elsewhere", locktable.ClaimsOf(treelock.Write(treelock.Path(fmt.Sprintf("/a/%d/c/%d", i%1000, i)))))
			}
			claims := locktable.ClaimsOf(treelock.Write("/a/b/c/d"))
			b.ReportAllocs()
			for b.Loop() {
				tb.End(tb.SubmitAs("here", claims))
			}
		})
	}
}

// A contention is a table with a holder of one node and n writers that wait for it.
type contention struct {
	*table
	claims  []locktable.Claim[treelock.Path]
	holder  *request
	waiters []*request
	next    int
}

func newContention(n int) *contention {
	c := &contention{table: locktable.New[treelock.Path, string](4096, terms.NewPaths()), claims: locktable.ClaimsOf(treelock.Write("/a/b/c/d"))}
	c.holder = c.SubmitAs("holder", c.claims)
	for range n {
		c.waiters = append(c.waiters, c.SubmitAs("waiter", c.claims))
	}
	return c
}

// arrive submits one more request, which is the last, and withdraws it.
func (c *contention) arrive() { c.End(c.SubmitAs("last", c.claims)) }

// withdraw ends a waiter that is not the first, and submits another.
func (c *contention) withdraw() {
	c.next = c.next%(len(c.waiters)-1) + 1
	c.End(c.waiters[c.next])
	c.waiters[c.next] = c.SubmitAs("waiter", c.claims)
}

// handOver ends the holder, which grants the first waiter, and submits another.
func (c *contention) handOver() {
	c.holder = c.End(c.holder)[0]
	c.SubmitAs("waiter", c.claims)
}

// narrow narrows the holder to what it holds, which changes nothing. It allocates new node uses.
func (c *contention) narrow() { c.Narrow(c.holder, c.claims) }

// BenchmarkWaiters shows that no step depends on the number of waiters at the same node.
func BenchmarkWaiters(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		for _, op := range []struct {
			name string
			do   func(*contention)
		}{
			{"arrive", (*contention).arrive},
			{"withdraw", (*contention).withdraw},
			{"hand-over", (*contention).handOver},
			{"narrow", (*contention).narrow},
		} {
			b.Run(fmt.Sprintf("op=%s/depth=4/waiters=%d", op.name, n), func(b *testing.B) {
				c := newContention(n)
				b.ReportAllocs()
				for b.Loop() {
					op.do(c)
				}
			})
		}
	}
}
