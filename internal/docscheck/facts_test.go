package docscheck

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// What README and docs say in figures is in the code, word by word. If a test fails, change both.
func TestFactsAreThoseOfTheCode(t *testing.T) {
	for _, fact := range []struct{ document, words, file, code string }{
		{"docs/limits.md", "| claims of a request | 65,536 | `WithMaxClaims` | `ErrTooWide` |", "manager/options.go", "defaultClaims = 1 << 16"},
		{"docs/limits.md", "| bytes of a path | 65,536 | `WithMaxPath` | `ErrTooLong` |", "manager/options.go", "defaultPath = 64 << 10"},
		{"docs/limits.md", "| a node and its ancestors | 4,096 | `WithMaxDepth` | `ErrTooDeep` |", "manager/options.go", "defaultDepth = 4096"},
		{"docs/limits.md", "names 4 blockers", "manager/options.go", "defaultBlockers = 4"},
		{"docs/limits.md", "(`WithBlockers`: at most 64)", "manager/options.go", "maxBlockers = 64"},
		{"docs/limits.md", "at most 64 that wait for a node in one mode, and 64 that claim it in one mode", "internal/locktable/blockers.go", "maxHere = 64"},
		{"docs/limits.md", "until 1,024 are found", "internal/locktable/blockers.go", "maxBelow = 1024"},
		{"docs/limits.md", "or 16,384 nodes and claims are visited", "internal/locktable/blockers.go", "maxVisits = 16_384"},
		{"docs/limits.md", "| requests that wait | none | `WithMaxWaiting` | `ErrBusy` |", "manager/options.go", "maxWaiting: -1"},
		{"README.md", "needs Go 1.25", "go.mod", "go 1.25.0"},
		{"README.md", "need Go 1.26", "manager/metrics/go.mod", "go 1.26.0"},
		{"README.md", "need Go 1.26", "go.work", "go 1.26.0"},
		{"docs/figures.md", "up to four claims", "request.go", "fewClaims = 4"},
		{"docs/figures.md", "at most 4,096", "manager/options.go", "defaultIdle = 4096"},
		{"docs/figures.md", "longer than 256 bytes", "internal/locktable/longnames.go", "maxShort = 256"},
	} {
		if !strings.Contains(plain(read(t, fact.document)), fact.words) {
			t.Errorf("%s does not say %q, but %s has %q", fact.document, fact.words, fact.file, fact.code)
		}
		if !strings.Contains(plain(read(t, fact.file)), fact.code) {
			t.Errorf("%s says %q, but %s does not have %q", fact.document, fact.words, fact.file, fact.code)
		}
	}
}

// plain returns text with each run of white space as one space.
func plain(text string) string { return strings.Join(strings.Fields(text), " ") }

// The model of the protocol has what its README says where.
func TestPropertiesOfTheProtocolAreInTheModel(t *testing.T) {
	model := read(t, "fuzz/protocol/protocol.pml")
	rows := regexp.MustCompile(`(?m)^\| P\d+ \| .* \| (.*) \|$`).FindAllStringSubmatch(read(t, "fuzz/protocol/README.md"), -1)
	for _, row := range rows {
		for _, name := range spans.FindAllString(strings.ReplaceAll(row[1], "`ends…`", ""), -1) {
			if !regexp.MustCompile(`\b` + strings.Trim(name, "`") + `\b`).MatchString(model) {
				t.Errorf("the model has no %s: %s", name, row[0])
			}
		}
	}
	if len(rows) != 22 {
		t.Errorf("%d properties, want 22", len(rows))
	}
}

var (
	invariant = regexp.MustCompile(`\b(I\d+)  |\*\*(I\d+)\*\*`)
	command   = regexp.MustCompile("\\bgo (test|run) [^`\n]*")
	folder    = regexp.MustCompile(` \./([\w/]*)(\.\.\.)?`)
	selected  = regexp.MustCompile(` -(?:bench|fuzz|run) '?(\w+)`)
)

