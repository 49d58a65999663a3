package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"github.com/treelock/treelock/examples/objectfs/folder"
	"github.com/treelock/treelock/examples/objectfs/store"
)

// rounds is how often each client goes through its operations in one iteration: often enough that
// the moment when the last ones end does not count for much.
const rounds = 4

// BenchmarkEndToEnd is what a program gets of all this: clients that write, read, copy, rename and delete whole folders of a
// bucket as slow as a remote one, each in a part of the tree of its own, so that no two operations conflict. In one
// iteration each client does 20 operations; op/s is what counts. locks=none is the most that can be
// had, locks=global what one RWMutex leaves of it (with few clients only: it would take too long).
//
//	go test ./examples/objectfs -run - -bench EndToEnd -benchtime 1x -count 10
func BenchmarkEndToEnd(b *testing.B) {
	for _, clients := range []int{1, 10, 32, 100, 256, 1000} {
		for _, locks := range []string{locksTree, locksNone, locksGlobal} {
			if locks == locksGlobal && clients > 10 {
				continue
			}
			b.Run(fmt.Sprintf("locks=%s/latency=20ms/clients=%d", locks, clients), func(b *testing.B) {
				endToEnd(b, locks, clients)
			})
		}
	}
}

func endToEnd(b *testing.B, locks string, clients int) {
	locker, stop, err := newLocker(locks, "", io.Discard)
	if err != nil {
		b.Fatal(err)
	}
	defer stop()
	bucket := memblob.OpenBucket(nil)
	defer bucket.Close()
	fast := store.NewBucket(bucket)
	tenants := make([]tenant, clients)
	for i := range tenants {
		tenants[i] = tenant{fs: folder.New(store.Slow(fast, 20*time.Millisecond), locker), home: fmt.Sprintf("tenants/%04d", i)}
	}
	done := 0
	for b.Loop() {
		var all sync.WaitGroup
		errs := make(chan error, clients)
		for i := range tenants {
			all.Go(func() { errs <- tenants[i].work(b.Context()) })
		}
		all.Wait()
		for range clients {
			if err := <-errs; err != nil {
				b.Fatal(err)
			}
		}
		done += clients * rounds * opsPerRound
	}
	b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "op/s")
	check := folder.New(fast, locker)
	for _, t := range tenants {
		t.fs = check
		if err := t.verify(b.Context()); err != nil {
			b.Error(err)
		}
	}
}

// A tenant is a client with a part of the tree of its own.
type tenant struct {
	fs      *folder.FS
	home    string
	version int // of what is in the folder "inbox"
}

const opsPerRound = 5

// work does all operations some times over.
func (t *tenant) work(ctx context.Context) error {
	inbox, draft, archive := t.home+"/inbox", t.home+"/draft", t.home+"/archive"
	for range rounds {
		t.version++
		steps := [opsPerRound]func() error{
			func() error { return t.fs.WriteFolder(ctx, inbox, t.files()) },
			func() error { return t.verify(ctx) },
			func() error { return t.fs.CopyFolder(ctx, inbox, draft) },
			func() error { return t.fs.RenameFolder(ctx, draft, archive) },
			func() error { return t.fs.DeleteFolder(ctx, archive) },
		}
		for i, step := range steps {
			if err := step(); err != nil {
				return fmt.Errorf("%s, version %d, step %d: %w", t.home, t.version, i, err)
			}
		}
	}
	return nil
}

// files returns what the inbox holds.
func (t *tenant) files() folder.Files {
	files := make(folder.Files)
	for i := range 4 {
		files[fmt.Sprintf("%d.txt", i)] = fmt.Appendf(nil, "%s %d %d", t.home, t.version, i)
	}
	return files
}

// verify reads the inbox and compares it with what was written.
func (t *tenant) verify(ctx context.Context) error {
	got, err := t.fs.ReadFolder(ctx, t.home+"/inbox")
	if err != nil {
		return err
	}
	if len(got) != len(t.files()) {
		return fmt.Errorf("%s/inbox has %d files, want %d", t.home, len(got), len(t.files()))
	}
	for name, want := range t.files() {
		if string(got[name]) != string(want) {
			return fmt.Errorf("%s/inbox/%s holds %q, want %q", t.home, name, got[name], want)
		}
	}
	return nil
}
