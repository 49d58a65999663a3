package locktable

import (
	"fmt"
	"testing"

	"github.com/treelock/treelock"
)

// TestSearchLeavesOutWhatIsIdle: the next search does not meet a child that this one has met idle.
func TestSearchLeavesOutWhatIsIdle(t *testing.T) {
	table := New[treelock.Path, string](1000)
	for i := range 100 {
		table.End(table.Submit("", ClaimsOf(treelock.Write(treelock.Path(fmt.Sprint("/x/", i))))))
	}
	table.Submit("", ClaimsOf(treelock.Write("/x/y")))
	waiter := table.Submit("", ClaimsOf(treelock.Read("/x")))
	table.Blockers(waiter, 1, func(*Request[treelock.Path, string], Quarrel[treelock.Path]) {})
	x, y := table.nodes.find("/x"), table.nodes.find("/x/y")
	if first := x.children.first; first[0] != nil || first[writing-reading] != y || y.next != y {
		t.Errorf("the lists of /x have more than /x/y, which alone is in use")
	}
}
