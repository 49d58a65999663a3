package locktable

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/terms"
)

// TestNamesWithTheSameHashAreToldApart makes names collide: no other test meets two by chance.
func TestNamesWithTheSameHashAreToldApart(t *testing.T) {
	p := newLongNames[treelock.Path, string](terms.NewPaths())
	var names []treelock.Path
	var all []*node[treelock.Path, string]
	for _, last := range []string{"a", "b", "c"} {
		name := treelock.Path("/" + strings.Repeat("n", maxShort) + last)
		names = append(names, name)
		all = append(all, p.insert(name, &longName[treelock.Path, string]{hash: 7, text: &text{}}))
	}
	for _, gone := range []int{1, 2, 0} { // from the middle, from the front, the last one
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

// TestOrderOfNamesChangesTheHash: otherwise a client could slow down all lookups by the orders of a
// few names.
func TestOrderOfNamesChangesTheHash(t *testing.T) {
	names := strings.Split(strings.Repeat("x", 200)+" a b c d e f g", " ")
	tb := New[treelock.Path, string](10, terms.NewPaths())
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		tb.Submit(ClaimsOf(treelock.Read(treelock.Path("/" + strings.Join(names, "/") + "/" + strings.Repeat("y", maxShort)))))
	}
	if p := tb.nodes.long; len(p.byHash) != p.count || p.count < 900 {
		t.Errorf("%d nodes with long names have %d hashes, want as many, and 900 at least", p.count, len(p.byHash))
	}
}
