package treelock_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/treelock/treelock"
)

// TestEscapedFormIsThatOfTheContract fixes the form byte for byte, since two programs may have to
// agree on it.
func TestEscapedFormIsThatOfTheContract(t *testing.T) {
	for _, test := range []struct {
		names []string
		want  treelock.Path
	}{
		{nil, "/"},
		{[]string{"a"}, "/a"},
		{[]string{"a", "b"}, "/a/b"},
		{[]string{""}, "/%"},
		{[]string{"", ""}, "/%/%"},
		{[]string{"."}, "/%2E"},
		{[]string{".."}, "/%2E%2E"},
		{[]string{"..."}, "/..."},
		{[]string{".a", "a..b"}, "/.a/a..b"},
		{[]string{"/"}, "/%2F"},
		{[]string{"a/b"}, "/a%2Fb"},
		{[]string{"../x"}, "/..%2Fx"},
		{[]string{"%"}, "/%25"},
		{[]string{"%2F"}, "/%252F"},
		{[]string{"%2E"}, "/%252E"},
		{[]string{"%%"}, "/%25%25"},
		{[]string{"100%"}, "/100%25"},
		{[]string{"\x00", "\n", "\xff"}, "/\x00/\n/\xff"},
	} {
		if got := treelock.PathOf(test.names...); got != test.want {
			t.Errorf("PathOf(%q) = %q, want %q", test.names, got, test.want)
		}
		checkPathOf(t, test.names)
	}
}

// TestHostileKeysNameDifferentObjects takes keys that an object store keeps apart and file systems
// do not.
func TestHostileKeysNameDifferentObjects(t *testing.T) {
	keys := []string{
		"", "/", "//", "a", "a/", "/a", "//a", "a/b", "a//b", "a///b", "a/./b", "a/../b", "b", "../b", ".", "..", "./", "../",
		"%", "%%", "%2F", "%2f", "%252F", "a%2Fb", "%2E", "%2E%2E", "%25", "a\x00b", "a\nb", "\xff", "\xc3\x28", "a\\b", " ", "ä",
	}
	owner := map[treelock.Path]string{}
	for _, key := range keys {
		names := strings.Split(key, "/")
		p := treelock.PathOf(names...)
		if other, taken := owner[p]; taken {
			t.Errorf("PathOf(%q) = %q, as for %q", key, p, other)
		}
		owner[p] = key
		checkPathOf(t, names)
	}
}

// TestDifferentListsGiveDifferentPaths takes all lists of up to three names of those that need
// escaping or look as if they had been escaped.
func TestDifferentListsGiveDifferentPaths(t *testing.T) {
	names := []string{"", ".", "..", "/", "%", "%%", "%2E", "%2F", "%25", "2E", "a", "a/", "/a", "..."}
	lists := [][]string{nil}
	owner := map[treelock.Path][]string{}
	for len(lists) > 0 {
		list := lists[0]
		lists = lists[1:]
		p := treelock.PathOf(list...)
		if other, taken := owner[p]; taken {
			t.Fatalf("PathOf(%q) = %q, as for %q", list, p, other)
		}
		owner[p] = list
		checkPathOf(t, list)
		for _, name := range names {
			if len(list) < 3 {
				lists = append(lists, append(slices.Clip(list), name))
			}
		}
	}
}

func TestPathOfRandomNamesIsReversible(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 5_000 {
		var names []string
		for range rng.IntN(5) {
			names = append(names, randomString(rng, 6))
		}
		checkPathOf(t, names)
	}
}

// checkPathOf checks all that PathOf promises of one list of names.
func checkPathOf(t *testing.T, names []string) {
	t.Helper()
	p := treelock.PathOf(names...)
	if _, err := treelock.ParsePath(string(p)); err != nil {
		t.Errorf("PathOf(%q) = %q, want a canonical path: %v", names, p, err)
	}
	got, err := p.Unescape()
	if diff := cmp.Diff(names, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("PathOf(%q).Unescape() fails with %v or gives other names, -want +got:\n%s", names, err, diff)
	}
	above := p
	for n := len(names); n > 0; n-- {
		above, _ = above.Parent()
		if want := treelock.PathOf(names[:n-1]...); above != want {
			t.Errorf("the ancestor of PathOf(%q) at depth %d = %q, want %q", names, n-1, above, want)
		}
	}
	if _, ok := above.Parent(); ok {
		t.Errorf("PathOf(%q) has more ancestors than names", names)
	}
}

func TestUnescapeRefusesWhatPathOfDoesNotBuild(t *testing.T) {
	for _, test := range []struct {
		path treelock.Path
		rule treelock.PathRule
	}{
		{"/%2f", treelock.RuleEscape},    // lower case
		{"/%2e%2E", treelock.RuleEscape}, // half of it in lower case
		{"/a%", treelock.RuleEscape},     // a "%" alone is a whole name
		{"/%%", treelock.RuleEscape},     // and no part of one
		{"/%2", treelock.RuleEscape},     // cut off
		{"/%41", treelock.RuleEscape},    // "A" needs no escape
		{"/%2Ea", treelock.RuleEscape},   // a dot is escaped in "." and ".." alone
		{"/%2E.", treelock.RuleEscape},   // and then all dots are
		{"/%2E%2E%2E", treelock.RuleEscape},
		{"/a/b/%2f", treelock.RuleEscape},
		{"", treelock.RuleLeadingSlash},
		{"a", treelock.RuleLeadingSlash},
		{"/a/", treelock.RuleTrailingSlash},
		{"/a//b", treelock.RuleEmptyName},
		{"/a/../b", treelock.RuleDotName},
	} {
		names, err := test.path.Unescape()
		var refusal *treelock.PathError
		if names != nil || !errors.As(err, &refusal) {
			t.Errorf("Path(%q).Unescape() = %q, %v, want a *PathError alone", test.path, names, err)
			continue
		}
		if want := (treelock.PathError{Path: string(test.path), Rule: test.rule}); *refusal != want {
			t.Errorf("Path(%q).Unescape() = %+v, want %+v", test.path, *refusal, want)
		}
	}
}

// TestUnescapeAcceptsOnlyWhatPathOfBuilds is the other half of reversibility.
func TestUnescapeAcceptsOnlyWhatPathOfBuilds(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	accepted := 0
	for range 50_000 {
		p := treelock.Path("/" + randomString(rng, 8))
		names, err := p.Unescape()
		if err != nil {
			continue
		}
		accepted++
		if got := treelock.PathOf(names...); got != p {
			t.Fatalf("Path(%q).Unescape() = %q, nil, but PathOf builds %q of that", p, names, got)
		}
	}
	if accepted == 0 {
		t.Fatal("no random path was accepted: the test tests nothing")
	}
}

// TestPathOfLongListsIsReversible has lists and names far beyond those of the tables.
func TestPathOfLongListsIsReversible(t *testing.T) {
	names := []string{strings.Repeat("%/", 1000)}
	for i := range 200 {
		names = append(names, fmt.Sprint(i, "/"))
	}
	checkPathOf(t, names)
}
