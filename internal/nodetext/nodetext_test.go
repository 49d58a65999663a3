package nodetext_test

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/treelock/treelock/internal/nodetext"
)

type (
	folder struct{ files map[string]int }
	key    string
	level  int
	id     struct {
		tenant int
		name   string
		parent *folder
		any    any
	}
	named     struct{ name string }
	marshaler struct{ name string }
	broken    struct{ name string }
	inside    [1]named

	fieldsWithMethods struct {
		b broken
		d described
	}

	described  string
	weekday    int
	unreadable [1 << 16]bool
)

func (n *named) String() string { return "named " + n.name }
func (m marshaler) MarshalText() ([]byte, error) {
	if m.name == "" {
		return nil, errors.New("no name")
	}
	return []byte(m.name), nil
}
func (weekday) MarshalText() ([]byte, error) { return []byte("some day"), nil }
func (broken) String() string                { panic("no") }
func (d described) String() string           { return "described " + string(d) }

// A row is a node with its texts by Of and Plain, and the texts that it should have.
type row struct {
	node        any
	of, plain   string
	noMethods   bool
	want        string
	wantPlain   string // "-" for any
	wantMethods bool
}

// plainly returns the row of a node whose text needs no user code.
func plainly[N any](node N, want string) row {
	r := row{node: node, of: nodetext.Of(node), want: want, wantPlain: want}
	r.plain, r.noMethods = nodetext.Plain(node)
	return r
}

// byMethod returns the row of a node whose text comes from a method.
func byMethod[N any](node N, want, plain string) row {
	r := plainly(node, want)
	r.wantPlain, r.wantMethods = plain, true
	return r
}

func TestNodesAreNamedByValueByMethodOrByTypeAndAddress(t *testing.T) {
	f, n := &folder{map[string]int{"a": 1}}, &named{"x"}
	channel := make(chan int)
	for _, r := range []row{
		plainly("/a/b", "/a/b"),
		plainly(key("/a b"), "/a b"),
		plainly(key("/a\nb"), `"/a\nb"`),
		plainly(key("/caf\xe9"), `"/caf\xe9"`),
		plainly(key("/caf\ufffd"), "/caf\ufffd"),
		plainly(key(`"/a"`), `"\"/a\""`),
		plainly(key("/\u202egpj.exe"), `"/\u202egpj.exe"`),
		plainly(level(-7), "-7"),
		plainly(uint8(7), "7"),
		plainly(1.5, "1.5"),
		plainly(float32(0.1), "0.1"),
		plainly(true, "true"),
		plainly(complex(1, 2), "(1+2i)"),
		plainly(f, fmt.Sprintf("*nodetext_test.folder(%p)", f)),
		plainly((*folder)(nil), "*nodetext_test.folder(nil)"),
		plainly(channel, fmt.Sprintf("chan int(%p)", channel)),
		plainly(id{7, "x", f, 8}, fmt.Sprintf("{7 x *nodetext_test.folder(%p) int(8)}", f)),
		plainly(id{7, "x y", nil, n}, fmt.Sprintf(`{7 "x y" *nodetext_test.folder(nil) *nodetext_test.named(%p)}`, n)),
		plainly([2]string{"", "b"}, `["" b]`),
		plainly(inside{}, `[{""}]`),
		plainly(fieldsWithMethods{broken{"b"}, "d"}, "{{b} d}"),
		plainly([4]string{"<nil>", "f(1)", "{}", "[]"}, `["<nil>" "f(1)" "{}" "[]"]`),
		byMethod(n, "named x", fmt.Sprintf("*nodetext_test.named(%p)", n)),
		byMethod((*named)(nil), "*nodetext_test.named(nil) (String panicked)", "*nodetext_test.named(nil)"),
		byMethod(broken{"b"}, "{b} (String panicked)", "{b}"),
		byMethod(marshaler{"m"}, "m", "{m}"),
		byMethod(marshaler{}, `{""} (MarshalText failed)`, `{""}`),
		byMethod((*marshaler)(nil), "*nodetext_test.marshaler(nil) (MarshalText panicked)", "*nodetext_test.marshaler(nil)"),
		byMethod(described("d\n"), `"described d\n"`, `"d\n"`),
		byMethod(netip.MustParseAddr("10.0.0.1"), "10.0.0.1", "-"),
		plainly[any](nil, "<nil>"),
		plainly[any](7, "int(7)"),
		plainly[any](level(7), "nodetext_test.level(7)"),
		plainly(weekday(1), "1"),
		plainly[any](weekday(1), "nodetext_test.weekday(1)"),
		plainly[any](key("7"), "nodetext_test.key(7)"),
		plainly[any](key("7) (8"), `nodetext_test.key("7) (8")`),
		plainly[any](inside{}, `nodetext_test.inside[{""}]`),
		plainly[any](id{}, `nodetext_test.id{0 "" *nodetext_test.folder(nil) <nil>}`),
		plainly[any](f, fmt.Sprintf("*nodetext_test.folder(%p)", f)),
		byMethod[any](n, "named x", fmt.Sprintf("*nodetext_test.named(%p)", n)),
		byMethod[any](marshaler{"m"}, "m", "nodetext_test.marshaler{m}"),
	} {
		if r.of != r.want {
			t.Errorf("Of(%T) = %s, want %s", r.node, r.of, r.want)
		}
		if r.noMethods == r.wantMethods || r.wantPlain != "-" && r.plain != r.wantPlain {
			t.Errorf("Plain(%T) = %s, %t, want %s, %t", r.node, r.plain, r.noMethods, r.wantPlain, !r.wantMethods)
		}
	}
}

