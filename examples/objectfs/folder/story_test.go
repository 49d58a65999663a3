package folder_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock/examples/objectfs/folder"
	"github.com/treelock/treelock/examples/objectfs/lock"
)

// These are stories of data that was lost in real object stores and file systems on top of them. In
// each, one client is stopped at the worst moment and others go on.

// stopAt makes f stop at steps of its store that start with prefix, until open is called or the
// context of the step ends. wantStopped waits until no client can go on, and checks how many steps
// were stopped.
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

// A client does one thing on a goroutine of its own.
type client struct{ done chan error }

func start(work func() error) client {
	c := client{make(chan error, 1)}
	go func() { c.done <- work() }()
	return c
}

func (c client) wantWaiting(t *testing.T, what string) {
	t.Helper()
	synctest.Wait()
	if len(c.done) > 0 {
		t.Errorf("%s is done, want it to wait", what)
	}
}

func (c client) wantDone(t *testing.T) {
	t.Helper()
	ok(t, <-c.done)
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
				remover.wantDone(t)
				write.wantDone(t)
				f.want(t, test.want...)
			})
		})
	}
}

// The folder a goes into b while b goes into a.
func TestRenamesIntoEachOtherLoseNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := locked(t, "a/1", "b/2")
		open, wantStopped := f.stopAt("copy")
		one := start(func() error { return f.RenameFolder(t.Context(), "a", "b/x") })
		wantStopped(t, 1)
		two := start(func() error { return f.RenameFolder(t.Context(), "b", "a/y") })
		two.wantWaiting(t, "the second rename")
		open()
		one.wantDone(t)
		two.wantDone(t)
		f.want(t, "a/y/2=b/2", "a/y/x/1=a/1")
	})
}

func TestHundredCopiesOfOneSourceRunTogetherAndItsDeletionWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := locked(t, "source/x")
		open, wantStopped := f.stopAt("copy")
		var copies []client
		for i := range 100 {
			copies = append(copies, start(func() error {
				return f.CopyFolder(t.Context(), "source", fmt.Sprintf("copy-%d", i))
			}))
		}
		wantStopped(t, 100)
		removal := start(func() error { return f.DeleteFolder(t.Context(), "source") })
		removal.wantWaiting(t, "the deletion of the source")
		open()
		for _, c := range append(copies, removal) {
			c.wantDone(t)
		}
		if n := len(f.held(t)); n != 100 {
			t.Errorf("the store holds %d copies, want 100", n)
		}
	})
}

func TestTargetOfARenameIsGuardedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := locked(t, "a/x", "a/y")
		open, wantStopped := f.stopAt("delete a/")
		rename := start(func() error { return f.RenameFolder(t.Context(), "a", "b") })
		wantStopped(t, 2)
		var names []string
		list := start(func() (err error) { names, err = f.List(t.Context(), "b"); return err })
		list.wantWaiting(t, "the listing of the target")
		write := start(func() error { return f.WriteFile(t.Context(), "b/z", []byte("new")) })
		write.wantWaiting(t, "the write into the target")
		start(func() error { return f.WriteFile(t.Context(), "c", nil) }).wantDone(t)
		open()
		for _, c := range []client{rename, list, write} {
			c.wantDone(t)
		}
		if want := []string{"x", "y"}; !slices.Equal(names, want) {
			t.Errorf("the listing is %q, want %q", names, want)
		}
		f.want(t, "b/x=a/x", "b/y=a/y", "b/z=new", "c=")
	})
}

func TestCancelledClientDoesNotHoldUpLaterOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := locked(t, "a/x")
		open, wantStopped := f.stopAt("read")
		reader := start(func() error { _, err := f.ReadFolder(t.Context(), "a"); return err })
		wantStopped(t, 1)
		ctx, cancel := context.WithCancel(t.Context())
		writer := start(func() error { return f.DeleteFolder(ctx, "a") })
		writer.wantWaiting(t, "the writer")
		late := start(func() error { _, err := f.List(t.Context(), "a"); return err })
		late.wantWaiting(t, "the late reader")
		cancel()
		wantErr(t, <-writer.done, context.Canceled)
		late.wantDone(t)
		open()
		reader.wantDone(t)
		f.want(t, "a/x")
	})
}
