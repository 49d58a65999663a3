package fuzz_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/treelock/treelock"
)

// FuzzPathText takes two strings, as paths and as texts of paths.
func FuzzPathText(f *testing.F) {
	for _, s := range []string{
		"/", "/a/b", "/ä/世界", "/a\nb", `/"a"`, "/\ufffd", "/\xff", "/caf\xe9", "/caf\xe8",
		"/\xff\"\\\n", // canonical
		"", "a", "/a/", `"/a"`, `"/\xff"`, `"/\377"`, `"/\xff/"`, `"\"/\\xff\""`, `"`,
		"`/\xff`", // and not
	} {
		f.Add(s, "/caf\xe9")
	}
	f.Fuzz(func(t *testing.T, s, other string) {
		checkText(t, s)
		checkUnmarshal(t, s)
		if a, b := textOf(t, s), textOf(t, other); (a == b) != (s == other) {
			t.Errorf("the texts of %q and %q are %s and %s", s, other, a, b)
		}
		if a, b := pathJSON(t, s), pathJSON(t, other); (a == b) != (s == other) {
			t.Errorf("%q and %q are %s and %s in JSON", s, other, a, b)
		}
	})
}

// textOf returns the text of s, which need not be canonical.
func textOf(t *testing.T, s string) string {
	text, err := treelock.Path(s).MarshalText()
	if err != nil {
		t.Fatalf("Path(%q).MarshalText() = %v", s, err)
	}
	return string(text)
}

func pathJSON(t *testing.T, s string) string {
	return claimJSON(t, treelock.Claim[path]{Node: path(s)})
}

// checkText checks the text of s, and that claims of a canonical s come back from JSON and are
// named in one line.
func checkText(t *testing.T, s string) {
	req := treelock.Write(treelock.Path(s))
	if name := req.String(); strings.ContainsAny(name, "\n\r\u2028\u202e") || !utf8.ValidString(name) {
		t.Errorf("a request for %q is named %q", s, name)
	}
	text := textOf(t, s)
	if !utf8.ValidString(text) {
		t.Errorf("the text of %q is %q, want UTF-8", s, text)
	}
	if _, err := treelock.ParsePath(s); err != nil {
		return
	}
	if utf8.ValidString(s) && text != s {
		t.Errorf("the text of %q is %q, want the path", s, text)
	}
	var again treelock.Path
	if err := again.UnmarshalText([]byte(text)); err != nil || again != treelock.Path(s) {
		t.Errorf("UnmarshalText(%q) = %q, %v, want %q", text, again, err, s)
	}
	var claim treelock.Claim[treelock.Path]
	if err := json.Unmarshal([]byte(pathJSON(t, s)), &claim); err != nil || claim.Node != treelock.Path(s) {
		t.Errorf("%q comes back from JSON as %q, %v", s, claim.Node, err)
	}
}

// checkUnmarshal checks that s is refused unless it is the one text of a canonical path.
func checkUnmarshal(t *testing.T, s string) {
	var p treelock.Path
	err := p.UnmarshalText([]byte(s))
	if err == nil {
		if _, bad := treelock.ParsePath(string(p)); bad != nil || textOf(t, string(p)) != s {
			t.Errorf("UnmarshalText(%q) = %q, which has the text %q, and %v", s, p, textOf(t, string(p)), bad)
		}
		return
	}
	if refusal := (*treelock.PathError)(nil); !errors.As(err, &refusal) || p != "" {
		t.Errorf("UnmarshalText(%q) = %q, %v, want no path and a PathError", s, p, err)
	}
}
