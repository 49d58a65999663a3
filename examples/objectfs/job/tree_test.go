package job

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// makeFiles makes files below a new directory. Each holds its own name.
func makeFiles(t *testing.T, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func link(t *testing.T, to, from string) {
	t.Helper()
	if err := os.Symlink(to, from); err != nil {
		t.Skip(err) // as on some Windows
	}
}

func TestLoadMakesATreeOfEachDirectory(t *testing.T) {
	names := []string{"top", "a/x", "a/b/y", "a/b/z"}
	for i := range largest + 1 {
		names = append(names, fmt.Sprintf("large/%02d", i))
	}
	dir, linked := makeFiles(t, names...), filepath.Join(t.TempDir(), "dir")
	link(t, "top", filepath.Join(dir, "link"))
	link(t, dir, linked)
	for _, dir := range []string{dir, linked} {
		trees, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, tree := range trees {
			files := slices.Sorted(maps.Keys(tree.files))
			got = append(got, fmt.Sprintf("%d: %d files from %s", tree.id, len(files), tree.files[files[0]]))
		}
		want := []string{
			"0: 2 files from a/b/y", "1: 1 files from a/x", "2: 24 files from large/00", "3: 1 files from large/24", "4: 1 files from top",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Load(%s): -want +got\n%s", dir, diff)
		}
		if files := Size(trees); files != len(names) {
			t.Errorf("Size = %d files, want %d", files, len(names))
		}
	}
}

func TestLoadNamesTheDirectoryThatItCannotRead(t *testing.T) {
	file := filepath.Join(makeFiles(t, "file"), "file")
	loop := filepath.Join(t.TempDir(), "loop")
	link(t, loop, loop)
	for path, missing := range map[string]bool{file: false, loop: false, file + "-2": true, t.TempDir(): true} {
		_, err := Load(path)
		if err == nil || !strings.HasPrefix(err.Error(), "objectfs: load "+path) || errors.Is(err, fs.ErrNotExist) != missing {
			t.Errorf("Load(%s) = %v, want an error that names it; matches fs.ErrNotExist: %t", path, err, missing)
		}
	}
}

func TestStampSurvivesAnyBytes(t *testing.T) {
	tree := &Tree{id: 3, files: map[string][]byte{"empty": nil, "text": []byte("objectfs 1 2\n"), "bytes": {0xff, '\n', 0}}}
	for name, data := range (Version{3, 7}).render([]*Tree{3: tree}) {
		if id, number, ok := readStamp(data); id != 3 || number != 7 || !ok {
			t.Errorf("readStamp of %q = %d, %d, %t, want 3, 7, true", name, id, number, ok)
		}
		if !strings.HasSuffix(string(data), string(tree.files[name])) {
			t.Errorf("the file %q lost its bytes: %q", name, data)
		}
	}
	for _, data := range []string{
		"", "objectfs 1 2", "objectfs 1\n", "objectfs 1 2 3\n", "objectfs x 2\n", "objectfs 1 -2\n", "other 1 2\n",
	} {
		if id, number, ok := readStamp([]byte(data)); ok {
			t.Errorf("readStamp(%q) = %d, %d, want none", data, id, number)
		}
	}
}