func TestTextsAreOneLineOfBoundedLength(t *testing.T) {
	for name, node := range map[string]any{
		"a long string":      strings.Repeat("a", 1<<20),
		"many line breaks":   key(strings.Repeat("\n", 1<<20)),
		"no UTF-8":           strings.Repeat("\x80", 1<<20),
		"long characters":    strings.Repeat("世", 1<<18),
		"a long description": described(strings.Repeat("\U000e0001", 1<<18)),
		"a large array":      unreadable{},
		"strings in fields":  [3]string{strings.Repeat("\n", 1<<20), strings.Repeat("世", 1<<18)},
	} {
		text := nodetext.Of(node)
		if len(text) > 4*nodetext.Longest+10 || strings.Contains(text, "\n") || !utf8.ValidString(text) || !strings.Contains(text, "...") {
			t.Errorf("%s: Of() = %q of %d bytes, want one line of UTF-8, at most %d bytes with ...", name, text, len(text), 4*nodetext.Longest+10)
		}
	}
}

// Parts that are cut need no quotes.
func TestLongTextsShowBothEnds(t *testing.T) {
	const head, tail = nodetext.Longest * 3 / 4, nodetext.Longest / 4
	for _, s := range []string{
		"/begin" + strings.Repeat("/x", 1000) + "/end",
		strings.Repeat("a", 500) + "\n" + strings.Repeat("b", 500),
	} {
		if got, want := nodetext.Of(s), s[:head]+"..."+s[len(s)-tail:]; got != want {
			t.Errorf("Of(%.20s...) = %s, want %s", s, got, want)
		}
	}
}

func TestLargeArraysAreNotReadToTheirEnds(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	nodetext.Of([1 << 20]struct{}{})
	runtime.ReadMemStats(&after)
	if made := after.TotalAlloc - before.TotalAlloc; made > 1<<20 {
		t.Errorf("Of(an array) allocates %d bytes, want far less than a byte for each element", made)
	}
}

func TestSentencesAreEscapedWithoutQuotes(t *testing.T) {
	for s, want := range map[string]string{
		"":                        "",
		`a "quoted" \ one`:        `a "quoted" \ one`,
		"two\nlines, \"one\" \\ ": `two\nlines, "one" \ `,
		"\x80\u202e\ufffd":        `\x80\u202e` + "\ufffd",
	} {
		if got := nodetext.Escaped(s, 100); got != want {
			t.Errorf("Escaped(%q) = %s, want %s", s, got, want)
		}
	}
	if got, want := nodetext.Escaped(strings.Repeat("\n", 500), 8), `\n\n\n\n\n\n...\n\n`; got != want {
		t.Errorf("Escaped(500 line breaks) = %s, want %s", got, want)
	}
}
