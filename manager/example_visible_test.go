package manager_test

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A refusal names the blockers.
func ExampleManager_TryAcquire_blocked() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	backup, err := m.Acquire(ctx, treelock.Read("/photos").Labeled("backup 3"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer backup.Release()

	_, err = m.TryAcquire(ctx, treelock.Write("/photos/2024", "/photos/2025").Labeled("rename 17"))
	var blocked *treelock.BlockedError[treelock.Path]
	if errors.As(err, &blocked) {
		b := blocked.Blockers[0]
		fmt.Printf("%s wants to %v, and %s is %v %v\n", blocked.Label, b.Wanted, b.Label, b.State, b.Claim)
	}
	// Output:
	// rename 17 wants to write /photos/2024, and backup 3 is holding read /photos
}

// A snapshot shows holders, and waiters with their blockers.
func ExampleManager_Snapshot() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	m.Submit(ctx, treelock.Read("/photos").Labeled("backup 3"))
	m.Submit(ctx, treelock.Write("/photos/2024").Labeled("rename 17"))
	m.Submit(ctx, treelock.Write("/music").Labeled("import 4"))

	s, err := m.Snapshot(ctx, manager.Query[treelock.Path]{Below: []treelock.Path{"/photos"}, Limit: 100})
	if err != nil {
		fmt.Println(err)
		return
	}
	for r := range s.All() {
		fmt.Printf("#%d %s: %v %v", r.Number, r.Label, r.State, r.Claims[0])
		if r.State == treelock.Waiting {
			fmt.Print(", for ", r.BlockedBy)
		}
		fmt.Println()
	}
	fmt.Printf("%d of %d\n", len(s.Holders)+len(s.Waiters), s.Stats.Live)
	// Output:
	// #2 rename 17: waiting write /photos/2024, for [1]
	// #1 backup 3: holding read /photos
	// 2 of 3
}

// Statistics are a plain struct, and a variable of package expvar.
func ExampleManager_Stats() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)
	expvar.Publish("locks", m.Var())

	for range 3 {
		m.Do(ctx, treelock.Write("/a"), func(context.Context) error { return nil })
	}
	s := m.Stats()
	fmt.Println(s.Granted, "granted,", s.Released, "released,", s.Live, "live")
	// Output:
	// 3 granted, 3 released, 0 live
}

// A grant that is not released is reported again and again, with where it was acquired.
func ExampleWithSlowLog() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx, manager.WithSlowLog(manager.SlowLog{
		Wait:   time.Second,
		Hold:   time.Minute,
		Sites:  true,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}))
	m.Do(ctx, treelock.Write("/a"), func(context.Context) error { return nil }) // is not slow
	// Output:
}
