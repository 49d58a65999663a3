package folder_test

import (
	"io/fs"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/objectfs/folder"
)

// around is beside the folder "a" in the tests: names that start alike, and a file of its name.
var around = []string{"a", "a-b", "ab/x"}

func with(keys ...string) []string { return slices.Sorted(slices.Values(append(keys, around...))) }

func TestFolderIsWhatLiesBelowItsKey(t *testing.T) {
	f := locked(t, with("a/x", "a/b/y", "a/../z", "a//")...)
	names, err := f.List(t.Context(), "a")
	ok(t, err)
	if diff := cmp.Diff([]string{"../z", "/", "b/y", "x"}, names); diff != "" {
		t.Errorf("List: -want +got\n%s", diff)
	}
	files, err := f.ReadFolder(t.Context(), "a")
	ok(t, err)
	want := folder.Files{"../z": []byte("a/../z"), "/": []byte("a//"), "b/y": []byte("a/b/y"), "x": []byte("a/x")}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("ReadFolder: -want +got\n%s", diff)
	}
}

func TestFolderOperations(t *testing.T) {
	f, ctx := locked(t, with("a/x", "a/b/y")...), t.Context()
	ok(t, f.CopyFolder(ctx, "a", "c"))
	f.want(t, with("a/x", "a/b/y", "c/b/y=a/b/y", "c/x=a/x")...)
	ok(t, f.DeleteFolder(ctx, "a"))
	f.want(t, with("c/b/y=a/b/y", "c/x=a/x")...)
	ok(t, f.RenameFolder(ctx, "c", "ab/c"))
	f.want(t, "a", "a-b", "ab/c/b/y=a/b/y", "ab/c/x=a/x", "ab/x")
	ok(t, f.RenameFolder(ctx, "ab/c", "a")) // "a" is no folder above "ab/c"
	f.want(t, with("a/x", "a/b/y")...)
	ok(t, f.WriteFolder(ctx, "a", folder.Files{"x": nil, "new": []byte("1")}))
	f.want(t, "a", "a-b", "a/new=1", "a/x=", "ab/x")
}

func TestFileOperations(t *testing.T) {
	f, ctx := locked(t, "a", "a/x"), t.Context()
	ok(t, f.WriteFile(ctx, "a", []byte("new")))
	data, err := f.ReadFile(ctx, "a")
	ok(t, err)
	if string(data) != "new" {
		t.Errorf("ReadFile = %q, want new", data)
	}
	ok(t, f.CopyFile(ctx, "a", "b"))
	ok(t, f.RenameFile(ctx, "a/x", "a/y"))
	f.want(t, "a=new", "a/y=a/x", "b=new")
	ok(t, f.RenameFile(ctx, "b", "b/c")) // a file is no folder
	ok(t, f.DeleteFile(ctx, "a"))
	f.want(t, "a/y=a/x", "b/c=new")
}

func TestRefusedOperationChangesNothing(t *testing.T) {
	keys := with("a/x", "a/b/y", "c/z")
	f, ctx := locked(t, keys...), t.Context()
	_, list := f.List(ctx, "gone")
	_, read := f.ReadFolder(ctx, "gone")
	_, file := f.ReadFile(ctx, "gone")
	for want, errs := range map[error][]error{
		fs.ErrNotExist: {
			list, read, file, f.DeleteFile(ctx, "gone"), f.DeleteFolder(ctx, "gone"),
			f.CopyFolder(ctx, "gone", "new"), f.RenameFolder(ctx, "gone", "new"),
			f.CopyFile(ctx, "ab", "new"), f.RenameFile(ctx, "ab", "new"), // a folder is no file
		},
		fs.ErrExist: {
			f.CopyFolder(ctx, "a", "c"), f.RenameFolder(ctx, "a", "c"),
			f.CopyFile(ctx, "a/x", "c/z"), f.RenameFile(ctx, "a/x", "c/z"),
		},
		folder.ErrOverlap: {
			f.RenameFolder(ctx, "a", "a"), f.RenameFolder(ctx, "a", "a/b"), f.RenameFolder(ctx, "a", "a/new"),
			f.RenameFolder(ctx, "a/b", "a"), f.RenameFolder(ctx, "a", "a/"), f.CopyFolder(ctx, "a", "a/new"),
			f.RenameFile(ctx, "a", "a"), f.CopyFile(ctx, "a", "a"),
		},
	} {
		for _, err := range errs {
			wantErr(t, err, want)
		}
	}
	f.want(t, keys...)
}

func TestPathsOfDifferentKeysAreDifferent(t *testing.T) {
	seen := make(map[treelock.Path]string)
	for _, key := range []string{
		"", "/", "a", "/a", "a/", "a//b", "a/./b", "a/../b", "a/b", "../a", "%", "%2F", "a%2Fb", "\xff", "\xfe", "a/\xff",
	} {
		path := folder.Path(key)
		if other, ok := seen[path]; ok {
			t.Errorf("Path(%q) = Path(%q) = %q", key, other, path)
		}
		seen[path] = key
		if parent, ok := folder.Path(key + "/x").Parent(); !ok || parent != path {
			t.Errorf("Path(%q) has the parent %q, want Path(%q) = %q", key+"/x", parent, key, path)
		}
	}
}

func TestHostileKeysStayApartInEveryOperation(t *testing.T) {
	f, ctx := locked(t, "b", "a/../b", "a//b", "/b", "\xff/b", "%2F/b", ".."), t.Context()
	ok(t, f.DeleteFolder(ctx, "a/.."))
	ok(t, f.RenameFolder(ctx, "a/", "\xfe"))
	ok(t, f.RenameFolder(ctx, "", "a/../.."))
	ok(t, f.CopyFolder(ctx, "\xff", "%"))
	ok(t, f.WriteFile(ctx, "%2F/b", []byte("new")))
	f.want(t, "%/b=\xff/b", "%2F/b=new", "..", "a/../../b=/b", "b", "\xfe/b=a//b", "\xff/b")
}
