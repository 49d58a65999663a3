package treelock

import "strings"

// emptyName stands for the empty name. No other name is escaped to it: in the escaped form of
// any other name a '%' is followed by one of the three codes below.
const emptyName = "%"

var (
	escaper   = strings.NewReplacer("%", "%25", "/", "%2F")
	unescaper = strings.NewReplacer("%25", "%", "%2F", "/", "%2E", ".")
)

// PathOf builds the path of a list of opaque names, from the root down. A name may be any bytes,
// "/", ".", ".." and the empty name included: what has a meaning in a path is escaped, so that
// different lists of names always give different paths, and a prefix of the list is always an
// ancestor. Most names stay as they are. PathOf() is the root.
//
// This is what the keys of an object store need, where "a/../b" lies below "a" and "a//b" is
// not "a/b":
//
//	PathOf(strings.Split(key, "/")...)
//
// A program should build all paths of one tree in one way. The escaped form is part of the
// contract, since two programs may have to agree on it: '%' becomes "%25", '/' becomes "%2F", the
// dots of the names "." and ".." become "%2E", and the empty name becomes "%".
func PathOf(names ...string) Path {
	if len(names) == 0 {
		return "/"
	}
	var b strings.Builder
	for _, name := range names {
		b.WriteByte('/')
		b.WriteString(escapeName(name))
	}
	return Path(b.String())
}

// Unescape is the inverse of [PathOf]: it returns the names that p was built from. It fails with a
// [*PathError] if PathOf builds no such path.
func (p Path) Unescape() ([]string, error) {
	if _, err := ParsePath(string(p)); err != nil {
		return nil, err
	}
	var names []string
	for escaped := range p.Names() {
		name := unescapeName(escaped)
		if escapeName(name) != escaped {
			return nil, &PathError{Path: string(p), Rule: RuleEscape}
		}
		names = append(names, name)
	}
	return names, nil
}

func escapeName(name string) string {
	switch name {
	case "":
		return emptyName
	case ".":
		return "%2E"
	case "..":
		return "%2E%2E"
	}
	return escaper.Replace(name)
}

func unescapeName(escaped string) string {
	if escaped == emptyName {
		return ""
	}
	return unescaper.Replace(escaped)
}
