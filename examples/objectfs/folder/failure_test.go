package folder_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock/examples/objectfs/folder"
	"github.com/treelock/treelock/examples/objectfs/lock"
)

var errStore = errors.New("the store is down")

// failAt makes the n-th step of s fail (from 0 on), or all steps from there on if lasting. It returns how to ask
// whether any did.
func failAt(s *ram, n int64, lasting bool) (failed func() bool) {
	var steps atomic.Int64
	s.before = func(context.Context, string) error {
		if step := steps.Add(1) - 1; step == n || lasting && step > n {
			return errStore
		}
		return nil
	}
	return func() bool { return steps.Load() > n }
}

// An operation is tried on a store that holds a/1, a/2 and a/3. If it fails, it leaves what its
// PartialError says, or what was there.
type operation struct {
	name string
	do   func(ctx context.Context, f *folder.FS) error
	// left says whether the operation may leave that, below a and b, with a PartialError.
	left func(a, b int) bool
	// mend does what the PartialError says.
	mend func(ctx context.Context, f *folder.FS, partly *folder.PartialError) error
	// want is what may be there afterwards.
	want []string
}

var before = []string{"a/1", "a/2", "a/3"}

var operations = []operation{{
	name: "write folder",
	do:   rewrite,
	left: func(a, b int) bool { return a >= 2 && b == 0 },
	mend: func(ctx context.Context, f *folder.FS, _ *folder.PartialError) error { return rewrite(ctx, f) },
	want: []string{"a/1=new a/4=new"},
}, {
	name: "delete folder",
	do:   func(ctx context.Context, f *folder.FS) error { return f.DeleteFolder(ctx, "a") },
	left: func(a, b int) bool { return a > 0 && b == 0 },
	mend: func(ctx context.Context, f *folder.FS, _ *folder.PartialError) error { return f.DeleteFolder(ctx, "a") },
	want: []string{""},
}, {
	name: "copy folder",
	do:   func(ctx context.Context, f *folder.FS) error { return f.CopyFolder(ctx, "a", "b") },
	left: func(a, b int) bool { return a == 3 },
	mend: deleteWhatItSays,
	want: []string{"a/1 a/2 a/3"},
}, {
	name: "rename folder",
	do:   func(ctx context.Context, f *folder.FS) error { return f.RenameFolder(ctx, "a", "b") },
	left: func(a, b int) bool { return a == 3 || b == 3 },
	mend: deleteWhatItSays,
	want: []string{"a/1 a/2 a/3", "b/1=a/1 b/2=a/2 b/3=a/3"},
}, {
	name: "rename file",
	do:   func(ctx context.Context, f *folder.FS) error { return f.RenameFile(ctx, "a/1", "b/1") },
	left: func(a, b int) bool { return a == 3 || b == 1 },
	mend: func(ctx context.Context, f *folder.FS, partly *folder.PartialError) error {
		if strings.Contains(partly.Do, "a/1") {
			return f.DeleteFile(ctx, "a/1")
		}
		return absent(f.DeleteFile(ctx, "b/1"))
	},
	want: []string{"a/1 a/2 a/3", "a/2 a/3 b/1=a/1"},
}, {
	name: "copy file",
	do:   func(ctx context.Context, f *folder.FS) error { return f.CopyFile(ctx, "a/1", "b/1") },
	left: func(a, b int) bool { return a == 3 },
	mend: func(ctx context.Context, f *folder.FS, _ *folder.PartialError) error {
		return absent(f.DeleteFile(ctx, "b/1"))
	},
	want: []string{"a/1 a/2 a/3"},
}}

func rewrite(ctx context.Context, f *folder.FS) error {
	return f.WriteFolder(ctx, "a", folder.Files{"1": []byte("new"), "4": []byte("new")})
}

func deleteWhatItSays(ctx context.Context, f *folder.FS, partly *folder.PartialError) error {
	if strings.Contains(partly.Do, `"a"`) {
		return absent(f.DeleteFolder(ctx, "a"))
	}
	return absent(f.DeleteFolder(ctx, "b"))
}

