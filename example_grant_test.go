package treelock_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// An owner hands parts of what it holds to helpers, which exclude each other only.
func ExampleGrant_Acquire() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	folder, err := m.Acquire(ctx, treelock.Write("/photos"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer folder.Release()
	helper, err := folder.Acquire(ctx, treelock.Write("/photos/2024"))
	fmt.Println(helper, err)
	_, err = folder.TryAcquire(ctx, treelock.Read("/photos/2024/may"))
	fmt.Println(errors.Is(err, treelock.ErrConflict))
	_, err = folder.Acquire(ctx, treelock.Read("/music"))
	fmt.Println(err)
	helper.Release()
	// Output:
	// grant #2 (token 1) <nil>
	// true
	// treelock: acquire read /music: the grant does not hold all of this
}

// A reader becomes a writer without letting another writer in between.
func ExampleGrant_Widen() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	grant, err := m.Acquire(ctx, treelock.Read("/config"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { grant.Release() }()
	// Read /config here, and find that it must change.
	grant, err = grant.Widen(ctx, treelock.Write("/config/limits"))
	fmt.Println(grant, err)
	fmt.Println(grant.Holds(treelock.Read("/config").Write("/config/limits")))
	// Output:
	// grant #1 (token 2) <nil>
	// true
}

// TryWiden fails where Widen would wait, and the grant keeps what it holds.
func ExampleGrant_TryWiden() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	first, _ := m.Acquire(ctx, treelock.Read("/config"))
	second, _ := m.Acquire(ctx, treelock.Read("/config"))
	_, err := first.TryWiden(ctx, treelock.Write("/config"))
	fmt.Println(errors.Is(err, treelock.ErrConflict), first.Holds(treelock.Read("/config")))
	second.Release()
	first, err = first.TryWiden(ctx, treelock.Write("/config"))
	fmt.Println(first, err)
	first.Release()
	// Output:
	// true true
	// grant #1 (token 3) <nil>
}

// A helper that locks what its caller holds would wait until its deadline. It is refused at once.
func ExampleNewContext() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)
	helper := func(ctx context.Context) error {
		return m.Do(ctx, treelock.Write("/tenant/42/users"), func(context.Context) error { return nil })
	}

	err := m.Do(ctx, treelock.Write("/tenant/42").Labeled("job"), helper) // Do calls NewContext
	fmt.Println(errors.Is(err, treelock.ErrDeadlock))
	var deadlock *treelock.DeadlockError[treelock.Path]
	if errors.As(err, &deadlock) {
		for _, step := range deadlock.Circle {
			fmt.Printf("#%d %s: %s\n", step.Number, step.Label, step.Link)
		}
	}
	// Output:
	// true
	// #2 : waits
	// #1 job: holder
}

// A helper that is fine with a caller who holds what it needs says so.
func ExampleInside() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)
	helper := func(ctx context.Context) error {
		return treelock.Do(ctx, treelock.Inside(ctx, m), treelock.Write("/tenant/42/users"),
			func(context.Context) error { return nil })
	}

	fmt.Println(helper(ctx)) // alone
	// Under a caller that holds the tenant:
	fmt.Println(m.Do(ctx, treelock.Write("/tenant/42"), helper))
	// Output:
	// <nil>
	// <nil>
}
