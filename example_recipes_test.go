package treelock_test

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// parents is a tree in a database: the parent of each id, which a move changes.
var parents sync.Map

// pathTo returns the ids from below the root down to id, as a path.
func pathTo(id string) treelock.Path {
	var ids []string
	for id != "root" {
		ids = append(ids, id)
		parent, _ := parents.Load(id)
		id = parent.(string)
	}
	slices.Reverse(ids)
	return treelock.PathOf(ids...)
}

// move moves id below dst. While it waits, other moves may change where the two are: AcquireFunc
// looks again once it holds them.
func move(ctx context.Context, m *manager.Manager[treelock.Path], id, dst string) error {
	grant, err := treelock.AcquireFunc(ctx, m,
		func(context.Context) (req treelock.Request[treelock.Path], err error) {
			if pathTo(id).Contains(pathTo(dst)) {
				return req, fmt.Errorf("%s is inside what is moved", dst)
			}
			return treelock.Write(pathTo(id), pathTo(dst)), nil
		})
	if err != nil {
		return err
	}
	defer grant.Release()
	parents.Store(id, dst)
	return nil
}

// Two moves of folders into each other: without the second look both could succeed, and no way
// would lead from the root to the two folders.
func ExampleAcquireFunc() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)
	parents.Store("a", "root")
	parents.Store("b", "root")

	errs := make(chan error, 2)
	go func() { errs <- move(ctx, m, "a", "b") }()
	go func() { errs <- move(ctx, m, "b", "a") }()
	first, second := <-errs, <-errs
	fmt.Println("one of two was refused:", (first == nil) != (second == nil))
	// Output: one of two was refused: true
}

// subtree returns the smallest subtree that has everything that matches a pattern of package path.
// It may have more, so requests may wait without need, which is safe.
func subtree(pattern string) treelock.Path {
	if i := strings.IndexAny(pattern, `*?[\`); i >= 0 {
		pattern = path.Dir(pattern[:i] + "x")
	}
	return treelock.CleanPath(pattern)
}

// A request for a glob claims the subtree that has all matches, also those that do not exist yet.
func ExampleRead_globs() {
	for _, pattern := range []string{"/photos/2024/*.jpg", "/photos/20??/may", "/notes.txt", "/*"} {
		fmt.Println(treelock.Read(subtree(pattern)))
	}
	// Output:
	// read /photos/2024
	// read /photos
	// read /notes.txt
	// read /
}

// transact runs f, which takes locks as it goes. If two transactions wait for each other, one is
// refused: it releases what it holds, and begins again. So f must change nothing before its last
// lock.
func transact(
	ctx context.Context, m *manager.Manager[treelock.Path],
	f func(lock func(treelock.Request[treelock.Path]) error) error,
) error {
	for {
		tx, err := m.Acquire(ctx, treelock.For[treelock.Path]()) // it holds nothing yet
		if err != nil {
			return err
		}
		err = f(func(req treelock.Request[treelock.Path]) (err error) {
			tx, err = tx.Widen(ctx, req)
			return err
		})
		tx.Release()
		if !errors.Is(err, treelock.ErrDeadlock) {
			return err
		}
	}
}

// Two transactions take the same locks in different orders, which would hang with mutexes.
func ExampleGrant_Widen_transaction() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)
	alice, bob := 100, 100
	transfer := func(from, to treelock.Path, amount int) error {
		return transact(ctx, m, func(lock func(treelock.Request[treelock.Path]) error) error {
			for _, account := range []treelock.Path{from, to} {
				if err := lock(treelock.Write(account)); err != nil {
					return err
				}
			}
			alice, bob = alice-amount, bob+amount
			return nil
		})
	}

	errs := make(chan error, 20)
	for range 10 {
		go func() { errs <- transfer("/alice", "/bob", 1) }()
		go func() { errs <- transfer("/bob", "/alice", -1) }()
	}
	for range 20 {
		if err := <-errs; err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(alice, bob)
	// Output: 100 100
}
