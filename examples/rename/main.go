// Command rename renames folders of a store that has files only, so that a rename takes one step
// for each file. Two goroutines rename the same folder at once, and neither finds it half renamed.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// store holds the text of each file by its name.
var store sync.Map

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)
	for i := range 10 {
		store.Store(fmt.Sprintf("/drafts/%d.txt", i), "text")
	}
	errs := make(chan error, 2)
	go func() { errs <- renameOften(ctx, m, "/drafts", "/final") }()
	go func() { errs <- renameOften(ctx, m, "/final", "/drafts") }()
	if err := errors.Join(<-errs, <-errs); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("2 goroutines, 1000 renames each: every rename found all 10 files, or none")
}

// renameOften renames src to dst a thousand times, and fails if it finds only some of the files.
func renameOften(ctx context.Context, m *manager.Manager[treelock.Path], src, dst treelock.Path) error {
	for range 1000 {
		// Write on both folders excludes all other use of them and of everything below them.
		err := m.Do(ctx, treelock.Write(src, dst), func(context.Context) error {
			if n := rename(src, dst); n != 0 && n != 10 {
				return fmt.Errorf("rename %s to %s: found %d of 10 files", src, dst, n)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rename moves each file below src to dst, and returns how many it moved. Its caller holds both.
func rename(src, dst treelock.Path) (n int) {
	for name, text := range store.Range {
		if rest, ok := strings.CutPrefix(name.(string), string(src)+"/"); ok {
			store.Store(string(dst)+"/"+rest, text)
			store.Delete(name)
			n++
		}
	}
	return n
}
