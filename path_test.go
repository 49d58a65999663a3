package treelock_test

import (
	"errors"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
)

// canonicalPaths are paths as they must be: names are any bytes but "/", and not "", "." or "..".
var canonicalPaths = []struct {
	path   string
	parent string // "" for none
	names  []string
}{
	{"/", "", nil},
	{"/a", "/", []string{"a"}},
	{"/a/b", "/a", []string{"a", "b"}},
	{"/a/b/c", "/a/b", []string{"a", "b", "c"}},
	{"/...", "/", []string{"..."}},
	{"/.a/..b/c.", "/.a/..b", []string{".a", "..b", "c."}},
	{"/ /\t", "/ ", []string{" ", "\t"}},
	{"/a\nb", "/", []string{"a\nb"}},
	{"/\x00/\x00", "/\x00", []string{"\x00", "\x00"}},
	{"/\xff\xfe/\xc3", "/\xff\xfe", []string{"\xff\xfe", "\xc3"}},
	{"/ä/世界", "/ä", []string{"ä", "世界"}},
	{`/a\b/*?`, `/a\b`, []string{`a\b`, "*?"}},
	{"/%2F/%", "/%2F", []string{"%2F", "%"}},
}

// badPaths are the others, each with one of the rules that it breaks.
var badPaths = []struct {
	path string
	rule treelock.PathRule
}{
	{"", treelock.RuleLeadingSlash},
	{"a", treelock.RuleLeadingSlash},
	{"a/b", treelock.RuleLeadingSlash},
	{".", treelock.RuleLeadingSlash},
	{"\x00/a", treelock.RuleLeadingSlash},
	{"//", treelock.RuleTrailingSlash},
	{"/a/", treelock.RuleTrailingSlash},
	{"/a/b/", treelock.RuleTrailingSlash},
	{"//a", treelock.RuleEmptyName},
	{"/a//b", treelock.RuleEmptyName},
	{"/a/b//c", treelock.RuleEmptyName},
	{"/.", treelock.RuleDotName},
	{"/..", treelock.RuleDotName},
	{"/./a", treelock.RuleDotName},
	{"/a/..", treelock.RuleDotName},
	{"/a/../b", treelock.RuleDotName},
	{"/a/./b", treelock.RuleDotName},
}

func TestParsePathAcceptsTheCanonicalForm(t *testing.T) {
	for _, test := range canonicalPaths {
		if got, err := treelock.ParsePath(test.path); got != treelock.Path(test.path) || err != nil {
			t.Errorf("ParsePath(%q) = %q, %v, want the same and no error", test.path, got, err)
		}
	}
}

func TestParsePathNamesTheBrokenRule(t *testing.T) {
	for _, test := range badPaths {
		got, err := treelock.ParsePath(test.path)
		var refusal *treelock.PathError
		if got != "" || !errors.As(err, &refusal) {
			t.Errorf("ParsePath(%q) = %q, %v, want %q and a *PathError", test.path, got, err, "")
			continue
		}
		if want := (treelock.PathError{Path: test.path, Rule: test.rule}); *refusal != want {
			t.Errorf("ParsePath(%q) = %+v, want %+v", test.path, *refusal, want)
		}
	}
}

func TestParsePathAllocatesNothing(t *testing.T) {
	if got := testing.AllocsPerRun(100, func() { treelock.ParsePath("/a/b/c/d") }); got != 0 {
		t.Errorf("ParsePath() allocates %v times, want 0", got)
	}
}

// TestParsePathAgreesWithPackagePath compares with another definition: a rooted path is canonical
// exactly if cleaning does not change it.
func TestParsePathAgreesWithPackagePath(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		s := randomString(rng, 12)
		want := strings.HasPrefix(s, "/") && path.Clean(s) == s
		if _, err := treelock.ParsePath(s); (err == nil) != want {
			t.Fatalf("ParsePath(%q) fails with %v, want canonical=%t", s, err, want)
		}
	}
}

