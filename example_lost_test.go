package treelock_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// An operator ends the grant of a job that hangs. The job learns of it, and of the reason.
func ExampleGrant_Lost() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	grant, _ := m.Acquire(ctx, treelock.Write("/docs").Labeled("import"))
	number := grant.Number() // as snapshots and errors show it
	go func() {
		if err := m.Revoke(ctx, number, errors.New("it has hung since noon")); err != nil {
			fmt.Println(err)
		}
	}()

	work := make(chan struct{}) // closed when the work is done
	select {
	case <-work:
		grant.Release()
	case <-grant.Lost():
		fmt.Println(grant.Err())
		fmt.Println(errors.Is(grant.Err(), treelock.ErrLost))
	}
	// Output:
	// treelock: the request was lost: it has hung since noon
	// true
}

var errExpired = errors.New("the lease has expired")

// lease acquires req for at most ttl. The timer needs no stop, as it does nothing to a grant that
// was released: its number is never used again.
func lease(
	ctx context.Context, m *manager.Manager[treelock.Path], req treelock.Request[treelock.Path],
	ttl time.Duration,
) (treelock.Grant[treelock.Path], error) {
	grant, err := m.Acquire(ctx, req)
	if err == nil {
		time.AfterFunc(ttl, func() { m.Revoke(context.Background(), grant.Number(), errExpired) })
	}
	return grant, err
}

// A lease is a grant that ends by itself. A holder that may be slow passes its token with each
// write, so that the store can refuse it.
func ExampleGrant_Lost_lease() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	stale, _ := lease(ctx, m, treelock.Write("/docs"), time.Millisecond)
	next, err := m.Acquire(ctx, treelock.Write("/docs")) // waits for the end of the lease
	fmt.Println(err)
	fmt.Println(errors.Is(stale.Err(), errExpired), next.Err(), stale.Token() < next.Token())
	stale.Release() // has no effect any more
	next.Release()
	// Output:
	// <nil>
	// true <nil> true
}

// Long work steps aside when another client waits for what it holds.
func ExampleGrant_Wanted() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	grant, _ := m.Acquire(ctx, treelock.Write("/index"))
	wanted := grant.Wanted()
	for page := 1; ; page++ {
		if page == 3 {
			m.Submit(ctx, treelock.Read("/index/words")) // another client
		}
		select {
		case <-wanted:
			fmt.Println("stepping aside before page", page)
			grant.Release()
			return
		default:
			fmt.Println("indexing page", page)
		}
	}
	// Output:
	// indexing page 1
	// indexing page 2
	// stepping aside before page 3
}
