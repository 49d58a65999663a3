package job

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"

	"github.com/treelock/treelock/examples/objectfs/folder"
)

// largest is the most files that one folder of the job has. A larger directory makes several
// folders.
const largest = 24

// A Tree is what a folder of the job holds: regular files of one directory.
type Tree struct {
	id    int
	files folder.Files // by the path below the loaded directory
}

// Load reads every regular file below the directory dir. Each directory in it makes a tree, a
// large one several, and a directory without regular files none. Links are left out, but dir may
// be one. A file or directory that cannot be read is an error, as is a dir without any regular
// file.
func Load(dir string) ([]*Tree, error) {
	root := os.DirFS(dir)
	var trees []*Tree
	last := make(map[string]*Tree) // by directory
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		tree := last[path.Dir(name)]
		if tree == nil || len(tree.files) == largest {
			tree = &Tree{id: len(trees), files: make(folder.Files)}
			trees, last[path.Dir(name)] = append(trees, tree), tree
		}
		tree.files[name] = data
		return nil
	})
	if err == nil && len(trees) == 0 {
		err = fmt.Errorf("no regular file: %w", fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("objectfs: load %s: %w", dir, err)
	}
	return trees, nil
}

// Size returns the number of files in trees.
func Size(trees []*Tree) (files int) {
	for _, tree := range trees {
		files += len(tree.files)
	}
	return files
}

// A Version is one writing of a tree into a folder. The zero Version is no folder at all.
type Version struct {
	Tree   int    // the place in the trees of the job
	Number uint64 // of this writing alone, from 1; copies and renames keep it
}

// String names the version.
func (v Version) String() string {
	if v == (Version{}) {
		return "nothing"
	}
	return fmt.Sprintf("version %d of tree %d", v.Number, v.Tree)
}

const stamp = "objectfs %d %d\n"

// render returns the files of v: the files of its tree, each with a first line that says which
// version of which tree it belongs to. So files of two versions can be told apart.
func (v Version) render(trees []*Tree) folder.Files {
	if v == (Version{}) {
		return nil
	}
	tree := trees[v.Tree]
	line := fmt.Appendf(nil, stamp, v.Tree, v.Number)
	files := make(folder.Files, len(tree.files))
	for name, data := range tree.files {
		files[name] = bytes.Join([][]byte{line, data}, nil)
	}
	return files
}

// is reports whether files are those of v.
func (v Version) is(files folder.Files, trees []*Tree) bool {
	return maps.EqualFunc(files, v.render(trees), bytes.Equal)
}

// readStamp returns the tree and the number of the version that data was rendered for.
func readStamp(data []byte) (tree int, number uint64, ok bool) {
	line, _, found := bytes.Cut(data, []byte("\n"))
	_, err := fmt.Sscanf(string(line)+"\n", stamp, &tree, &number)
	return tree, number, found && err == nil
}
