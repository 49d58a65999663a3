package folder_test

import (
	"context"
	"testing"
	"testing/synctest"

	"golang.org/x/sync/errgroup"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/objectfs/folder"
	"github.com/treelock/treelock/examples/objectfs/lock"
	"github.com/treelock/treelock/manager"
)

// A job holds a folder, and helpers on several goroutines work in parts of it. They do not wait for
// a client outside that waits for the whole folder, and that client sees all of their work or none.
func TestHelpersOfAJobWorkInsideItsGrant(t *testing.T) {
	for _, name := range []string{"a grant as locker", "inside the grant of the context"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				m := manager.Start(ctx)
				defer func() { stop(); <-m.Done() }()
				outside := guarded(t, lock.Tree(m), "a/x/1", "a/z/1")
				var listed <-chan error
				job := func(ctx context.Context) error {
					grant, _ := treelock.FromContext[treelock.Path](ctx)
					locker := treelock.Locker[treelock.Path](grant)
					if name != "a grant as locker" {
						locker = treelock.Inside(ctx, m)
					}
					helper := folder.New(outside.objects, lock.Tree(locker))
					listed = start(func() error {
						files, err := outside.ReadFolder(context.Background(), "a")
						if len(files) != 3 {
							t.Errorf("the client outside reads %d files, want the 3 that the job leaves", len(files))
						}
						return err
					})
					synctest.Wait() // it waits for the job
					var helpers errgroup.Group
					helpers.Go(func() error { return helper.RenameFolder(ctx, "a/x", "a/y") })
					helpers.Go(func() error { return helper.CopyFolder(ctx, "a/z", "a/w") })
					helpers.Go(func() error { _, err := helper.List(ctx, "a"); return err })
					return helpers.Wait()
				}
				ok(t, treelock.Do(t.Context(), m, treelock.Write(folder.Path("a")), job))
				ok(t, <-listed)
				outside.want(t, "a/w/1=a/z/1", "a/y/1=a/x/1", "a/z/1")
			})
		})
	}
}
