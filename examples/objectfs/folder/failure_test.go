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

// failAt makes the n-th step of the store fail (from 0 on), and all later ones if lasting. failed
// reports whether any did.
func (f *fixture) failAt(n int64, lasting bool) (failed func() bool) {
	var steps atomic.Int64
	f.before = func(context.Context, string) error {
		if step := steps.Add(1) - 1; step == n || lasting && step > n {
			return errStore
		}
		return nil
	}
	return func() bool { return steps.Load() > n }
}

// before is what the store holds before an operation fails.
var before = []string{"a/1", "a/2", "a/3"}

// An operation fails in the middle. It leaves what its error says, or what was there.
type operation struct {
	src, dst string // with a slash if they are files; dst is empty if there is none
	do       func(ctx context.Context, f *fixture) error
	left     func(a, b int) bool // reports whether it may leave so many files in a and b
	want     []string            // the outcomes of mending it
}

var operations = map[string]operation{
	"write folder": {
		"a", "", func(ctx context.Context, f *fixture) error {
			return f.WriteFolder(ctx, "a", folder.Files{"1": []byte("new"), "4": []byte("new")})
		},
		func(a, b int) bool { return a >= 2 && b == 0 }, []string{"a/1=new a/4=new"},
	},
	"delete folder": {
		"a", "", func(ctx context.Context, f *fixture) error { return f.DeleteFolder(ctx, "a") },
		func(a, b int) bool { return a > 0 && b == 0 }, []string{""},
	},
	"copy folder": {
		"a", "b", func(ctx context.Context, f *fixture) error { return f.CopyFolder(ctx, "a", "b") },
		func(a, b int) bool { return a == 3 }, []string{"a/1 a/2 a/3"},
	},
	"rename folder": {
		"a", "b", func(ctx context.Context, f *fixture) error { return f.RenameFolder(ctx, "a", "b") },
		func(a, b int) bool { return a == 3 || b == 3 }, []string{"a/1 a/2 a/3", "b/1=a/1 b/2=a/2 b/3=a/3"},
	},
	"copy file": {
		"a/1", "b/1", func(ctx context.Context, f *fixture) error { return f.CopyFile(ctx, "a/1", "b/1") },
		func(a, b int) bool { return a == 3 }, []string{"a/1 a/2 a/3"},
	},
	"rename file": {
		"a/1", "b/1", func(ctx context.Context, f *fixture) error { return f.RenameFile(ctx, "a/1", "b/1") },
		func(a, b int) bool { return a == 3 || b == 1 }, []string{"a/1 a/2 a/3", "a/2 a/3 b/1=a/1"},
	},
}

// mend does what the comments of the operations say.
func (op operation) mend(ctx context.Context, f *fixture, err error) error {
	key := op.dst
	if errors.Is(err, folder.ErrLeftover) {
		key = op.src
	}
	switch {
	case op.dst == "":
		return op.do(ctx, f)
	case strings.Contains(key, "/"):
		err = f.DeleteFile(ctx, key)
	default:
		err = f.DeleteFolder(ctx, key)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was left after all
	}
	return err
}

func TestFailureInTheMiddleLeavesWhatItSays(t *testing.T) {
	for name, op := range operations {
		for _, lasting := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/lasting=%t", name, lasting), func(t *testing.T) {
				n := int64(0)
				for op.fails(t, n, lasting) {
					n++
				}
				if n < 3 {
					t.Errorf("the operation took %d steps, too few to fail in the middle", n)
				}
			})
		}
	}
}

// fails does op on a store that fails at step n and checks what is left, before and after it is
// mended. It returns false if op has no such step.
func (op operation) fails(t *testing.T, n int64, lasting bool) bool {
	t.Helper()
	f := locked(t, before...)
	failed := f.failAt(n, lasting)
	err := op.do(t.Context(), f)
	if !failed() {
		ok(t, err)
		return false
	}
	wantErr(t, err, errStore)
	f.before = nil
	left := f.held(t)
	if !errors.Is(err, folder.ErrPartial) && !errors.Is(err, folder.ErrLeftover) && !errors.Is(err, folder.ErrUnverified) {
		if !slices.Equal(left, before) {
			t.Errorf("step %d: the store holds %q in spite of the error %v", n, left, err)
		}
		return true
	}
	in := func(folder string) int { return strings.Count(" "+strings.Join(left, " "), " "+folder+"/") }
	if !op.left(in("a"), in("b")) {
		t.Errorf("step %d: the store holds %q: %v", n, left, err)
	}
	ok(t, op.mend(t.Context(), f, err))
	if got := strings.Join(f.held(t), " "); !slices.Contains(op.want, got) {
		t.Errorf("step %d: mended, the store holds %q, want one of %q: %v", n, got, op.want, err)
	}
	return true
}

func TestCancelledCopyTakesBackWhatItMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := locked(t, before...)
		_, wantStopped := f.stopAt("copy a/3")
		ctx, cancel := context.WithCancel(t.Context())
		rename := start(func() error { return f.RenameFolder(ctx, "a", "b") })
		wantStopped(t, 1)
		f.want(t, "a/1", "a/2", "a/3", "b/1=a/1", "b/2=a/2")
		cancel()
		wantErr(t, <-rename, context.Canceled)
		f.want(t, before...)
	})
}

// A store may do what it was asked to, and its answer is lost.
func TestCopyWhoseAnswerWasLostIsTakenBack(t *testing.T) {
	f := locked(t, before...)
	f.before = func(ctx context.Context, step string) error {
		if step != "copy a/2" {
			return nil
		}
		ok(t, f.objects.Copy(ctx, "a/2", "b/2"))
		return errStore
	}
	wantErr(t, f.CopyFolder(t.Context(), "a", "b"), errStore)
	f.want(t, before...)
}

func TestErrorOfACopyThatCannotBeTakenBackHasBothReasons(t *testing.T) {
	f, second := locked(t, before...), errors.New("it is read-only now")
	f.before = func(_ context.Context, step string) error {
		return map[string]error{"copy a/2": errStore, "delete b/2": second}[step]
	}
	err := f.CopyFolder(t.Context(), "a", "b")
	wantErr(t, err, errStore)
	wantErr(t, err, second)
	wantErr(t, err, folder.ErrPartial)
}

func TestDeletionWhoseAnswerWasLostIsNoFailure(t *testing.T) {
	f := locked(t, before...)
	f.before = func(ctx context.Context, step string) error {
		if step == "delete a/2" {
			return f.objects.Delete(ctx, "a/2")
		}
		return nil
	}
	ok(t, f.RenameFolder(t.Context(), "a", "b"))
	f.want(t, "b/1=a/1", "b/2=a/2", "b/3=a/3")
}

// fs.ErrNotExist would say that the folder was not there.
func TestFileThatGoesAwayMidwayIsErrChanged(t *testing.T) {
	for step, do := range map[string]func(f *fixture) error{
		"read a/2": func(f *fixture) error { _, err := f.ReadFolder(t.Context(), "a"); return err },
		"copy a/2": func(f *fixture) error { return f.RenameFolder(t.Context(), "a", "b") },
	} {
		f := guarded(t, lock.None(), before...)
		f.before = func(ctx context.Context, got string) error {
			if got == step {
				return f.objects.Delete(ctx, "a/2")
			}
			return nil
		}
		err := do(f)
		wantErr(t, err, folder.ErrChanged)
		if errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: error %v matches fs.ErrNotExist", step, err)
		}
		f.want(t, "a/1", "a/3")
	}
}
