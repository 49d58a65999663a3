package locktable

import (
	"fmt"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/terms"
)

// TestSearchUnlinksIdleChildren: the next search does not visit a child that this one found idle.
func TestSearchUnlinksIdleChildren(t *testing.T) {
	table := New[treelock.Path, string](1000, terms.NewPaths())
	for i := range 100 {
		table.End(table.Submit(ClaimsOf(treelock.Write(treelock.Path(fmt.Sprint("/x/", i))))))
	}
	table.Submit(ClaimsOf(treelock.Write("/x/y")))
	waiter := table.Submit(ClaimsOf(treelock.Read("/x")))
	table.Blockers(waiter, 1, func(*Request[treelock.Path, string], ConflictPair[treelock.Path]) {})
	x, y := table.nodes.find("/x"), table.nodes.find("/x/y")
	if first := x.children.first; first[0] != nil || first[writing-reading] != y || y.next != y {
		t.Errorf("the lists of children of /x hold more than /x/y, the only one in use")
	}
}