func TestInvariantsOfContributingAreThoseOfTheLockTable(t *testing.T) {
	numbers := func(name string) (found string) {
		for _, match := range invariant.FindAllStringSubmatch(read(t, name), -1) {
			found += match[1] + match[2] + " "
		}
		return found
	}
	got, want := numbers("CONTRIBUTING.md"), numbers("internal/locktable/doc.go")
	if got != want || want == "" {
		t.Errorf("CONTRIBUTING.md has the invariants %s, want %s", got, want)
	}
}

// Every command that Markdown tells to run has its folders, and the tests that it selects.
func TestCommandsNameWhatIsThere(t *testing.T) {
	found := 0
	files(t, ".md", func(_, name string, text []byte) {
		for _, line := range command.FindAllString(string(text), -1) {
			var declared strings.Builder
			for _, match := range folder.FindAllStringSubmatch(line, -1) {
				files(t, "_test.go", func(dir, _ string, text []byte) {
					if dir == match[1] || match[2] != "" && strings.HasPrefix(dir+"/", match[1]) {
						declared.Write(text)
					}
				})
				if _, err := os.Stat(filepath.Join(root, path.Clean("/"+match[1]))); err != nil {
					t.Errorf("%s: %s: %v", name, line, err)
				}
			}
			for _, match := range selected.FindAllStringSubmatch(line, -1) {
				found++
				if !regexp.MustCompile(`\nfunc (Test|Benchmark|Fuzz)?\w*` + match[1]).MatchString(declared.String()) {
					t.Errorf("%s: %s: there is no %s", name, line, match[1])
				}
			}
		}
	})
	if found == 0 {
		t.Error("no command selects a test")
	}
}

var exampleRow = regexp.MustCompile("(?m)^\\| .* \\| (`Example.*) in \\[.*\\]\\(\\.\\./(.*)\\) \\|$")

// docs/recipes.md names examples that are there, and have output that the tests compare.
func TestRecipesNameExamples(t *testing.T) {
	rows := exampleRow.FindAllStringSubmatch(read(t, "docs/recipes.md"), -1)
	for _, row := range rows {
		for _, name := range spans.FindAllString(row[1], -1) {
			name = strings.Trim(name, "`")
			_, code, found := strings.Cut(read(t, row[2]), "\nfunc "+name+"() {\n")
			if code, _, _ = strings.Cut(code, "\n}\n"); !found || !strings.Contains(code, "// Output:") {
				t.Errorf("%s has no %s, or it has no output", row[2], name)
			}
		}
	}
	if len(rows) < 12 {
		t.Errorf("%d recipes name examples, want at least 12", len(rows))
	}
}

// docs/limits.md says how many blockers an error counts.
func TestErrorsCountBlockersUpToTheLimits(t *testing.T) {
	m := manager.Start(t.Context(), manager.WithBlockers(64))
	hold := func(req treelock.Request[treelock.Path]) {
		if _, err := m.TryAcquire(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		if _, err := m.Submit(t.Context(), treelock.Write("/waiting")); err != nil {
			t.Fatal(err)
		}
		hold(treelock.Read("/claiming"))
		hold(treelock.Read("/modes"))
		hold(treelock.ReadNode("/modes"))
		hold(treelock.Read(treelock.PathOf("few", fmt.Sprint(i))))
	}
	for i := range 1100 {
		hold(treelock.Read(treelock.PathOf("many", fmt.Sprint(i))))
	}
	for node, want := range map[treelock.Path]struct {
		counted int
		atLeast bool
	}{
		"/waiting":  {1 + 64, true}, // one holds
		"/claiming": {64, true},
		"/modes":    {2 * 64, true},
		"/few":      {100, false},
		"/many":     {1024, true},
	} {
		_, err := m.TryAcquire(t.Context(), treelock.Write(node))
		var blocked *treelock.BlockedError[treelock.Path]
		if !errors.As(err, &blocked) {
			t.Fatalf("TryAcquire(write %s) = %v, want a BlockedError", node, err)
		}
		if got := len(blocked.Blockers) + blocked.More; got != want.counted || blocked.AtLeast != want.atLeast {
			t.Errorf("write %s: %d blockers, more: %t, want %d, %t", node, got, blocked.AtLeast, want.counted, want.atLeast)
		}
	}
}
