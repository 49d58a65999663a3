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

// makeFiles makes files below a new directory; each holds its own name.
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

func TestLoadMakesATreeOfEachDirectory(t *testing.T) {
	names := []string{"top", "a/x", "a/b/y", "a/b/z"}
	for i := range chunk + 1 {
		names = append(names, fmt.Sprintf("large/%02d", i))
	}
	dir := makeFiles(t, names...)
	if err := os.Symlink(filepath.Join(dir, "top"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	linked := filepath.Join(t.TempDir(), "dir")
	if err := os.Symlink(dir, linked); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{dir, linked} {
		trees, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i, tree := range trees {
			if tree.id != i {
				t.Errorf("tree %d has the id %d", i, tree.id)
			}
			files := slices.Sorted(maps.Keys(tree.files))
			for _, name := range files {
				if data := string(tree.files[name]); data != name {
					t.Errorf("file %q holds %q", name, data)
				}
			}
			got = append(got, fmt.Sprintf("%d files from %s", len(files), files[0]))
		}
		want := []string{"2 files from a/b/y", "1 files from a/x", "24 files from large/00", "1 files from large/24", "1 files from top"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Load(%s): -want +got\n%s", dir, diff)
		}
		if files, size := Size(trees); files != len(names) || size != len(strings.Join(names, "")) {
			t.Errorf("Size = %d files, %d bytes", files, size)
		}
	}
}

func TestLoadRefusesWhatItCannotReadToTheLastFile(t *testing.T) {
	dir := makeFiles(t, "file")
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{filepath.Join(dir, "missing"), filepath.Join(dir, "file"), loop, t.TempDir()} {
		if trees, err := Load(dir); err == nil || !strings.HasPrefix(err.Error(), "objectfs: load "+dir) {
			t.Errorf("Load(%s) = %d trees, %v, want an error that names the directory", dir, len(trees), err)
		}
	}
	if _, err := Load(filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load of a missing directory = %v, want the reason in it", err)
	}
}

func TestStampSurvivesAnyBytes(t *testing.T) {
	tree := &Tree{id: 3, files: map[string][]byte{"empty": nil, "text": []byte("objectfs 1 2\n"), "bytes": {0xff, '\n', 0}}}
	for name, data := range (version{tree, 7}).render() {
		got, ok := readStamp(data)
		if want := (stamp{3, 7}); got != want || !ok {
			t.Errorf("readStamp of %q = %v, %t, want %v", name, got, ok, want)
		}
		if !strings.HasSuffix(string(data), string(tree.files[name])) {
			t.Errorf("the file %q lost its bytes: %q", name, data)
		}
	}
	for _, data := range []string{"", "objectfs 1 2", "objectfs 1\n", "objectfs 1 2 3\n", "objectfs x 2\n", "objectfs 1 -2\n", "other 1 2\n"} {
		if got, ok := readStamp([]byte(data)); ok {
			t.Errorf("readStamp(%q) = %v, want none", data, got)
		}
	}
}
