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
					tb.End(tb.Submit(claims))
				}
			})
		}
	}
}
