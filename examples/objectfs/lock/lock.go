// Package lock has the ways to guard the folders of an object store that are compared here: [Tree], by
// treelock; [Global], by one sync.RWMutex; and [None]. [Meter] measures what clients wait for any of
// them.
package lock

import (
	"context"
	"sync"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A Locker grants requests. Lock waits until req is granted, or ctx ends, and returns the function
// that releases it, which must be called once; on an error nothing is held. A Locker is safe for
// concurrent use.
type Locker interface {
	Lock(ctx context.Context, req treelock.Request[treelock.Path]) (unlock func(), err error)
}

// Tree guards folders by m: requests wait only for those that they conflict with.
func Tree(m *manager.Manager[treelock.Path]) Locker { return tree{m} }

type tree struct {
	manager *manager.Manager[treelock.Path]
}

func (t tree) Lock(ctx context.Context, req treelock.Request[treelock.Path]) (unlock func(), err error) {
	grant, err := t.manager.Acquire(ctx, req)
	if err != nil {
		return nil, err
	}
	return grant.Release, nil
}

// Global guards all folders by one sync.RWMutex: a request that writes anything excludes all others.
// As such a mutex knows no context, a Lock that waits goes on waiting when its context ends, and
// fails only then.
func Global() Locker { return new(global) }

type global struct {
	mu sync.RWMutex
}

func (g *global) Lock(ctx context.Context, req treelock.Request[treelock.Path]) (unlock func(), err error) {
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

// None guards nothing: every request is granted at once. It is there to show what that does.
func None() Locker { return none{} }

type none struct{}

func (none) Lock(ctx context.Context, _ treelock.Request[treelock.Path]) (unlock func(), err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return func() {}, nil
}
