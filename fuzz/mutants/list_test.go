package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A mutant that no longer fits the library would be a fault that nobody looks for.
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
