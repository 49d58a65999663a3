package locktable

import (
	"strings"
	"testing"

	"github.com/treelock/treelock"
)

// TestNamesOfOneHashAreToldApart: no test meets two of them by chance.
func TestNamesOfOneHashAreToldApart(t *testing.T) {
	p := newPaths[treelock.Path, string]()
	var names []treelock.Path
	var all []*node[treelock.Path, string]
	for _, last := range []string{"a", "b", "c"} {
		name := treelock.Path("/" + strings.Repeat("n", maxShort) + last)
		names = append(names, name)
		all = append(all, p.addOwned(name, &longName[treelock.Path, string]{hash: 7, text: &text{}}))
	}
	for _, gone := range []int{1, 2, 0} { // from the middle, from the front, alone
		for i, n := range all {
			if got := p.findHash(7, names[i]); got != n {
				t.Errorf("findHash(...%s) = %v, want %v", names[i][maxShort+1:], got, n)
			}
		}
		p.remove(all[gone])
		all[gone] = nil
	}
	if p.count != 0 || len(p.byHash) != 0 {
		t.Errorf("%d nodes are left, %d hashes, want none", p.count, len(p.byHash))
	}
}
