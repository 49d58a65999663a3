package treelock

import (
	"iter"
	"path"
	"strings"
)

// A Path is a node of a tree of names, written as in a file system: "/" is the root, "/a/b" lies
// below "/a". It is the node type that most programs use.
//
// A path is canonical if it starts with "/", has no empty, "." or ".." name, and no trailing "/"
// (the root itself excepted). Names are otherwise any bytes. Only canonical paths name nodes:
// two spellings must never name one node, so nothing is cleaned silently, and a request with a
// path that is not canonical fails with a [*PathError]. Get one from:
//
//   - a constant such as "/docs", where the program itself chose the name;
//   - [ParsePath], which accepts exactly the canonical form;
//   - [FilePath], for names of the operating system;
//   - [CleanPath], for other names of files, with slashes;
//   - [PathOf], for names that may be any bytes, such as the keys of an object store.
type Path string

// ParsePath returns s as a path if it is canonical, and a [*PathError] that names the broken
// rule if not. It changes nothing, allocates nothing unless it fails, and takes time in
// proportion to len(s).
func ParsePath(s string) (Path, error) {
	if s == "/" {
		return Path(s), nil
	}
	if s == "" || s[0] != '/' {
		return "", &PathError{Path: s, Rule: RuleLeadingSlash}
	}
	if s[len(s)-1] == '/' {
		return "", &PathError{Path: s, Rule: RuleTrailingSlash}
	}
	name := 1 // where the latest name begins
	for i := 1; i < len(s); i++ {
		if s[i] == '/' {
			if rule := ruleOfName(s[name:i]); rule != "" {
				return "", &PathError{Path: s, Rule: rule}
			}
			name = i + 1
		}
	}
	if rule := ruleOfName(s[name:]); rule != "" {
		return "", &PathError{Path: s, Rule: rule}
	}
	return Path(s), nil
}

// ruleOfName returns the rule that a name in a path breaks, if any.
func ruleOfName(name string) PathRule {
	switch {
	case name == "":
		return RuleEmptyName
	case name[0] == '.' && (name == "." || name == ".."):
		return RuleDotName
	}
	return ""
}

// CleanPath returns the canonical path of a name in a file system: rooted, with "."
// and ".." resolved and double slashes removed, as path.Clean("/" + s) does. Every s has one.
//
// It is for names with slashes only, such as those in an archive or a URL: see [FilePath] for the
// names of the operating system. It is not for object-store keys, where "a/../b" and "b" are two
// objects: see [PathOf].
func CleanPath(s string) Path {
	return Path(path.Clean("/" + s))
}

// Parent returns the path directly above p and true, or false if p is the root. It allocates
// nothing.
func (p Path) Parent() (parent Path, ok bool) {
	if len(p) <= 1 {
		return "", false
	}
	switch i := strings.LastIndexByte(string(p), '/'); i {
	case -1:
		return "", false
	case 0:
		return "/", true
	default:
		return p[:i], true
	}
}

// Contains reports whether other is p or lies below it: whether p is one of other and its
// ancestors. It compares whole names, so "/a" does not contain "/ab". It allocates nothing, and
// costs O(len(p)).
func (p Path) Contains(other Path) bool {
	if len(other) <= len(p) {
		return other == p
	}
	return strings.HasPrefix(string(other), string(p)) && (p == "/" || p != "" && other[len(p)] == '/')
}

// Names returns an iterator over the names of p as they stand in it, from below the root down:
// "/a/b" has the names "a" and "b", the root has none. See [Path.Unescape] for the names that a
// path was built from by [PathOf].
func (p Path) Names() iter.Seq[string] {
	names := strings.TrimPrefix(string(p), "/")
	if names == "" {
		return func(func(string) bool) {}
	}
	return strings.SplitSeq(names, "/")
}
