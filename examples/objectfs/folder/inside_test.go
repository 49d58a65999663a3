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

// TestCopyIsReadWhileItIsVerified stops a copy when it lists its destination for the second time.
// Then others read the copy, and write the source.
func TestCopyIsReadWhileItIsVerified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := locked(t, "a/1", "a/2")
		ctx, lists, goOn := t.Context(), 0, make(chan struct{})
		f.before = func(_ context.Context, step string) error {
			if step == "list b/" {
				if lists++; lists == 2 {
					<-goOn
				}
			}
			return nil
		}
		copied := start(func() error { return f.CopyFolder(ctx, "a", "b") })
		synctest.Wait()
		others := map[string]<-chan error{
			"read the copy":    start(func() error { _, err := f.ReadFolder(ctx, "b"); return err }),
			"write the source": start(func() error { return f.WriteFile(ctx, "a/1", []byte("new")) }),
		}
		synctest.Wait()
		late := start(func() error { return f.WriteFile(ctx, "b/3", nil) })
		synctest.Wait()
		for name, done := range others {
			select {
			case err := <-done:
				ok(t, err)
			default:
				t.Errorf("a client waits for the copy to %s", name)
			}
		}
		if len(late) > 0 {
			t.Error("a client writes the copy while it is verified")
		}
		close(goOn)
		ok(t, <-copied)
		ok(t, <-late)
		f.want(t, "a/1=new", "a/2", "b/1=a/1", "b/2=a/2", "b/3=")
	})
}

func TestCopyThatIsNotThereIsNotVerified(t *testing.T) {
	f := locked(t, "a/1", "a/2")
	lists := 0
	f.before = func(ctx context.Context, step string) error {
		if step == "list b/" {
			if lists++; lists == 2 {
				return f.objects.Delete(ctx, "b/2")
			}
		}
		return nil
	}
	err := f.CopyFolder(t.Context(), "a", "b")
	wantErr(t, err, folder.ErrUnverified)
	wantErr(t, err, folder.ErrChanged)
}

// TestPartsOfAFolderAreWrittenAtOnce has two operations inside the folder at the same time, and a
// reader outside that sees both or none. A snapshot shows them inside their grant.
func TestPartsOfAFolderAreWrittenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		m := manager.Start(ctx)
		defer func() { stop(); <-m.Done() }()
		f := guarded(t, lock.Tree(m), "a/x/1", "a/y/1")
		goOn := make(chan struct{})
		f.before = func(_ context.Context, step string) error {
			if step == "write a/x/1" || step == "write a/y/1" {
				<-goOn
			}
			return nil
		}
		job := start(func() error {
			return f.InFolder(ctx, "a", func(ctx context.Context, inside *folder.FS) error {
				var parts errgroup.Group
				for _, part := range []string{"a/x", "a/y"} {
					parts.Go(func() error { return inside.WriteFolder(ctx, part, folder.Files{"1": []byte("new")}) })
				}
				return parts.Wait()
			})
		})
		synctest.Wait()
		s, err := m.Snapshot(ctx, manager.Query[treelock.Path]{})
		ok(t, err)
		if len(s.Holders) != 3 || s.Holders[1].Inside != 1 || s.Holders[2].Inside != 1 {
			t.Errorf("the holders are %+v, want two inside the first", s.Holders)
		}
		read := start(func() error {
			files, err := f.ReadFolder(ctx, "a")
			for name, data := range files {
				if string(data) != "new" {
					t.Errorf("a reader sees %s = %q while the folder is written", name, data)
				}
			}
			return err
		})
		synctest.Wait()
		close(goOn)
		ok(t, <-job)
		ok(t, <-read)
	})
}
