package page

import (
	"encoding"
	"fmt"
	"reflect"
	"unicode/utf8"

	"github.com/treelock/treelock/internal/nodetext"
)

const (
	maxShort = 160  // bytes of a name that are shown
	maxFull  = 1000 // bytes of a name in its tooltip, and in JSON
)

// A text is the text of a node or a label, with nothing escaped yet.
type text struct {
	kept string // the text, or its two ends if it has more than maxFull bytes
	size int    // the bytes of the whole text
}

func newText(s string) text { return text{clip(s, len(s), maxFull), len(s)} }

// textOf returns the text of a node, by the rules of package nodetext. It runs the node's String or
// MarshalText, and reads no memory that the node points to, since that belongs to the holder of the
// node. If the method panics, as it often does for a nil pointer, the text says so.
func textOf[N any](node N) (t text) {
	defer func() {
		if recover() != nil {
			t = newText(nodetext.Of(node))
		}
	}()
	if s, ok := any(node).(fmt.Stringer); ok {
		return newText(s.String())
	}
	if v := reflect.ValueOf(&node).Elem(); v.Kind() == reflect.String {
		return newText(v.String())
	}
	if m, ok := any(node).(encoding.TextMarshaler); ok {
		if s, err := m.MarshalText(); err == nil {
			return newText(string(s))
		}
	}
	return newText(nodetext.Of(node))
}

// clip returns s or, if size is more than limit, its two ends: the end says most about a path. The
// size is the length of s before an earlier clip.
func clip(s string, size, limit int) string {
	if size <= limit {
		return s
	}
	head, tail := limit/2, len(s)-limit/2
	for head > limit/2-utf8.UTFMax && !utf8.RuneStart(s[head]) {
		head--
	}
	for tail < len(s)-limit/2+utf8.UTFMax && tail < len(s) && !utf8.RuneStart(s[tail]) {
		tail++
	}
	return fmt.Sprintf("%s … (%s bytes) … %s", s[:head], number(size), s[tail:])
}

// A name is a node or a label in printable form.
type name struct {
	Short string
	Full  string // "" if Short is the whole name
}

// name returns the name of a node.
func (t text) name() name {
	if t.size <= maxShort {
		return name{Short: printable(t.kept)}
	}
	return name{Short: printable(clip(t.kept, t.size, maxShort)), Full: printable(t.kept)}
}

// nameOf returns the name of an optional text, such as a label.
func nameOf(s string) name {
	if s == "" {
		return name{}
	}
	return newText(s).name()
}

// printable returns s, quoted as in Go if it is empty or a part of it does not print. Distinct
// strings have distinct results.
func printable(s string) string { return nodetext.Line(s, len(s)) }
