// Package paths turns the arguments of the command into requests.
//
// An argument is the name of a file or folder, relative to the working directory, and must lie in
// the root folder. Its path in the tree is its name relative to the root, so it is the same in
// every clone of a repository. A glob becomes the smallest subtree that contains all that it
// matches.
//
// Symbolic links that lead to the root, or into it from outside, are followed, and so are those
// that led to the working directory. Links inside the root are not: the argument names the link.
package paths

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/treelock/treelock"
)

// MaxName is how many bytes the name of a file may have. Most systems allow less. To follow links
// takes a time that grows with the square of that.
const MaxName = 1 << 16

// A Parser turns arguments into paths.
type Parser struct {
	Root    string // absolute
	Raw     bool   // arguments are paths of the tree
	Literal bool   // no argument is a glob, and no backslash takes a meaning away
}

// Args are what a command line asks for.
type Args struct{ Read, Write, ReadNode, WriteNode []string }

// A Claimed says what an argument became.
type Claimed struct {
	Arg   string
	Claim treelock.Claim[treelock.Path]
}

// Request returns the request of args, and what each argument became. A glob among the nodes is an
// error: what it matches is no node.
func (p Parser) Request(args Args) (req treelock.Request[treelock.Path], all []Claimed, err error) {
	add := func(names []string, scope treelock.Scope, access treelock.Access) error {
		for _, name := range names {
			node, glob, err := p.path(name)
			if err == nil && glob && scope == treelock.NodeOnly {
				err = fmt.Errorf("%s is a glob, and a node has one name", name)
			}
			if err != nil {
				return err
			}
			all = append(all, Claimed{name, treelock.Claim[treelock.Path]{Scope: scope, Access: access, Node: node}})
		}
		return nil
	}
	for _, part := range []struct {
		names  []string
		scope  treelock.Scope
		access treelock.Access
	}{
		{args.Read, treelock.Subtree, treelock.Shared}, {args.Write, treelock.Subtree, treelock.Exclusive},
		{args.ReadNode, treelock.NodeOnly, treelock.Shared}, {args.WriteNode, treelock.NodeOnly, treelock.Exclusive},
	} {
		if err := add(part.names, part.scope, part.access); err != nil {
			return req, nil, err
		}
	}
	var claims []treelock.Claim[treelock.Path]
	for _, c := range all {
		claims = append(claims, c.Claim)
	}
	return req.With(claims...), all, nil
}

// Path returns the path of an argument. For a glob that is the subtree that contains all that it
// matches.
func (p Parser) Path(name string) (treelock.Path, error) {
	path, _, err := p.path(name)
	return path, err
}

// path is Path, and reports whether the argument is a glob.
func (p Parser) path(name string) (path treelock.Path, glob bool, err error) {
	if p.Raw {
		path, err = treelock.ParsePath(name)
		return path, false, err
	}
	absolute, err := absolute(name)
	if err != nil {
		return "", false, err
	}
	if !p.Literal {
		absolute, glob, err = cutGlob(absolute)
	}
	if err != nil {
		return "", false, fmt.Errorf("%s: %w", name, err)
	}
	root, err := filepath.EvalSymlinks(p.Root)
	if err != nil {
		return "", false, fmt.Errorf("the root folder %s: %w", p.Root, errors.Unwrap(err))
	}
	inside, err := below(root, absolute)
	if err != nil {
		return "", false, fmt.Errorf("%s is not in the root folder %s", name, p.Root)
	}
	path, err = pathOf(root, inside)
	return path, glob, err
}

// absolute returns the absolute name of an argument. A relative one begins at the folder that the
// system takes for the working directory, and not at the link by which a shell came to it: so ".."
// means what it means to all other programs.
func absolute(name string) (string, error) {
	switch {
	case name == "":
		return "", errors.New("the name of a file is empty")
	case len(name) > MaxName:
		return "", fmt.Errorf("the name %.40q of a file has %d bytes, and at most %d are allowed", name, len(name), MaxName)
	}
	if filepath.IsAbs(name) {
		return filepath.Clean(name), nil
	}
	dir, err := os.Getwd()
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return "", fmt.Errorf("%s: find the working directory: %w", name, err)
	}
	if filepath.VolumeName(name) != "" || os.IsPathSeparator(name[0]) { // C:x or \x, on Windows
		return filepath.Abs(name)
	}
	return filepath.Join(dir, name), nil
}

// errOutside says that a name is not in the root folder.
var errOutside = errors.New("outside")

// below returns the absolute name in the resolved root that means the same file as name. Of the
// links in name it follows those by which it comes into the root, and no others.
func below(root, name string) (string, error) {
	// The first parent that is in the root when it is resolved counts. What is below it need not
	// exist.
	top := len(filepath.VolumeName(name)) + 1
	for end := top; end <= len(name); end++ {
		if end > top && end < len(name) && !os.IsPathSeparator(name[end]) {
			continue
		}
		parent, err := filepath.EvalSymlinks(name[:end])
		if err != nil {
			break
		}
		if rest, ok := relative(root, parent); ok {
			return filepath.Join(root, rest, name[end:]), nil
		}
	}
	return "", errOutside
}

// relative returns name relative to a folder, if it is in that.
func relative(folder, name string) (rest string, ok bool) {
	rest, err := filepath.Rel(folder, name)
	return rest, err == nil && filepath.IsLocal(rest)
}

// pathOf returns the path of a name in the resolved root. Both have the form that
// [treelock.FilePath] gives them, so on Windows the path does not depend on the separator or on the
// form of the volume.
func pathOf(root, name string) (treelock.Path, error) {
	base, err := treelock.FilePath(root)
	if err != nil {
		return "", err
	}
	full, err := treelock.FilePath(name)
	if err != nil {
		return "", err
	}
	rest, ok := strings.CutPrefix(string(full), strings.TrimSuffix(string(base), "/"))
	switch {
	case ok && rest == "":
		return "/", nil
	case ok && rest[0] == '/':
		return treelock.ParsePath(rest)
	}
	return "", fmt.Errorf("%s is not in the root folder %s", name, root)
}
