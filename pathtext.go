package treelock

import "github.com/treelock/treelock/internal/nodetext"

// MarshalText returns the text of p in JSON, say. A path of valid UTF-8 is its own text. Any
// other is written as strconv.Quote does, which begins with a double quote. So distinct paths have
// distinct texts, and [Path.UnmarshalText] returns the same path. It never fails.
//
// Package encoding/json does not call it for the keys of a map, as it writes keys of string types
// directly: keys that are not UTF-8 come out damaged there. Use a map of texts.
func (p Path) MarshalText() ([]byte, error) { return []byte(nodetext.Valid(string(p))), nil }

// UnmarshalText sets p to the path whose [Path.MarshalText] returned text. It accepts only the
// texts of canonical paths, each in that one form. For any other it fails with a [*PathError], and
// p stays as it is.
func (p *Path) UnmarshalText(text []byte) error {
	s, ok := nodetext.FromValid(string(text))
	if !ok {
		rule := RuleText
		if _, err := ParsePath(string(text)); err != nil && (len(text) == 0 || text[0] != '"') {
			rule = err.(*PathError).Rule
		}
		return &PathError{Path: string(text), Rule: rule}
	}
	path, err := ParsePath(s)
	if err == nil {
		*p = path
	}
	return err
}
