package folder_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock/examples/objectfs/folder"
	"github.com/treelock/treelock/examples/objectfs/lock"
)

// stopAt makes f stop at steps of its store that start with prefix, until open is called or the
// context of the step ends. wantStopped waits until no goroutine of the test can go on, and checks
// how many steps are stopped.
func (f *fixture) stopAt(prefix string) (open func(), wantStopped func(t *testing.T, n int64)) {
	opened, stopped := make(chan struct{}), new(atomic.Int64)
	f.before = func(ctx context.Context, step string) error {
		if strings.HasPrefix(step, prefix) {
			stopped.Add(1)
			select {
			case <-opened:
			case <-ctx.Done():
			}
		}
		return nil
	}
	return func() { close(opened) }, func(t *testing.T, n int64) {
		t.Helper()
		synctest.Wait()
		if got := stopped.Load(); got != n {
			t.Fatalf("%d steps stop at %q, want %d", got, prefix, n)
		}
	}
}

// start calls work on a goroutine of its own.
func start(work func() error) (done <-chan error) {
	errs := make(chan error, 1)
	go func() { errs <- work() }()
	return errs
}

// A file is written into a folder that another client has listed, and now deletes or renames. The
// write is acknowledged, and without locks the file is gone.
func TestFileWrittenIntoAFolderThatGoesAwayIsNotLost(t *testing.T) {
	remove := func(f *folder.FS) error { return f.DeleteFolder(context.Background(), "a") }
	rename := func(f *folder.FS) error { return f.RenameFolder(context.Background(), "a", "bin") }
	for name, test := range map[string]struct {
		do     func(f *folder.FS) error
		locked bool
		want   []string
	}{
		"delete with locks":    {remove, true, []string{"a/x=new"}},
		"delete without locks": {remove, false, nil},
		"rename with locks":    {rename, true, []string{"a/x=new", "bin/x=a/x"}},
		"rename without locks": {rename, false, []string{"bin/x=a/x"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := locked(t, "a/x")
				if !test.locked {
					f = guarded(t, lock.None(), "a/x")
				}
				open, wantStopped := f.stopAt("delete a/")
				remover := start(func() error { return test.do(f.FS) })
				wantStopped(t, 1)
				write := start(func() error { return f.WriteFile(t.Context(), "a/x", []byte("new")) })
				synctest.Wait()
				open()
				ok(t, <-remover)
				ok(t, <-write)
				f.want(t, test.want...)
			})
		})
	}
}
