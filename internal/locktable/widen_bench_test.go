package locktable_test

import (
	"fmt"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/terms"
)

// BenchmarkWiden shows that a widening that need not wait costs at most as much as two requests
// more. Each step is a request four levels deep, from its arrival to its end:
//
//   - plain: the request alone;
//   - upgrade: it reads, and widens to a write of the same node;
//   - take: it claims nothing, and widens to a write;
//   - below: it reads the parent, and widens to a write of the node;
//   - refuse: it reads, and a widening to a write waits for another reader and is ended.
func BenchmarkWiden(b *testing.B) {
	none := treelock.For[treelock.Path]()
	for _, bm := range []struct {
		name   string
		holds  treelock.Request[treelock.Path]
		widens treelock.Request[treelock.Path]
		reader bool
	}{
		{"plain", treelock.Write("/a/b/c/d"), none, false},
		{"upgrade", treelock.Read("/a/b/c/d"), treelock.Write("/a/b/c/d"), false},
		{"take", none, treelock.Write("/a/b/c/d"), false},
		{"below", treelock.Read("/a/b/c"), treelock.Write("/a/b/c/d"), false},
		{"refuse", treelock.Read("/a/b/c/d"), treelock.Write("/a/b/c/d"), true},
	} {
		b.Run("op="+bm.name, func(b *testing.B) {
			tb := locktable.New[treelock.Path, string](4096, terms.NewPaths())
			holds, widens := locktable.ClaimsOf(bm.holds), locktable.ClaimsOf(bm.widens)
			if bm.reader {
				tb.SubmitAs("reader", holds)
			}
			b.ReportAllocs()
			for b.Loop() {
				r := tb.SubmitAs("here", holds)
				if w, _ := tb.WidenAs(r, "here", widens); w != nil {
					tb.End(w)
				}
				tb.End(r)
			}
		})
	}
}

// BenchmarkCircle measures the search for a circle among n holders that all wait for one another in
// a chain: each writes a node, and its widening waits for the next. The last one asks for the node
// of the first, which closes a circle of all, or for a node that the first one's widening has not
// reached, which closes none.
func BenchmarkCircle(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10_000} {
		for _, closes := range []bool{true, false} {
			b.Run(fmt.Sprintf("holders=%d/closes=%t", n, closes), func(b *testing.B) {
				tb := locktable.New[treelock.Path, string](4096, terms.NewPaths())
				node := func(i int) []locktable.Claim[treelock.Path] {
					return locktable.ClaimsOf(treelock.Write(treelock.Path(fmt.Sprintf("/a/%d", i))))
				}
				var holders []*request
				for i := range n {
					holders = append(holders, tb.SubmitAs("holder", node(i)))
				}
				tb.SubmitAs("other", node(n))
				for i := range n - 1 {
					tb.WidenAs(holders[i], "waiter", node(i+1))
				}
				target := n
				if closes {
					target = 0
				}
				w, _ := tb.WidenAs(holders[n-1], "waiter", node(target))
				b.ReportAllocs()
				for b.Loop() {
					if circle := tb.Circle(w, nil, nil); (len(circle) == n) != closes {
						b.Fatalf("the circle has %d steps", len(circle))
					}
				}
			})
		}
	}
}
