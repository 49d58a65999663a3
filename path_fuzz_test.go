package treelock_test

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/treelock/treelock"
)

func FuzzParsePath(f *testing.F) {
	for _, test := range canonicalPaths {
		f.Add(test.path)
	}
	for _, test := range badPaths {
		f.Add(test.path)
	}
	f.Add("/%2f") // RuleEscape
	f.Fuzz(func(t *testing.T, s string) {
		p, err := treelock.ParsePath(s)
		canonical := strings.HasPrefix(s, "/") && path.Clean(s) == s
		if canonical != (err == nil) || canonical && p != treelock.Path(s) || !canonical && p != "" {
			t.Fatalf("ParsePath(%q) = %q, %v, want canonical=%t", s, p, err, canonical)
		}
		cleaned := treelock.CleanPath(s)
		if _, err := treelock.ParsePath(string(cleaned)); err != nil || canonical && cleaned != p {
			t.Errorf("CleanPath(%q) = %q, want a canonical path: %v", s, cleaned, err)
		}
		if nodes := lineage(treelock.Path(s)); len(nodes) > len(s)+1 {
			t.Errorf("the lineage of Path(%q) has no end: %q", s, nodes)
		}
		if canonical {
			checkCanonical(t, p)
		}
	})
}

// checkCanonical checks that Parent and Names of a canonical path agree, and Unescape with PathOf.
func checkCanonical(t *testing.T, p treelock.Path) {
	names := slices.Collect(p.Names())
	if joined := treelock.Path("/" + strings.Join(names, "/")); joined != p {
		t.Errorf("the names of %q make %q", p, joined)
	}
	if got := len(lineage(p)); got != len(names)+1 {
		t.Errorf("the lineage of %q has %d nodes, want %d", p, got, len(names)+1)
	}
	if unescaped, err := p.Unescape(); err == nil && treelock.PathOf(unescaped...) != p {
		t.Errorf("Path(%q).Unescape() = %q, which PathOf makes %q of", p, unescaped, treelock.PathOf(unescaped...))
	}
}

// FuzzPathOf takes two lists of names, each as one string with a "|" between names.
func FuzzPathOf(f *testing.F) {
	for _, pair := range [][2]string{
		{"", "|"},                // empty names
		{"a|b", "a/b"},           // a slash in a name
		{".|..", "%2E|%2E%2E"},   // dots
		{"%", ""},                // "%" and what stands for the empty name
		{"%2F", "/"},             // what looks escaped
		{"%25", "%"},             //
		{"a|..|b", "b"},          // what a file system resolves
		{"a||b", "a|b"},          //
		{"\x00|\n", "\xff|\xc3"}, // any bytes
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		first, second := strings.Split(a, "|"), strings.Split(b, "|")
		checkPathOf(t, first)
		checkPathOf(t, second)
		if p, q := treelock.PathOf(first...), treelock.PathOf(second...); (p == q) != (a == b) {
			t.Errorf("PathOf(%q) = %q and PathOf(%q) = %q", first, p, second, q)
		}
		joined := treelock.PathOf(slices.Concat(first, second)...)
		if !slices.Contains(lineage(joined), treelock.PathOf(first...)) {
			t.Errorf("PathOf(%q) is no ancestor of %q", first, joined)
		}
	})
}
