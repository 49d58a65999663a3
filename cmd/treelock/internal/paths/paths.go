// Package paths turns the arguments of the command into requests.
//
// An argument is the name of a file or folder, relative to the working directory, and must lie in
// the root folder. Its path in the tree is its name relative to the root, so it is the same in
// every clone of a repository. A glob becomes the smallest subtree that contains all that it
// matches.
package paths

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/treelock/treelock"
)

// A Parser turns arguments into paths.
type Parser struct {
	Root string // absolute
	Raw  bool   // arguments are paths of the tree
}

// Args are what a command line asks for.
type Args struct{ Read, Write, ReadNode, WriteNode []string }

// A Claimed says what an argument became.
type Claimed struct {
	Arg   string
	Claim treelock.Claim[treelock.Path]
}

// Request returns the request of args, and what each argument became.
func (p Parser) Request(args Args) (req treelock.Request[treelock.Path], all []Claimed, err error) {
	add := func(names []string, scope treelock.Scope, access treelock.Access) error {
		for _, name := range names {
			node, err := p.path(name)
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

// path returns the path of an argument.
func (p Parser) path(name string) (treelock.Path, error) {
	if p.Raw {
		return treelock.ParsePath(name)
	}
	absolute, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	relative, err := filepath.Rel(p.Root, absolute)
	if err != nil || relative == ".." || strings.HasPrefix(relative, ".."+string(filepath.Separator)) {
		return "", fmt.Errorf("%s is not in the root folder %s", name, p.Root)
	}
	if relative == "." {
		return "/", nil
	}
	return treelock.ParsePath("/" + filepath.ToSlash(relative))
}