// absent forgives that there was nothing to delete: "may be left" is all that a PartialError can say.
func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func TestFailureInTheMiddleLeavesWhatItSays(t *testing.T) {
	for _, op := range operations {
		for _, lasting := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/lasting=%t", op.name, lasting), func(t *testing.T) {
				n := int64(0)
				for fails(t, op, n, lasting) {
					n++
				}
				if n < 2 {
					t.Errorf("the operation took %d steps, too few to fail in the middle", n)
				}
			})
		}
	}
}

// fails tries op on a store that fails at step n and checks what is left. It returns false if op has
// no such step.
func fails(t *testing.T, op operation, n int64, lasting bool) bool {
	t.Helper()
	s := newRAM(before...)
	f := locked(t, s)
	failed := failAt(s, n, lasting)
	err := op.do(t.Context(), f)
	if !failed() {
		ok(t, err)
		return false
	}
	wantErr(t, err, errStore)
	s.before = nil
	left := s.dump()
	var partly *folder.PartialError
	if !errors.As(err, &partly) {
		if !slices.Equal(left, before) {
			t.Errorf("step %d: no PartialError, but the store holds %q: %v", n, left, err)
		}
		return true
	}
	if a, b := count(left, "a/"), count(left, "b/"); !op.left(a, b) {
		t.Errorf("step %d: the store holds %q: %v", n, left, err)
	}
	ok(t, op.mend(t.Context(), f, partly))
	if got := strings.Join(s.dump(), " "); !slices.Contains(op.want, got) {
		t.Errorf("step %d: mended, the store holds %q, want one of %q: %v", n, got, op.want, err)
	}
	return true
}

func count(keys []string, prefix string) int {
	return len(slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !strings.HasPrefix(key, prefix) }))
}

func TestCancelledCopyTakesBackWhatItMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRAM(before...)
		f := locked(t, s)
		g := stopAt(s, "copy a/3")
		ctx, cancel := context.WithCancel(t.Context())
		rename := start(func() error { return f.RenameFolder(ctx, "a", "b") })
		g.wantStopped(t, 1)
		s.want(t, "a/1", "a/2", "a/3", "b/1=a/1", "b/2=a/2")
		cancel()
		wantErr(t, <-rename.done, context.Canceled)
		s.want(t, before...)
	})
}

// A copy that the store carries out although its answer is an error is taken back as well.
func TestCopyWhoseAnswerWasLostIsTakenBack(t *testing.T) {
	s := newRAM(before...)
	s.before = func(_ context.Context, step string) error {
		if step == "copy a/2" {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.objects["b/2"] = "a/2"
			return errStore
		}
		return nil
	}
	f := locked(t, s)
	wantErr(t, f.CopyFolder(t.Context(), "a", "b"), errStore)
	wantErr(t, f.CopyFile(t.Context(), "a/2", "b/2"), errStore)
	s.want(t, before...)
}

// What a store has deleted already is as it should be.
func TestDeletionWhoseAnswerWasLostIsNoFailure(t *testing.T) {
	s := newRAM(before...)
	s.before = func(_ context.Context, step string) error {
		if step == "delete a/2" {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.objects, "a/2")
		}
		return nil
	}
	ok(t, locked(t, s).RenameFolder(t.Context(), "a", "b"))
	s.want(t, "b/1=a/1", "b/2=a/2", "b/3=a/3")
}

// It must not look as if the folder had not been there: that error says that nothing was touched.
func TestFileThatGoesAwayMidwayIsErrChanged(t *testing.T) {
	for name, do := range map[string]func(f *folder.FS) error{
		"read a/2": func(f *folder.FS) error { _, err := f.ReadFolder(t.Context(), "a"); return err },
		"copy a/2": func(f *folder.FS) error { return f.RenameFolder(t.Context(), "a", "b") },
	} {
		t.Run(strings.ReplaceAll(name, "/", ":"), func(t *testing.T) {
			s := newRAM(before...)
			s.before = func(_ context.Context, step string) error {
				if step == name {
					s.mu.Lock()
					defer s.mu.Unlock()
					delete(s.objects, "a/2")
				}
				return nil
			}
			err := do(folder.New(s, lock.None()))
			wantErr(t, err, folder.ErrChanged)
			if errors.Is(err, fs.ErrNotExist) {
				t.Errorf("error %v matches fs.ErrNotExist", err)
			}
			s.want(t, "a/1", "a/3")
		})
	}
}
