package folder_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock/examples/objectfs/folder"
	"github.com/treelock/treelock/examples/objectfs/lock"
)

// A recorder is a Locker that grants every request, unless it is told to refuse, and records all.
type recorder struct {
	events []string
	label  string // of the last request
	refuse error
}

func (r *recorder) record(format string, args ...any) {
	r.events = append(r.events, fmt.Sprintf(format, args...))
}

func (r *recorder) Lock(_ context.Context, req lock.Request) (lock.Held, error) {
	if r.refuse != nil {
		return nil, r.refuse
	}
	r.record("lock %v", req)
	r.label = req.Label()
	return r, nil
}

func (r *recorder) Unlock() { r.record("unlock") }

func (r *recorder) Narrow(req lock.Request) error { r.record("narrow %v", req); return nil }

func (r *recorder) Context(ctx context.Context) context.Context { return ctx }

func (r *recorder) Inside() lock.Locker { r.record("inside"); return lock.None() }

func (r *recorder) want(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, r.events); diff != "" {
		t.Errorf("events: -want +got\n%s", diff)
	}
}

func inVain(context.Context, *folder.FS) error { return nil }

func TestEachOperationMakesOneRequestThatNamesIt(t *testing.T) {
	for label, test := range map[string]struct {
		request string
		do      func(ctx context.Context, f *fixture) error
	}{
		`read file "a/x"`:          {"read-node /a/x", func(ctx context.Context, f *fixture) error { _, err := f.ReadFile(ctx, "a/x"); return err }},
		`write file "./x"`:         {"write-node /%2E/x", func(ctx context.Context, f *fixture) error { return f.WriteFile(ctx, "./x", nil) }},
		`delete file "a/y"`:        {"write-node /a/y", func(ctx context.Context, f *fixture) error { return f.DeleteFile(ctx, "a/y") }},
		`list folder "a"`:          {"read /a", func(ctx context.Context, f *fixture) error { _, err := f.List(ctx, "a"); return err }},
		`read folder "a/b"`:        {"read /a/b", func(ctx context.Context, f *fixture) error { _, err := f.ReadFolder(ctx, "a/b"); return err }},
		`write folder "a"`:         {"write /a", func(ctx context.Context, f *fixture) error { return f.WriteFolder(ctx, "a", nil) }},
		`delete folder "a/b"`:      {"write /a/b", func(ctx context.Context, f *fixture) error { return f.DeleteFolder(ctx, "a/b") }},
		`rename folder "a" to "c"`: {"write /a, write /c", func(ctx context.Context, f *fixture) error { return f.RenameFolder(ctx, "a", "c") }},
		`copy folder "a" to "c"`:   {"read /a, write /c", func(ctx context.Context, f *fixture) error { return f.CopyFolder(ctx, "a", "c") }},
		`work in folder "a"`:       {"write /a", func(ctx context.Context, f *fixture) error { return f.InFolder(ctx, "a", inVain) }},
		`rename file "a/x" to "c"`: {"write-node /a/x, write-node /c", func(ctx context.Context, f *fixture) error { return f.RenameFile(ctx, "a/x", "c") }},
		`copy file "a/x" to "c"`:   {"read-node /a/x, write-node /c", func(ctx context.Context, f *fixture) error { return f.CopyFile(ctx, "a/x", "c") }},
	} {
		r := &recorder{}
		ok(t, test.do(t.Context(), guarded(t, r, "a/x", "a/y", "a/b/z")))
		want := []string{"lock " + test.request, "unlock"}
		switch label {
		case `copy folder "a" to "c"`:
			want = slices.Insert(want, 1, "narrow read /c")
		case `copy file "a/x" to "c"`:
			want = slices.Insert(want, 1, "narrow read-node /c")
		case `work in folder "a"`:
			want = slices.Insert(want, 1, "inside")
		}
		r.want(t, want...)
		if r.label != label {
			t.Errorf("the label is %q, want %q", r.label, label)
		}
	}
}

func TestOutcomeIsRecordedWhileHeld(t *testing.T) {
	r := &recorder{}
	f, ctx := guarded(t, r, "a/x").Then(func(_ context.Context, err error) error { r.record("recorded %v", err); return err }), t.Context()
	ok(t, f.CopyFolder(ctx, "a", "c"))
	ok(t, f.RenameFolder(ctx, "a", "b"))
	wantErr(t, f.DeleteFolder(ctx, "a"), fs.ErrNotExist)
	wantErr(t, f.CopyFolder(ctx, "a", "a"), folder.ErrOverlap) // makes no request
	r.refuse = errors.New("no grant")
	wantErr(t, f.DeleteFolder(ctx, "b"), r.refuse)
	r.want(t,
		"lock read /a, write /c", "recorded <nil>", "narrow read /c", "unlock",
		"lock write /a, write /b", "recorded <nil>", "unlock",
		"lock write /a", `recorded objectfs: delete folder "a": folder "a": file does not exist`, "unlock",
	)
}

func TestGrantIsReleasedOnPanic(t *testing.T) {
	r := &recorder{}
	f := guarded(t, r)
	f.before = func(context.Context, string) error { panic("store") }
	func() {
		defer func() { _ = recover() }()
		_ = f.WriteFile(t.Context(), "a/x", nil)
	}()
	r.want(t, "lock write-node /a/x", "unlock")
}
