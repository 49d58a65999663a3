package folder_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/objectfs/folder"
)

// What is around the folder "a" in the tests: names that start alike, and a file of the same name.
var around = []string{"a", "a-b", "ab/x"}

func with(keys ...string) []string {
	all := append(slices.Clone(around), keys...)
	slices.Sort(all)
	return all
}

func TestFolderIsWhatLiesBelowItsKey(t *testing.T) {
	s := newRAM(with("a/x", "a/b/y", "a/../z", "a//")...)
	f := locked(t, s)
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

func TestWriteFolderReplacesAllOfIt(t *testing.T) {
	s := newRAM(with("a/old", "a/kept")...)
	f := locked(t, s)
	ok(t, f.WriteFolder(t.Context(), "a", folder.Files{"kept": []byte("1"), "b/new": []byte("2")}))
	s.want(t, "a", "a-b", "a/b/new=2", "a/kept=1", "ab/x")
}

func TestDeleteFolderLeavesItsNeighbours(t *testing.T) {
	s := newRAM(with("a/x", "a/b/y")...)
	ok(t, locked(t, s).DeleteFolder(t.Context(), "a"))
	s.want(t, around...)
}

func TestCopyFolderKeepsTheSource(t *testing.T) {
	s := newRAM(with("a/x", "a/b/y")...)
	ok(t, locked(t, s).CopyFolder(t.Context(), "a", "c"))
	s.want(t, with("a/x", "a/b/y", "c/b/y=a/b/y", "c/x=a/x")...)
}

func TestRenameFolderMovesAllOfIt(t *testing.T) {
	s := newRAM(with("a/x", "a/b/y")...)
	f := locked(t, s)
	ok(t, f.RenameFolder(t.Context(), "a", "ab/c"))
	s.want(t, "a", "a-b", "ab/c/b/y=a/b/y", "ab/c/x=a/x", "ab/x")
	ok(t, f.RenameFolder(t.Context(), "ab/c", "a")) // "a" is no folder above "ab/c"
	s.want(t, with("a/x", "a/b/y")...)
}

func TestFileOperations(t *testing.T) {
	s := newRAM("a", "a/x")
	f, ctx := locked(t, s), t.Context()
	ok(t, f.CopyFile(ctx, "a", "b"))
	ok(t, f.RenameFile(ctx, "a/x", "a/y"))
	ok(t, f.WriteFile(ctx, "a", []byte("new")))
	data, err := f.ReadFile(ctx, "a")
	ok(t, err)
	if string(data) != "new" {
		t.Errorf("ReadFile = %q, want new", data)
	}
	s.want(t, "a=new", "a/y=a/x", "b=a")
	ok(t, f.DeleteFile(ctx, "a"))
	s.want(t, "a/y=a/x", "b=a")
}

func TestMissingSourceIsErrNotExist(t *testing.T) {
	s := newRAM(around...)
	f, ctx := locked(t, s), t.Context()
	_, list := f.List(ctx, "gone")
	_, read := f.ReadFolder(ctx, "gone")
	_, file := f.ReadFile(ctx, "gone")
	for _, err := range []error{
		list, read, file,
		f.DeleteFolder(ctx, "gone"), f.CopyFolder(ctx, "gone", "new"), f.RenameFolder(ctx, "gone", "new"),
		f.DeleteFile(ctx, "gone"), f.CopyFile(ctx, "gone", "new"), f.RenameFile(ctx, "gone", "new"),
	} {
		wantErr(t, err, fs.ErrNotExist)
	}
	s.want(t, around...)
}

func TestTakenDestinationIsErrExist(t *testing.T) {
	keys := with("c/x", "d/y")
	s := newRAM(keys...)
	f, ctx := locked(t, s), t.Context()
	for _, err := range []error{
		f.CopyFolder(ctx, "c", "d"), f.RenameFolder(ctx, "c", "d"),
		f.CopyFile(ctx, "a", "a-b"), f.RenameFile(ctx, "a", "a-b"),
	} {
		wantErr(t, err, fs.ErrExist)
	}
	s.want(t, keys...)
}

// Story 3: also a destination inside its source.
func TestRenameIntoItselfIsRefused(t *testing.T) {
	keys := with("a/x", "a/b/y")
	s := newRAM(keys...)
	f, ctx := locked(t, s), t.Context()
	for _, pair := range [][2]string{{"a", "a"}, {"a", "a/b"}, {"a", "a/new"}, {"a/b", "a"}, {"a", "a/"}} {
		wantErr(t, f.RenameFolder(ctx, pair[0], pair[1]), folder.ErrOverlap)
		wantErr(t, f.CopyFolder(ctx, pair[0], pair[1]), folder.ErrOverlap)
	}
	wantErr(t, f.RenameFile(ctx, "a", "a"), folder.ErrOverlap)
	wantErr(t, f.CopyFile(ctx, "a", "a"), folder.ErrOverlap)
	s.want(t, keys...)
}

// A path of two keys that are apart must be apart as well, and that of a folder above those of its files.
func TestHostileKeysHaveTheirOwnPlaces(t *testing.T) {
	hostile := []string{"", "/", "a", "/a", "a/", "a//b", "a/./b", "a/../b", "a/b", "../a", "%", "%2F", "a%2Fb", "\xff", "\xfe", "a/\xff"}
	seen := make(map[treelock.Path]string)
	for _, key := range hostile {
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
	s := newRAM("b", "a/../b", "a//b", "/b", "\xff/b", "%2F/b", "..")
	f, ctx := locked(t, s), t.Context()
	ok(t, f.DeleteFolder(ctx, "a/.."))
	ok(t, f.RenameFolder(ctx, "a/", "\xfe"))
	ok(t, f.RenameFolder(ctx, "", "a/../.."))
	ok(t, f.CopyFolder(ctx, "\xff", "%"))
	ok(t, f.WriteFile(ctx, "%2F/b", []byte("new")))
	s.want(t, "%/b=\xff/b", "%2F/b=new", "..", "a/../../b=/b", "b", "\xfe/b=a//b", "\xff/b")
}

func TestOutcomeIsRecordedWhileHeld(t *testing.T) {
	s := newRAM("a/x")
	recorder := &recorder{}
	f := folder.New(s, recorder).Then(func(err error) { recorder.note("recorded %v", err) })
	ctx := t.Context()
	ok(t, f.RenameFolder(ctx, "a", "b"))
	wantErr(t, f.DeleteFolder(ctx, "a"), fs.ErrNotExist)
	wantErr(t, f.CopyFolder(ctx, "a", "a"), folder.ErrOverlap) // asks for nothing, records nothing
	recorder.refuse = errors.New("no grant")
	wantErr(t, f.DeleteFolder(ctx, "b"), recorder.refuse)
	recorder.want(t,
		"lock write /a, write /b", "recorded <nil>", "unlock",
		"lock write /a", `recorded objectfs: delete folder "a": folder "a": file does not exist`, "unlock",
	)
}

func TestEachOperationMakesItsOneRequest(t *testing.T) {
	for want, call := range map[string]func(ctx context.Context, f *folder.FS) error{
		"read-node /a/x":                    func(ctx context.Context, f *folder.FS) error { _, err := f.ReadFile(ctx, "a/x"); return err },
		"write-node /a/x":                   func(ctx context.Context, f *folder.FS) error { return f.WriteFile(ctx, "a/x", nil) },
		"write-node /a/y":                   func(ctx context.Context, f *folder.FS) error { return f.DeleteFile(ctx, "a/y") },
		"write-node /a/x, write-node /c/x":  func(ctx context.Context, f *folder.FS) error { return f.RenameFile(ctx, "a/x", "c/x") },
		"read-node /a/x, write-node /%2E/x": func(ctx context.Context, f *folder.FS) error { return f.CopyFile(ctx, "a/x", "./x") },
		"read /a":                           func(ctx context.Context, f *folder.FS) error { _, err := f.List(ctx, "a"); return err },
		"read /a/b":                         func(ctx context.Context, f *folder.FS) error { _, err := f.ReadFolder(ctx, "a/b"); return err },
		"write /a":                          func(ctx context.Context, f *folder.FS) error { return f.WriteFolder(ctx, "a", nil) },
		"write /a/b":                        func(ctx context.Context, f *folder.FS) error { return f.DeleteFolder(ctx, "a/b") },
		"write /a, write /c":                func(ctx context.Context, f *folder.FS) error { return f.RenameFolder(ctx, "a", "c") },
		"read /a, write /c":                 func(ctx context.Context, f *folder.FS) error { return f.CopyFolder(ctx, "a", "c") },
	} {
		t.Run(strings.ReplaceAll(want, "/", ":"), func(t *testing.T) {
			recorder := &recorder{}
			ok(t, call(t.Context(), folder.New(newRAM("a/x", "a/y", "a/b/z"), recorder)))
			recorder.want(t, "lock "+want, "unlock")
		})
	}
}

func TestRequestsSayWhatTheyAreFor(t *testing.T) {
	recorder := &recorder{}
	f := folder.New(newRAM("p/a/x", "p/a/y"), recorder)
	ok(t, f.CopyFolder(t.Context(), "p/a", "p/b"))
	ok(t, f.RenameFile(t.Context(), "p/b/x", "p/b/z"))
	ok(t, f.RenameFolder(t.Context(), "p/a", "c"))
	ok(t, f.DeleteFolder(t.Context(), "c"))
	ok(t, f.WriteFile(t.Context(), "a/b/c", nil))
	want := []string{"copy folder a → b", "rename file x → z", "rename folder p/a → c", "delete folder c", "write file b/c"}
	if diff := cmp.Diff(want, recorder.labels); diff != "" {
		t.Errorf("labels: -want +got\n%s", diff)
	}
}

func TestGrantIsReleasedOnPanic(t *testing.T) {
	s := newRAM("a/x")
	s.before = func(context.Context, string) error { panic("at the disco") }
	recorder := &recorder{}
	func() {
		defer func() { _ = recover() }()
		_ = folder.New(s, recorder).WriteFile(t.Context(), "a/x", nil)
	}()
	recorder.want(t, "lock write-node /a/x", "unlock")
}
