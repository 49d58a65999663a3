package folder_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock/examples/objectfs/folder"
	"github.com/treelock/treelock/examples/objectfs/lock"
)

// Stories of data that was lost in real object stores and file systems on top of them. In each, one client is
// stopped at the worst moment, others go on, and nobody sleeps: synctest says when all wait.

// A gate stops the steps of a store that start with a prefix, until it is opened.
type gate struct {
	steps  string
	opened chan struct{}
	mu     sync.Mutex
	here   int
}

// stopAt makes s stop at steps that start with prefix.
func stopAt(s *ram, prefix string) *gate {
	g := &gate{steps: prefix, opened: make(chan struct{})}
	s.before = func(ctx context.Context, step string) error {
		if strings.HasPrefix(step, g.steps) {
			g.mu.Lock()
			g.here++
			g.mu.Unlock()
			select {
			case <-g.opened:
			case <-ctx.Done():
			}
		}
		return nil
	}
	return g
}

func (g *gate) open() { close(g.opened) }

// wantStopped waits until no client can go on, and checks how many of them stand at the gate.
func (g *gate) wantStopped(t *testing.T, n int) {
	t.Helper()
	synctest.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.here != n {
		t.Fatalf("%d steps stand at %q, want %d", g.here, g.steps, n)
	}
}

// A client does something on a goroutine of its own.
type client struct{ done chan error }

func start(work func() error) *client {
	c := &client{make(chan error, 1)}
	go func() { c.done <- work() }()
	return c
}

func (c *client) wantWaiting(t *testing.T, what string) {
	t.Helper()
	synctest.Wait()
	if len(c.done) > 0 {
		t.Errorf("%s is done: %v, want it to wait", what, <-c.done)
	}
}

func (c *client) wantDone(t *testing.T) {
	t.Helper()
	ok(t, <-c.done)
}

// Story 1: 200 OK, then deleted. A cleaner has listed a folder, a put lands in it and is acknowledged, the
// cleaner deletes it.
func TestPutIsNotSweptByACleanerThatListedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRAM("docs/report")
		f := locked(t, s)
		g := stopAt(s, "delete")
		cleaner := start(func() error { return f.DeleteFolder(t.Context(), "docs") })
		g.wantStopped(t, 1)
		put := start(func() error { return f.WriteFile(t.Context(), "docs/report", []byte("new")) })
		put.wantWaiting(t, "the put")
		g.open()
		cleaner.wantDone(t)
		put.wantDone(t)
		s.want(t, "docs/report=new")
	})
}

func TestWithoutLocksThePutIsSwept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRAM("docs/report")
		f := folder.New(s, lock.None())
		g := stopAt(s, "delete")
		cleaner := start(func() error { return f.DeleteFolder(t.Context(), "docs") })
		g.wantStopped(t, 1)
		ok(t, f.WriteFile(t.Context(), "docs/report", []byte("new"))) // 200 OK
		g.open()
		cleaner.wantDone(t)
		s.want(t)
	})
}

// Story 2: created into the bin. A file is created in a folder that another client renames away at that moment.
func TestFileCreatedDuringARenameIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRAM("a/x")
		f := locked(t, s)
		g := stopAt(s, "delete a/")
		rename := start(func() error { return f.RenameFolder(t.Context(), "a", "bin") })
		g.wantStopped(t, 1)
		put := start(func() error { return f.WriteFile(t.Context(), "a/x", []byte("new")) })
		put.wantWaiting(t, "the put")
		g.open()
		rename.wantDone(t)
		put.wantDone(t)
		s.want(t, "a/x=new", "bin/x=a/x")
	})
}

func TestWithoutLocksTheFileCreatedDuringARenameIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRAM("a/x")
		f := folder.New(s, lock.None())
		g := stopAt(s, "delete a/")
		rename := start(func() error { return f.RenameFolder(t.Context(), "a", "bin") })
		g.wantStopped(t, 1)
		ok(t, f.WriteFile(t.Context(), "a/x", []byte("new")))
		g.open()
		rename.wantDone(t)
		s.want(t, "bin/x=a/x")
	})
}

// Story 3: orphan loop. /a goes into /b while /b goes into /a.
func TestRenamesIntoEachOtherLoseNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRAM("a/1", "b/2")
		f := locked(t, s)
		g := stopAt(s, "copy")
		one := start(func() error { return f.RenameFolder(t.Context(), "a", "b/x") })
		g.wantStopped(t, 1)
		two := start(func() error { return f.RenameFolder(t.Context(), "b", "a/y") })
		two.wantWaiting(t, "the second rename")
		g.open()
		one.wantDone(t)
		two.wantDone(t)
		s.want(t, "a/y/2=b/2", "a/y/x/1=a/1")
	})
}

// Story 11: a hundred clones of one source run together, and its deletion waits for them.
func TestCopiesOfOneSourceRunTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRAM("source/x")
		f := locked(t, s)
		g := stopAt(s, "copy")
		var copies []*client
		for i := range 100 {
			copies = append(copies, start(func() error {
				return f.CopyFolder(t.Context(), "source", fmt.Sprintf("clone-%d", i))
			}))
		}
		g.wantStopped(t, 100)
		removal := start(func() error { return f.DeleteFolder(t.Context(), "source") })
		removal.wantWaiting(t, "the deletion of the source")
		g.open()
		for _, c := range copies {
			c.wantDone(t)
		}
		removal.wantDone(t)
		if n := len(s.dump()); n != 100 {
			t.Errorf("%d clones, want 100", n)
		}
	})
}

// Story 13: the target of a rename forgotten. Nobody may see or use the target while it is being made.
func TestTargetOfARenameIsGuardedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRAM("a/x", "a/y")
		f := locked(t, s)
		g := stopAt(s, "delete a/")
		rename := start(func() error { return f.RenameFolder(t.Context(), "a", "b") })
		g.wantStopped(t, 2)
		var files folder.Files
		read := start(func() (err error) { files, err = f.ReadFolder(t.Context(), "b"); return err })
		read.wantWaiting(t, "the read of the target")
		put := start(func() error { return f.WriteFile(t.Context(), "b/z", []byte("new")) })
		put.wantWaiting(t, "the put into the target")
		elsewhere := start(func() error { return f.WriteFile(t.Context(), "c", nil) })
		elsewhere.wantDone(t)
		g.open()
		rename.wantDone(t)
		read.wantDone(t)
		put.wantDone(t)
		if len(files) != 2 {
			t.Errorf("the read saw %d files, want the 2 that were renamed", len(files))
		}
		s.want(t, "b/x=a/x", "b/y=a/y", "b/z=new", "c=")
	})
}

// Story 8: a client that gives up waiting leaves nothing behind for those behind it.
func TestClientThatGivesUpHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRAM("a/x")
		f := locked(t, s)
		g := stopAt(s, "read")
		reader := start(func() error { _, err := f.ReadFolder(t.Context(), "a"); return err })
		g.wantStopped(t, 1)
		ctx, cancel := context.WithCancel(t.Context())
		writer := start(func() error { return f.DeleteFolder(ctx, "a") })
		writer.wantWaiting(t, "the writer")
		late := start(func() error { _, err := f.List(t.Context(), "a"); return err })
		late.wantWaiting(t, "the late reader")
		cancel()
		wantErr(t, <-writer.done, context.Canceled)
		late.wantDone(t)
		g.open()
		reader.wantDone(t)
		s.want(t, "a/x")
	})
}
