package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/treelock/treelock/examples/objectfs/folder"
	"github.com/treelock/treelock/examples/objectfs/lock"
	"github.com/treelock/treelock/examples/objectfs/store"
	"github.com/treelock/treelock/manager"
)

// rounds is how often each client does its five operations in one iteration: so often that the
// moment when the last ones end does not count for much.
const rounds = 4

// BenchmarkEndToEnd measures a whole program: clients write, read, copy, rename and delete
// folders of a store as slow as a remote one. Each has a part of the tree of its own, so no two
// conflict. locks=none is the most that can be had. locks=global is what one RWMutex leaves of
// it, with few clients only, as it is slow.
//
//	go test ./examples/objectfs -run - -bench EndToEnd -benchtime 1x -count 10
func BenchmarkEndToEnd(b *testing.B) {
	for _, clients := range []int{1, 10, 32, 100, 256, 1000} {
		for _, locks := range []string{"tree", "none", "global"} {
			if locks == "global" && clients > 10 {
				continue
			}
			b.Run(fmt.Sprintf("locks=%s/latency=20ms/clients=%d", locks, clients), func(b *testing.B) {
				m := manager.Start(b.Context())
				locker := map[string]lock.Locker{"tree": lock.Tree(m), "none": lock.None(), "global": lock.Global()}[locks]
				f := folder.New(store.Slow(store.NewMemory(), 20*time.Millisecond), locker)
				for b.Loop() {
					var all errgroup.Group
					for i := range clients {
						all.Go(func() error { return fiveOperations(b.Context(), f, fmt.Sprintf("tenants/%04d", i)) })
					}
					if err := all.Wait(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N*clients*rounds*5)/b.Elapsed().Seconds(), "op/s")
			})
		}
	}
}

// fiveOperations does all operations on folders below home, some times over, and checks what is
// read.
func fiveOperations(ctx context.Context, f *folder.FS, home string) error {
	inbox, draft, archive := home+"/inbox", home+"/draft", home+"/archive"
	for round := range rounds {
		files := make(folder.Files)
		for i := range 4 {
			files[fmt.Sprint(i)] = fmt.Appendf(nil, "%s %d %d", home, round, i)
		}
		write := f.WriteFolder(ctx, inbox, files)
		read, err := f.ReadFolder(ctx, inbox)
		err = errors.Join(write, err, f.CopyFolder(ctx, inbox, draft),
			f.RenameFolder(ctx, draft, archive), f.DeleteFolder(ctx, archive))
		if diff := cmp.Diff(files, read); diff != "" || err != nil {
			return fmt.Errorf("%s, round %d: %w\n%s", home, round, err, diff)
		}
	}
	return nil
}
