package job

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/treelock/treelock/examples/objectfs/folder"
)

// chunk is the most files that one folder of the job has. A larger directory makes several folders.
const chunk = 24

// A Tree is what a folder of the job holds: the regular files of one directory, as they were read from
// there.
type Tree struct {
	id    int
	files folder.Files // by the path below the loaded directory, with slashes
}

// Load reads every regular file below the directory dir. Each directory in it makes a tree, a large one several, and
// a directory without files of its own none. Symbolic links, devices and the like are left out, but dir may be a
// link. Any file or directory that cannot be read is an error, as is a dir without any file.
func Load(dir string) ([]*Tree, error) {
	trees, err := walk(dir)
	if err != nil {
		return nil, fmt.Errorf("objectfs: load %s: %w: pass a directory that can be read to its last file", dir, err)
	}
	if len(trees) == 0 {
		return nil, fmt.Errorf("objectfs: load %s: there is no regular file in it: pass another directory", dir)
	}
	return trees, nil
}

func walk(dir string) ([]*Tree, error) {
	dir, err := filepath.EvalSymlinks(dir) // else a link would be walked as one
	if err != nil {
		return nil, err
	}
	if _, err := os.ReadDir(dir); err != nil {
		return nil, err // as if it is no directory at all
	}
	dirs := make(map[string]*Tree) // the one to add to
	var trees []*Tree
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		parent := filepath.Dir(path)
		tree := dirs[parent]
		if tree == nil || len(tree.files) == chunk {
			tree = &Tree{id: len(trees), files: make(folder.Files)}
			trees, dirs[parent] = append(trees, tree), tree
		}
		tree.files[filepath.ToSlash(name)] = data
		return nil
	})
	return trees, err
}

// Size returns the number of files in trees and of their bytes.
func Size(trees []*Tree) (files, size int) {
	for _, tree := range trees {
		files += len(tree.files)
		for _, data := range tree.files {
			size += len(data)
		}
	}
	return files, size
}

// A version is one writing of a tree into a folder. The zero version is no folder at all.
type version struct {
	tree   *Tree
	number uint64 // of this writing alone; copies and renames keep it
}

func (v version) String() string {
	if v.tree == nil {
		return "nothing"
	}
	return fmt.Sprintf("version %d of tree %d", v.number, v.tree.id)
}

// A stamp is the first line of every file: which version of which tree it belongs to. It is what makes
// files of two versions tell apart in a folder that mixes them.
type stamp struct {
	tree   int
	number uint64
}

const stampWord = "objectfs"

// render returns the files of v: those of its tree, each with the stamp before its bytes.
func (v version) render() folder.Files {
	line := fmt.Appendf(nil, "%s %d %d\n", stampWord, v.tree.id, v.number)
	files := make(folder.Files, len(v.tree.files))
	for name, data := range v.tree.files {
		files[name] = append(append(make([]byte, 0, len(line)+len(data)), line...), data...)
	}
	return files
}

// readStamp returns the stamp that data starts with, if it has one.
func readStamp(data []byte) (s stamp, ok bool) {
	line, _, found := bytes.Cut(data, []byte("\n"))
	words := bytes.Split(line, []byte(" "))
	if !found || len(words) != 3 || string(words[0]) != stampWord {
		return stamp{}, false
	}
	tree, err := strconv.Atoi(string(words[1]))
	if err != nil {
		return stamp{}, false
	}
	number, err := strconv.ParseUint(string(words[2]), 10, 64)
	return stamp{tree, number}, err == nil
}
