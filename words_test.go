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
