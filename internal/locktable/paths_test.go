package locktable_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

// deepPath returns a path of that many names, each i in that many digits.
func deepPath(i, names, bytes int) treelock.Path {
	return treelock.Path(strings.Repeat(fmt.Sprintf("/%0*d", bytes, i), names))
}

// TestLongPathsAreNodesLikeShortOnes compares them by the same requests.
func TestLongPathsAreNodesLikeShortOnes(t *testing.T) {
	long := strings.Repeat("n", 150)
	for _, maxIdle := range []int{0, 3, 4096} {
		tb := locktable.New[treelock.Path, string](maxIdle)
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

// TestIdleLongPathsTakeLittleMemory bounds the memory of idle nodes with long names.
func TestIdleLongPathsTakeLittleMemory(t *testing.T) {
	const most = 6 << 20
	tb := locktable.New[treelock.Path, string](4096)
	before := heap()
	for i := range 20 {
		tb.End(submit(tb, "", treelock.Write(deepPath(i, 1000, 250))))
	}
	for i := range 5000 {
		tb.End(submit(tb, "", treelock.Write(deepPath(i, 1, 100_000))))
	}
	if got := heap() - before; got > most {
		t.Errorf("idle nodes keep %d bytes, want %d at most", got, most)
	}
	checkSound(t, tb)
	runtime.KeepAlive(tb)
}

// TestParentDoesNotKeepALongNameInMemory: the memory of a long name is freed with its node.
func TestParentDoesNotKeepALongNameInMemory(t *testing.T) {
	const children, most = 100, 2 << 20
	tb := locktable.New[treelock.Path, string](0)
	before := heap()
	for i := range children {
		parent := deepPath(i, 2, 200)
		child := submit(tb, "", treelock.Write(parent+treelock.Path("/"+strings.Repeat("x", 200_000))))
		submit(tb, "", treelock.ReadNode(parent))
		tb.End(child)
	}
	if got := heap() - before; got > most {
		t.Errorf("%d parents keep %d bytes, want %d at most", children, got, most)
	}
	checkSound(t, tb)
	runtime.KeepAlive(tb)
}

// BenchmarkLongPath measures the first arrival of a path. It shows that the time grows with the
// number of names and with their length, not with the product.
func BenchmarkLongPath(b *testing.B) {
	for _, names := range []int{100, 1000} {
		for _, bytes := range []int{10, 100, 1000} {
			b.Run(fmt.Sprintf("names=%d/bytes=%d", names, bytes), func(b *testing.B) {
				tb := locktable.New[treelock.Path, string](0)
				claims := locktable.ClaimsOf(treelock.Write(deepPath(0, names, bytes)))
				b.ReportAllocs()
				for b.Loop() {
					tb.End(tb.Submit("", claims))
				}
			})
		}
	}
}
