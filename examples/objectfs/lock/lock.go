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

// A Locker grants requests. Lock waits until req is granted. If ctx ends first, Lock fails with the
// cause and nothing is held. A Locker is safe for concurrent use.
type Locker interface {
	Lock(ctx context.Context, req Request) (Held, error)
}

// A Held is a request that is granted.
type Held interface {
	// Unlock releases it, and must be called once.
	Unlock()

	// Narrow gives up all but req, which must lie inside it.
	Narrow(req Request) error

	// Context returns ctx for work under what is held. So the store can learn what that is.
	Context(ctx context.Context) context.Context

	// Inside returns the locks for parts of what is held, until Unlock. Requests for these exclude one
	// another only.
	Inside() Locker
}

// Tree returns the locks of l: a request waits only for earlier ones that it conflicts with. With a
// grant as l, all requests are inside that grant: they exclude each other only. With the result of
// [treelock.Inside], those are that lie inside a grant of the caller.
func Tree(l treelock.Locker[treelock.Path]) Locker { return tree{l} }

type tree struct {
	locker treelock.Locker[treelock.Path]
}

func (t tree) Lock(ctx context.Context, req Request) (Held, error) {
	grant, err := t.locker.Acquire(ctx, req)
	if err != nil {
		return nil, err
	}
	return treeHeld{grant}, nil
}

type treeHeld struct{ treelock.Grant[treelock.Path] }

func (h treeHeld) Unlock()        { h.Release() }
func (h treeHeld) Inside() Locker { return Tree(h.Grant) }

func (h treeHeld) Context(ctx context.Context) context.Context {
	return treelock.NewContext(ctx, h.Grant)
}

// Global returns one sync.RWMutex for all paths: a request that writes excludes all others. As
// such a mutex knows no context, a Lock whose context ends waits on, and fails only then.
func Global() Locker { return new(global) }

type global struct {
	mu sync.RWMutex
}

func (g *global) Lock(ctx context.Context, req Request) (Held, error) {
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
	return whole(unlock), nil
}

// A whole is held to its end: it cannot be narrowed, and no lock excludes its parts from one
// another.
type whole func()

func (w whole) Unlock()                                   { w() }
func (whole) Narrow(Request) error                        { return nil }
func (whole) Context(ctx context.Context) context.Context { return ctx }
func (whole) Inside() Locker                              { return None() }

// None returns locks that grant every request at once, to show the damage of that.
func None() Locker { return none{} }

type none struct{}

func (none) Lock(ctx context.Context, _ Request) (Held, error) {
	return whole(func() {}), context.Cause(ctx)
}
