package treelock_test

import (
	"encoding"
	"runtime"
	"strings"
	"testing"

	"github.com/treelock/treelock"
)

// Only the whole word is one: what a program reads from elsewhere is not completed for it.
func TestPartsOfWordsAreRefused(t *testing.T) {
	var scope, access, state encoding.TextUnmarshaler = new(treelock.Scope), new(treelock.Access), new(treelock.State)
	for text, v := range map[string]encoding.TextUnmarshaler{
		"n": scope, "subtre": scope, "subtree ": scope, "excl": access, "shared,": access, "hold": state, "Waiting": state, "": state,
	} {
		if err := v.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("UnmarshalText(%q) into a %T = nil, want an error", text, v)
		}
	}
}

// A number that is none of the constants, as a conversion can make, has one meaning in all texts.
func TestVerbAgreesWithScopeAndAccess(t *testing.T) {
	verbs := map[string]string{
		"subtree shared": "read", "subtree exclusive": "write", "node shared": "read-node", "node exclusive": "write-node",
	}
	for scope := range treelock.Scope(4) {
		for access := range treelock.Access(4) {
			c := claim{Node: "/a", Scope: scope, Access: access}
			if got, want := c.Verb(), verbs[scope.String()+" "+access.String()]; got != want {
				t.Errorf("Verb() of %d and %d = %s, want %s as the names are %s and %s", scope, access, got, want, scope, access)
			}
		}
	}
}

func TestPathThatIsNotRootedHasNoParent(t *testing.T) {
	for _, p := range []treelock.Path{"", "a", "ab", "..", "C:"} {
		if parent, ok := p.Parent(); ok || parent != "" {
			t.Errorf("Path(%q).Parent() = %q, %t, want none", p, parent, ok)
		}
	}
}

func TestLabelDoesNotKeepTheStringThatItWasCutFrom(t *testing.T) {
	const pages, size = 32, 1 << 20
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var kept []treelock.Request[treelock.Path]
	for range pages {
		kept = append(kept, treelock.Read("/a").Labeled(strings.Repeat("x", size)[:10]))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4*size {
		t.Errorf("%d labels of 10 bytes keep %d bytes, want %d at most", pages, grown, 4*size)
	}
	runtime.KeepAlive(kept)
}
