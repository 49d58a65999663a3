package locktable_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

func TestEntriesShowWhoIsQueuedAtANode(t *testing.T) {
	tb := locktable.New[treelock.Path, string](4)
	tb.End(submit(tb, "gone", treelock.Write("/idle")))
	submit(tb, "writer", treelock.Write("/a/x"))
	submit(tb, "reader", treelock.Read("/a").WriteNode("/a"))
	submit(tb, "late", treelock.Read("/a/x"))
	for _, test := range []struct {
		node treelock.Path
		want []string
	}{
		{"/", []string{"IR of late: admitted=true", "IW of writer: admitted=true", "IW of reader: admitted=true"}},
		{"/a", []string{"IR of late: admitted=true", "IW of writer: admitted=true", "NW of reader: admitted=true", "TR of reader: admitted=false"}},
		{"/a/x", []string{"TR of late: admitted=false", "TW of writer: admitted=true"}},
		{"/idle", nil},
		{"/unknown", nil},
	} {
		var got []string
		for e := range tb.Entries(test.node) {
			got = append(got, fmt.Sprintf("%v of %s: admitted=%t", e.Mode(), e.Request().Who, e.Admitted()))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("Entries(%s): -want +got:\n%s", test.node, diff)
		}
	}
	for range tb.Entries("/") {
		break // is allowed
	}
}
