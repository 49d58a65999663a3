package locktable_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/terms"
)

// deepPath returns a path of that many names, each i in that many digits.
func deepPath(i, names, bytes int) treelock.Path {
	return treelock.Path(strings.Repeat(fmt.Sprintf("/%0*d", bytes, i), names))
}

// TestLongPathsAreNodesLikeShortOnes compares them by the same requests.
func TestLongPathsAreNodesLikeShortOnes(t *testing.T) {
	long := strings.Repeat("n", 150)
	for _, maxIdle := range []int{0, 3, 4096} {
		tb := locktable.New[treelock.Path, string](maxIdle, terms.NewPaths())
		name := func(names string) treelock.Path {
			return treelock.Path(strings.ReplaceAll(names, "/", "/"+long))
		}
		a := submit(tb, "a", treelock.Write(name("/a/b/c/d")))
		b := submit(tb, "b", treelock.Write(name("/a/b/c/e")))
		if !a.Granted() || !b.Granted() {
			t.Errorf("%d idle nodes: siblings with long names exclude each other", maxIdle)
		}
		checkSound(t, tb)
		above, again := submit(tb, "above", treelock.Read(name("/a/b"))), submit(tb, "again", treelock.Write(name("/a/b/c/d")))
		if above.Granted() || again.Granted() {
			t.Errorf("%d idle nodes: granted above=%t, again=%t while what they ask for is written, want false", maxIdle, above.Granted(), again.Granted())
		}
		checkSound(t, tb)
		for _, r := range []*request{a, b, above, again} {
			tb.End(r)
			checkSound(t, tb)
		}
		if tb.Nodes() > maxIdle {
			t.Errorf("%d nodes are kept, want %d at most", tb.Nodes(), maxIdle)
		}
	}
}

// BenchmarkLongPath measures the first arrival of a path. It shows that the time grows with the
// number of names and with their length, not with the product.
func BenchmarkLongPath(b *testing.B) {
	for _, names := range []int{100, 1000} {
		for _, bytes := range []int{10, 100, 1000} {
			b.Run(fmt.Sprintf("names=%d/bytes=%d", names, bytes), func(b *testing.B) {
				tb := locktable.New[treelock.Path, string](0, terms.NewPaths())
				claims := locktable.ClaimsOf(treelock.Write(deepPath(0, names, bytes)))
				b.ReportAllocs()
				for b.Loop() {
					tb.End(tb.Submit("", claims))
				}
			})
		}
	}
}
