package terms_test

import (
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/terms"
)

// TestStepOfPathIsItsParentAndLastName also checks that equal names at other positions differ.
func TestStepOfPathIsItsParentAndLastName(t *testing.T) {
	paths := terms.NewPaths()
	hashes := map[uint64]treelock.Path{}
	for _, p := range []treelock.Path{"", "a", "/", "/a", "/a/a", "/a/b", "/a/a/a"} {
		parent, hash, ok := paths.Step(p)
		if want, wantOK := p.Parent(); parent != want || ok != wantOK {
			t.Errorf("Step(%q) = %q, %t, want %q, %t as its Parent says", p, parent, ok, want, wantOK)
		}
		if other := hashes[hash]; ok && other != "" {
			t.Errorf("the steps of %q and of %q have the same hash", p, other)
		}
		hashes[hash] = p
	}
	_, one, _ := paths.Step("/a/x")
	if _, other, _ := paths.Step("/b/x"); one != other {
		t.Error("the steps of /a/x and of /b/x have different hashes, want one for a name at a position")
	}
}
