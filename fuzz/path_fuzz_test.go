package fuzz_test

import (
	"errors"
	slashpath "path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/treelock/treelock"
)

// breaksRule says for each rule of a canonical path whether a string breaks it, in other words than
// the parser's.
var breaksRule = map[treelock.PathRule]func(string) bool{
	treelock.RuleLeadingSlash:  func(s string) bool { return !strings.HasPrefix(s, "/") },
	treelock.RuleTrailingSlash: func(s string) bool { return s != "/" && strings.HasSuffix(s, "/") },
	treelock.RuleEmptyName:     func(s string) bool { return strings.Contains(s, "//") },
	treelock.RuleDotName: func(s string) bool {
		names := strings.Split(s, "/")
		return slices.Contains(names, ".") || slices.Contains(names, "..")
	},
}

// escapedName matches the names that PathOf builds, but for "." and "..", which it also matches.
var escapedName = regexp.MustCompile(`(?s)\A(?:%|%2E|%2E%2E|(?:[^%]|%25|%2F)+)\z`)

// longestPathError bounds the text of an error, however long the path is.
const longestPathError = 1200

func FuzzParsePath(f *testing.F) {
	for _, s := range []string{
		"/", "/a", "/a/b/c", "/...", "/.a/..b/c.", "/ /\t", "/a\nb", "/\x00/\x00", "/\xff\xfe/\xc3",
		"/ä/世界",                        // canonical
		"/%2F/%", "/%25%2F/%2E/%2E%2E", // and built by PathOf
		"/%2f", "/a%", "/%%", "/%2", "/%41", "/%2Ea", "/%2E.", "/%2E%2E%2E", // and not: RuleEscape
		"", "a", "a/b", ".", "..", "\x00/a", // RuleLeadingSlash
		"//", "/a/", "///", // RuleTrailingSlash
		"//a", "/a//b", "a//", // RuleEmptyName
		"/.", "/..", "/./a", "/a/..", "/a/../b", "../a/.", // RuleDotName
		"/" + strings.Repeat("\xff/", 200), "/" + strings.Repeat("deep/", 200) + ".", // long
	} {
		f.Add(s)
	}
	f.Add(strings.Repeat("/a", 1<<17))
	f.Fuzz(func(t *testing.T, s string) {
		s = short(s)
		checkParsePath(t, s)
		checkCleanPath(t, s)
		checkUnescape(t, s)
		nodes := lineageOf(treelock.Path(s)) // a program may convert any string
		if len(nodes) > len(s)+1 {
			t.Errorf("the lineage of Path(%q) has no end: %q", s, nodes)
		}
		if names := slices.Collect(treelock.Path(s).Names()); len(names) > len(s)+1 {
			t.Errorf("Path(%q).Names() has no end: %q", s, names)
		}
	})
}

// checkParsePath checks that s is accepted exactly if it is canonical, by two definitions of that,
// and that a refusal names a rule that s breaks.
func checkParsePath(t *testing.T, s string) {
	p, err := treelock.ParsePath(s)
	canonical := strings.HasPrefix(s, "/") && slashpath.Clean(s) == s
	if err == nil {
		for rule, breaks := range breaksRule {
			if !canonical || p != treelock.Path(s) || breaks(s) {
				t.Fatalf("ParsePath(%q) = %q, nil, want the same if canonical=%t; and: %s", s, p, canonical, rule)
			}
		}
		checkNames(t, p)
		return
	}
	var refusal *treelock.PathError
	if canonical || p != "" || !errors.As(err, &refusal) {
		t.Fatalf("ParsePath(%q) = %q, %v, want canonical=%t", s, p, err, canonical)
	}
	if breaks := breaksRule[refusal.Rule]; refusal.Path != s || breaks == nil || !breaks(s) {
		t.Errorf("ParsePath(%q) fails with %+v, want a rule that it breaks", s, *refusal)
	}
	if text := err.Error(); len(text) > longestPathError {
		t.Errorf("ParsePath(%q) has an error of %d bytes, want at most %d", s, len(text), longestPathError)
	}
}

// checkNames checks that the names and the lineage of a canonical path agree.
func checkNames(t *testing.T, p treelock.Path) {
	names := slices.Collect(p.Names())
	if joined := treelock.Path("/" + strings.Join(names, "/")); joined != p {
		t.Errorf("Path(%q).Names() = %q, which make %q", p, names, joined)
	}
	var want []treelock.Path
	for n := len(names); n >= 0; n-- {
		want = append(want, treelock.Path("/"+strings.Join(names[:n], "/")))
	}
	if diff := cmp.Diff(want, lineageOf(p)); diff != "" {
		t.Errorf("the lineage of Path(%q): -want +got:\n%s", p, diff)
	}
}

