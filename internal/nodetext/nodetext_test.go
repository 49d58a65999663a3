package nodetext_test

import (
	"errors"
	"fmt"
	"net/netip"
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
	named      struct{ name string }
	marshaler  struct{ name string }
	broken     struct{ name string }
	inside     [1]named
	described  string
	unreadable [1 << 16]bool
)

func (n *named) String() string { return "named " + n.name }
func (m marshaler) MarshalText() ([]byte, error) {
	if m.name == "" {
		return nil, errors.New("no name")
	}
	return []byte(m.name), nil
}
func (broken) String() string      { panic("no") }
func (d described) String() string { return "described " + string(d) }

func TestNodesAreNamedByValueByMethodOrByTypeAndAddress(t *testing.T) {
	f, n := &folder{map[string]int{"a": 1}}, &named{"x"}
	channel := make(chan int)
	for _, test := range []struct {
		node  any
		want  string
		plain string // "": as want, and no code of the user's would have to run
	}{
		{node: "/a/b", want: "/a/b"},
		{node: key("/a b"), want: "/a b"},
		{node: key("/a\nb"), want: `"/a\nb"`},
		{node: key("/caf\xe9"), want: `"/caf\xe9"`},
		{node: key("/caf\ufffd"), want: "/caf\ufffd"},
		{node: key(`"/a"`), want: `"\"/a\""`},
		{node: key("/\u202egpj.exe"), want: `"/\u202egpj.exe"`},
		{node: level(-7), want: "-7"},
		{node: uint8(7), want: "7"},
		{node: 1.5, want: "1.5"},
		{node: float32(0.1), want: "0.1"},
		{node: true, want: "true"},
		{node: complex(1, 2), want: "(1+2i)"},
		{node: nil, want: "<nil>"},
		{node: f, want: fmt.Sprintf("*nodetext_test.folder(%p)", f)},
		{node: (*folder)(nil), want: "*nodetext_test.folder(nil)"},
		{node: channel, want: fmt.Sprintf("chan int(%p)", channel)},
		{node: id{7, "x", f, 8}, want: fmt.Sprintf("{7 x *nodetext_test.folder(%p) 8}", f)},
		{node: id{7, "x y", nil, n}, want: fmt.Sprintf(`{7 "x y" *nodetext_test.folder(nil) *nodetext_test.named(%p)}`, n)},
		{node: [2]string{"", "b"}, want: `["" b]`},
		{node: inside{}, want: `[{""}]`},
		{node: n, want: "named x", plain: fmt.Sprintf("*nodetext_test.named(%p)", n)},
		{node: (*named)(nil), want: "*nodetext_test.named(nil) (String panicked)", plain: "*nodetext_test.named(nil)"},
		{node: broken{"b"}, want: "{b} (String panicked)", plain: "{b}"},
		{node: marshaler{"m"}, want: "m", plain: "{m}"},
		{node: marshaler{}, want: `{""} (MarshalText failed)`, plain: `{""}`},
		{node: (*marshaler)(nil), want: "*nodetext_test.marshaler(nil) (MarshalText panicked)", plain: "*nodetext_test.marshaler(nil)"},
		{node: described("d\n"), want: `"described d\n"`, plain: `"d\n"`},
		{node: netip.MustParseAddr("10.0.0.1"), want: "10.0.0.1", plain: "-"},
	} {
		if got := nodetext.Of(test.node); got != test.want {
			t.Errorf("Of(%T) = %s, want %s", test.node, got, test.want)
		}
		got, ok := nodetext.Plain(test.node)
		if test.plain == "" && (got != test.want || !ok) || test.plain != "" && ok || len(test.plain) > 1 && got != test.plain {
			t.Errorf("Plain(%T) = %s, %t, want %s", test.node, got, ok, test.plain)
		}
	}
}

// A field may be of a type with methods. They are not called, and a pointer in a field is not followed.
func TestFieldsAreReadWithoutTheirMethods(t *testing.T) {
	node := struct {
		b broken
		d described
	}{broken{"b"}, "d"}
	if got, want := nodetext.Of(node), "{{b} d}"; got != want {
		t.Errorf("Of() = %s, want %s", got, want)
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

func TestLongTextsShowBothEnds(t *testing.T) {
	deep := "/begin" + strings.Repeat("/x", 1000) + "/end"
	if got := nodetext.Of(deep); !strings.HasPrefix(got, "/begin/x") || !strings.HasSuffix(got, "/x/end") || len(got) > nodetext.Longest+3 {
		t.Errorf("Of(a long path) = %s, want both its ends", got)
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