func TestCleanPathResolvesAsAFileSystemDoes(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", "/"},
		{".", "/"},
		{"..", "/"},
		{"/../..", "/"},
		{"//", "/"},
		{"a", "/a"},
		{"a/../b", "/b"},
		{"a//b/", "/a/b"},
		{"/a/./b", "/a/b"},
		{"../a", "/a"},
		{"/a\x00/../\xff", "/\xff"},
		{"/a/b", "/a/b"},
	} {
		if got := treelock.CleanPath(test.in); got != treelock.Path(test.want) {
			t.Errorf("CleanPath(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}

func TestCleanPathOfAnyStringIsCanonical(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		s := randomString(rng, 12)
		got := treelock.CleanPath(s)
		if _, err := treelock.ParsePath(string(got)); err != nil {
			t.Fatalf("CleanPath(%q) = %q, want a canonical path: %v", s, got, err)
		}
		if again := treelock.CleanPath(string(got)); again != got {
			t.Fatalf("CleanPath(%q) = %q, want it unchanged", got, again)
		}
	}
}

func TestParentIsThePathOneNameShorter(t *testing.T) {
	for _, test := range canonicalPaths {
		got, ok := treelock.Path(test.path).Parent()
		if got != treelock.Path(test.parent) || ok != (test.parent != "") {
			t.Errorf("Path(%q).Parent() = %q, %t, want %q, %t", test.path, got, ok, test.parent, test.parent != "")
		}
	}
	var parent treelock.Path
	if got := testing.AllocsPerRun(100, func() { parent, _ = treelock.Path("/a/b").Parent() }); got != 0 || parent != "/a" {
		t.Errorf("Parent() allocates %v times, want 0", got)
	}
}

func TestContainsFollowsNames(t *testing.T) {
	for _, test := range []struct {
		p, other treelock.Path
		want     bool
	}{
		{"/", "/", true}, {"/", "/a", true}, {"/", "/a/b", true},
		{"/a", "/", false}, {"/a", "/a", true}, {"/a", "/b", false}, {"/a", "/a/b", true}, {"/a", "/a/b/c", true},
		{"/a", "/ab", false}, {"/a", "/ab/c", false}, {"/a/b", "/a", false}, {"/a/b", "/a/c/b", false},
		{"/\xff", "/\xff/\x00", true},
	} {
		if got := test.p.Contains(test.other); got != test.want {
			t.Errorf("Path(%q).Contains(%q) = %t, want %t", test.p, test.other, got, test.want)
		}
	}
}

// TestContainsAgreesWithTheLineage takes strings that are no canonical paths too.
func TestContainsAgreesWithTheLineage(t *testing.T) {
	all := []treelock.Path{"", "/", "//", "///", "a", "a/", "/a", "/a/", "a//a", "//a", "/a/a", "/a//a"}
	rng := rand.New(rand.NewPCG(23, 24))
	for range 200 {
		all = append(all, treelock.Path(strings.ReplaceAll(randomString(rng, 6), ".", "/")))
	}
	for _, p := range all {
		for _, other := range all {
			if got, want := p.Contains(other), slices.Contains(lineage(other), p); got != want {
				t.Errorf("Path(%q).Contains(%q) = %t, want %t", p, other, got, want)
			}
		}
	}
}

func TestNamesRunFromTheRootDown(t *testing.T) {
	for _, test := range canonicalPaths {
		if diff := cmp.Diff(test.names, slices.Collect(treelock.Path(test.path).Names())); diff != "" {
			t.Errorf("Path(%q).Names(): -want +got:\n%s", test.path, diff)
		}
	}
}

// TestNamesOfAnyPathStandAsInIt: a program may convert any string to a Path.
func TestNamesOfAnyPathStandAsInIt(t *testing.T) {
	for path, want := range map[treelock.Path][]string{
		"": nil, "a": {"a"}, "//a": {"", "a"}, "/a/": {"a", ""}, "/a//b": {"a", "", "b"}, "//": {"", ""},
	} {
		if diff := cmp.Diff(want, slices.Collect(path.Names())); diff != "" {
			t.Errorf("Path(%q).Names(): -want +got:\n%s", path, diff)
		}
	}
}

func TestNamesStopWhenTold(t *testing.T) {
	for _, p := range []treelock.Path{"/", "/a", "/a/b"} {
		seen := 0
		for range p.Names() {
			seen++
			break
		}
		if want := min(1, len(p)-1); seen != want {
			t.Errorf("Path(%q).Names() gave %d names before the break, want %d", p, seen, want)
		}
	}
}

// TestLineageOfAnyPathEnds matters because nothing keeps a program from converting any string to a
// Path.
func TestLineageOfAnyPathEnds(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	all := []string{"", "/", "//", "///", "a", "a/", "/a/", "a//b", "..", "/../.."}
	for range 5_000 {
		all = append(all, randomString(rng, 12))
	}
	for _, s := range all {
		if got := len(lineage(treelock.Path(s))); got > len(s)+1 {
			t.Fatalf("the lineage of Path(%q) has %d nodes, want %d at most", s, got, len(s)+1)
		}
		if got := len(slices.Collect(treelock.Path(s).Names())); got > len(s)+1 {
			t.Fatalf("Path(%q).Names() gave %d names, want %d at most", s, got, len(s)+1)
		}
		_, _ = treelock.Path(s).Unescape() // no panic
	}
}

// lineage returns p and its ancestors, or a few more than p can have if there is no end of them.
func lineage(p treelock.Path) (nodes []treelock.Path) {
	limit := len(p) + 2
	for node, ok := p, true; ok && len(nodes) < limit; node, ok = node.Parent() {
		nodes = append(nodes, node)
	}
	return nodes
}

// randomString returns up to n bytes of those that mean something in a path or have been trouble in
// one.
func randomString(rng *rand.Rand, n int) string {
	const alphabet = "///..%%a25EFef\x00\n\xff"
	b := make([]byte, rng.IntN(n+1))
	for i := range b {
		b[i] = alphabet[rng.IntN(len(alphabet))]
	}
	return string(b)
}