// checkCleanPath checks that CleanPath cleans as a file system does, and leaves a clean path alone.
func checkCleanPath(t *testing.T, s string) {
	got := treelock.CleanPath(s)
	if want := treelock.Path(slashpath.Clean("/" + s)); got != want {
		t.Errorf("CleanPath(%q) = %q, want %q", s, got, want)
	}
	if _, err := treelock.ParsePath(string(got)); err != nil {
		t.Errorf("CleanPath(%q) = %q, want a canonical path: %v", s, got, err)
	}
	if again := treelock.CleanPath(string(got)); again != got {
		t.Errorf("CleanPath(%q) = %q, want it unchanged", got, again)
	}
}

// checkUnescape checks that Unescape accepts exactly what PathOf builds.
func checkUnescape(t *testing.T, s string) {
	_, refused := treelock.ParsePath(s)
	buildable := refused == nil
	for name := range treelock.Path(s).Names() {
		buildable = buildable && escapedName.MatchString(name)
	}
	names, err := treelock.Path(s).Unescape()
	if buildable != (err == nil) || err != nil && names != nil {
		t.Fatalf("Path(%q).Unescape() = %q, %v, want PathOf builds it=%t", s, names, err, buildable)
	}
	if err == nil {
		if again := treelock.PathOf(names...); again != treelock.Path(s) {
			t.Errorf("Path(%q).Unescape() = %q, of which PathOf builds %q", s, names, again)
		}
		return
	}
	var refusal *treelock.PathError
	if !errors.As(err, &refusal) || refused == nil && refusal.Rule != treelock.RuleEscape {
		t.Errorf("Path(%q).Unescape() fails with %v, want RuleEscape", s, err)
	}
}

// FuzzPathOf takes two lists of names, each in the form of nameList.
func FuzzPathOf(f *testing.F) {
	for _, pair := range [][2][]string{
		{{}, {""}},                       // the empty list, and the list of the empty name
		{{"", ""}, {""}},                 //
		{{"a", "b"}, {"a/b"}},            // a slash in a name
		{{".", ".."}, {"%2E", "%2E%2E"}}, // dots
		{{"%"}, {""}},                    // "%" and the form of the empty name
		{{"%2F"}, {"/"}},                 // a name that looks escaped
		{{"%25"}, {"%"}},                 //
		{{"a", "..", "b"}, {"b"}},        // a list that a file system resolves
		{{"a", "", "b"}, {"a", "b"}},     //
		{{"a", "b"}, {"a", "b", "c"}},    // a prefix
		{{"\x00", "\n"}, {"\xff", "\xc3"}},
	} {
		f.Add(listOf(pair[0]), listOf(pair[1]))
	}
	f.Add(strings.Repeat("\x00", 1<<17), "")
	f.Fuzz(func(t *testing.T, a, b string) {
		first, second := nameList(short(a)), nameList(short(b))
		p, q := checkPathOf(t, first), checkPathOf(t, second)
		if (p == q) != slices.Equal(first, second) {
			t.Errorf("PathOf(%q) = %q and PathOf(%q) = %q", first, p, second, q)
		}
		prefix := len(first) <= len(second) && slices.Equal(first, second[:len(first)])
		if above := slices.Contains(lineageOf(q), p); above != prefix {
			t.Errorf("PathOf(%q) = %q lies above PathOf(%q) = %q: %t, want %t", first, p, second, q, above, prefix)
		}
		checkPathOf(t, slices.Concat(first, second))
	})
}

// nameList reads a list of names, each with its length in a byte before it. Every string is a list.
func nameList(s string) (names []string) {
	for len(s) > 0 {
		end := min(1+int(s[0]), len(s))
		names, s = append(names, s[1:end]), s[end:]
	}
	return names
}

// listOf is the inverse of nameList.
func listOf(names []string) (s string) {
	for _, name := range names {
		s += string([]byte{byte(len(name))}) + name
	}
	return s
}

// checkPathOf checks all that PathOf promises of one list of names, and returns the path.
func checkPathOf(t *testing.T, names []string) treelock.Path {
	p := treelock.PathOf(names...)
	if _, err := treelock.ParsePath(string(p)); err != nil {
		t.Errorf("PathOf(%q) = %q, want a canonical path: %v", names, p, err)
	}
	got, err := p.Unescape()
	if diff := cmp.Diff(names, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("PathOf(%q).Unescape() fails with %v or gives other names, -want +got:\n%s", names, err, diff)
	}
	var want []treelock.Path // the paths of all prefixes: so the root is len(names) steps up
	for n := len(names); n >= 0; n-- {
		want = append(want, treelock.PathOf(names[:n]...))
	}
	if diff := cmp.Diff(want, lineageOf(p)); diff != "" || want[len(names)] != "/" {
		t.Errorf("the lineage of PathOf(%q): -want +got:\n%s", names, diff)
	}
	if got := len(slices.Collect(p.Names())); got != len(names) {
		t.Errorf("PathOf(%q).Names() has %d names, want %d", names, got, len(names))
	}
	return p
}

// lineageOf returns p and its ancestors, or a few more than p can have if there is no end of them.
func lineageOf(p treelock.Path) (nodes []treelock.Path) {
	limit := len(p) + 2
	for node, ok := p, true; ok && len(nodes) < limit; node, ok = node.Parent() {
		nodes = append(nodes, node)
	}
	return nodes
}
