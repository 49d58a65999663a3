package locktable_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/terms"
)

func TestUsesOfANode(t *testing.T) {
	tb := locktable.New[treelock.Path, string](4, terms.NewPaths())
	tb.End(submit(tb, "gone", treelock.Write("/idle")))
	submit(tb, "writer", treelock.Write("/a/x"))
	submit(tb, "reader", treelock.Read("/a").WriteNode("/a"))
	submit(tb, "late", treelock.Read("/a/x"))
	for _, test := range []struct {
		node treelock.Path
		want []string
	}{
		{"/", []string{"IW of writer: admitted=true", "IW of reader: admitted=true", "IR of late: admitted=true"}},
		{"/a", []string{"IW of writer: admitted=true", "IR of late: admitted=true", "NW+TR of reader: admitted=false"}},
		{"/a/x", []string{"TW of writer: admitted=true", "TR of late: admitted=false"}},
		{"/idle", nil},
		{"/unknown", nil},
	} {
		var got []string
		for s := range tb.UsesOf(test.node) {
			got = append(got, fmt.Sprintf("%v of %s: admitted=%t", s.Mode, s.Request.Who, s.Admitted))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("UsesOf(%s): -want +got:\n%s", test.node, diff)
		}
	}
	for range tb.UsesOf("/") {
		break // must be allowed
	}
}
