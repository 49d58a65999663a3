package fuzz_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/treelock/treelock"
)

// A boxNode has fields that are named in its text, one of them of any type.
type boxNode struct {
	a, b string
	any  any
}

func (boxNode) Parent() (boxNode, bool) { return boxNode{}, false }

// boxed returns s as a value of one of some types.
func boxed(s string, kind uint8) any {
	switch kind % 8 {
	case 0:
		return nil
	case 1:
		return s
	case 2:
		return keyNode(s)
	case 3:
		return len(s)
	case 4:
		return intNode(len(s))
	case 5:
		return [1]string{s}
	case 6:
		return [1]any{s}
	default:
		return boxNode{a: s}
	}
}

// longestExact bounds the strings of which a text shows all: a node has three.
const longestExact = 15

// FuzzNodeText takes two nodes and two requests, and checks that they have the same text only if
// they are equal. What a text of hostile names says must not depend on the names.
func FuzzNodeText(f *testing.F) {
	for _, pair := range [][2][]string{
		{{"a, read b"}, {"a", "b"}}, {{"a and 5 more"}, {"a"}}, {{""}, {" "}}, {{`"a"`}, {"a"}},
		{{"a b", "c"}, {"a", "b c"}}, {{"<nil>"}, {""}}, {{"a} {b"}, {"a", "b"}}, {{"..."}, {"\xff"}},
		{{"a,", "b"}, {"a", ",b"}}, {{"\u2028"}, {`\u2028`}}, {{"int(3)"}, {"3"}}, {{"(", ")"}, {"()"}},
	} {
		for kind := range uint8(8) {
			f.Add(listOf(pair[0]), listOf(pair[1]), kind, kind+1)
		}
	}
	f.Add(strings.Repeat("\x00", 1<<17), "", uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, s, other string, kind, otherKind uint8) {
		first, second := nameList(short(s)), nameList(short(other))
		requests := [2]treelock.Request[keyNode]{requestFor(first, kind), requestFor(second, otherKind)}
		a, b := lineOf(t, requests[0].String()), lineOf(t, requests[1].String())
		if whole(first) && whole(second) && (a == b) != equalClaims(requests[0], requests[1]) {
			t.Errorf("requests for %q (%d) and %q (%d) are named %s and %s", first, kind, second, otherKind, a, b)
		}
		x, y := boxOf(first, kind), boxOf(second, otherKind)
		a, b = lineOf(t, treelock.Claim[boxNode]{Node: x}.String()), lineOf(t, treelock.Claim[boxNode]{Node: y}.String())
		if whole(first) && whole(second) && (a == b) != (x == y) {
			t.Errorf("claims of %#v and %#v are named %s and %s", x, y, a, b)
		}
	})
}

// requestFor returns a request for names. The bits of verbs say what each is to be locked for.
func requestFor(names []string, verbs uint8) (req treelock.Request[keyNode]) {
	for i, name := range names {
		if verbs>>(i%8)&1 == 0 {
			req = req.Read(keyNode(name))
		} else {
			req = req.WriteNode(keyNode(name))
		}
	}
	return req
}

// boxOf returns a node that holds the first three of names.
func boxOf(names []string, kind uint8) boxNode {
	names = append(names, "", "", "")
	return boxNode{names[0], names[1], boxed(names[2], kind)}
}

// whole reports whether texts of names show all of them.
func whole(names []string) bool {
	for _, name := range names {
		if len(name) > longestExact {
			return false
		}
	}
	return len(names) <= 8
}

// lineOf returns text, which must be one line of bounded length.
func lineOf(t *testing.T, text string) string {
	const longest = 8 * 1000
	if strings.ContainsAny(text, "\n\r\x00\u2028\u202e\ufeff") || !utf8.ValidString(text) || len(text) > longest {
		t.Errorf("a text is %q (%d bytes), want one line of UTF-8 and at most %d bytes", text, len(text), longest)
	}
	return text
}

func equalClaims(a, b treelock.Request[keyNode]) bool {
	if a.Len() != b.Len() {
		return false
	}
	for i := range a.Len() {
		if a.Claim(i) != b.Claim(i) {
			return false
		}
	}
	return true
}
