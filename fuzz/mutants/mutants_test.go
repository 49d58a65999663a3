package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMutantsFitTheLibrary checks that each mutant still changes the library.
func TestMutantsFitTheLibrary(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutants {
		text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(m.file)))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), m.old); n != 1 {
			t.Errorf("%s: %q is in %s %d times, want once", m.name, m.old, m.file, n)
		}
		if names[m.name] || m.old == m.new {
			t.Errorf("%s: its name is taken, or it changes nothing", m.name)
		}
		names[m.name] = true
	}
}

func TestEndOfTimeIsNoFailure(t *testing.T) {
	for out, want := range map[string]bool{
		"fuzz: elapsed: 20s\n--- FAIL: FuzzNodes (20.12s)\n    context deadline exceeded\nFAIL\n":                         true,
		"--- FAIL: FuzzNodes (0.12s)\n    --- FAIL: FuzzNodes (0.00s)\n        x.go:1: context deadline exceeded\nFAIL\n": false,
		"--- FAIL: FuzzNodes (0.12s)\n    x.go:1: context deadline exceeded\n":                                            false,
	} {
		if got := endOfTime.MatchString(out); got != want {
			t.Errorf("%q: %t, want %t", out, got, want)
		}
	}
}
