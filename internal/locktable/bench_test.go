package locktable_test

import (
	"fmt"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

// BenchmarkSubmit is the arrival and the end of a write four levels deep, with so many requests live elsewhere. It
// must not depend on how many.
func BenchmarkSubmit(b *testing.B) {
	for _, n := range []int{0, 10, 1_000, 100_000} {
		b.Run(fmt.Sprintf("op=submit-end/depth=4/live=%d", n), func(b *testing.B) {
			tb := locktable.New[treelock.Path, string](4096)
			for i := range n {
				tb.Submit("elsewhere", locktable.ClaimsOf(treelock.Write(treelock.Path(fmt.Sprintf("/a/%d/c/%d", i%1000, i)))))
			}
			claims := locktable.ClaimsOf(treelock.Write("/a/b/c/d"))
			b.ReportAllocs()
			for b.Loop() {
				tb.End(tb.Submit("here", claims))
			}
		})
	}
}

// A jam is a table with a holder of one node and n writers that wait for it.
type jam struct {
	*table
	claims  []locktable.Claim[treelock.Path]
	holder  *request
	waiters []*request
	next    int
}

func newJam(n int) *jam {
	j := &jam{table: locktable.New[treelock.Path, string](4096), claims: locktable.ClaimsOf(treelock.Write("/a/b/c/d"))}
	j.holder = j.Submit("holder", j.claims)
	for range n {
		j.waiters = append(j.waiters, j.Submit("waiter", j.claims))
	}
	return j
}

// arrive is the arrival of one more, which is withdrawn at once: it is the last.
func (j *jam) arrive() { j.End(j.Submit("last", j.claims)) }

// withdraw ends a waiter anywhere but at the front, and another arrives.
func (j *jam) withdraw() {
	j.next = j.next%(len(j.waiters)-1) + 1
	j.End(j.waiters[j.next])
	j.waiters[j.next] = j.Submit("waiter", j.claims)
}

// handOver ends the holder, which grants the first waiter, and another arrives.
func (j *jam) handOver() {
	j.holder = j.End(j.holder)[0]
	j.Submit("waiter", j.claims)
}

// narrow narrows the holder to what it holds, which is all work and no effect. It allocates new places.
func (j *jam) narrow() { j.Narrow(j.holder, j.claims) }

// BenchmarkWaiters is to show that no step depends on how many wait for the same node.
func BenchmarkWaiters(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		for _, op := range []struct {
			name string
			do   func(*jam)
		}{
			{"arrive", (*jam).arrive},
			{"withdraw", (*jam).withdraw},
			{"hand-over", (*jam).handOver},
			{"narrow", (*jam).narrow},
		} {
			b.Run(fmt.Sprintf("op=%s/depth=4/waiters=%d", op.name, n), func(b *testing.B) {
				j := newJam(n)
				b.ReportAllocs()
				for b.Loop() {
					op.do(j)
				}
			})
		}
	}
}
