// Package lock has the locks that objectfs compares: [Tree] is treelock, [Global] one
// sync.RWMutex, and [None] nothing. [Meter] measures how long requests wait for any of them.
package lock

import (
	"context"
	"sync"

	"github.com/treelock/treelock"
)

// A Request is one for paths.
type Request = treelock.Request[treelock.Path]

// A Locker grants requests. Lock waits until req is granted, and returns the function that
// releases it, which must be called once. If ctx ends first, Lock fails with the cause and
// nothing is held. A Locker is safe for concurrent use.
type Locker interface {
	Lock(ctx context.Context, req Request) (unlock func(), err error)
}

// Tree returns the locks of l: a request waits only for earlier ones that it conflicts with. With a
// grant as l, all requests are inside that grant: they exclude each other only. With the result of
// [treelock.Inside], those are that lie inside a grant of the caller.
func Tree(l treelock.Locker[treelock.Path]) Locker { return tree{l} }

type tree struct {
	locker treelock.Locker[treelock.Path]
}

func (t tree) Lock(ctx context.Context, req Request) (unlock func(), err error) {
	grant, err := t.locker.Acquire(ctx, req)
	if err != nil {
		return nil, err
	}
	return grant.Release, nil
}

// Global returns one sync.RWMutex for all paths: a request that writes excludes all others. As
// such a mutex knows no context, a Lock whose context ends waits on, and fails only then.
func Global() Locker { return new(global) }

type global struct {
	mu sync.RWMutex
}

func (g *global) Lock(ctx context.Context, req Request) (unlock func(), err error) {
	lock, unlock := g.mu.RLock, g.mu.RUnlock
	for claim := range req.Claims() {
		if claim.Access == treelock.Exclusive {
			lock, unlock = g.mu.Lock, g.mu.Unlock
		}
	}
	lock()
	if ctx.Err() != nil {
		unlock()
		return nil, context.Cause(ctx)
	}
	return unlock, nil
}

// None returns locks that grant every request at once, to show the damage of that.
func None() Locker { return none{} }

type none struct{}

func (none) Lock(ctx context.Context, _ Request) (unlock func(), err error) {
	return func() {}, context.Cause(ctx)
}
