package treelock

import (
	"context"
	"iter"
	"sync/atomic"
)

// carried is the value of a context that carries grants: the innermost grant, and the value of the
// context around it.
type carried[N Node[N]] struct {
	grant Grant[N]
	outer *carried[N]
}

// carriedKey is the key of a carried. Grants of different node types do not meet.
type carriedKey[N Node[N]] struct{}

// NewContext returns a context that carries grant, besides the grants that ctx carries. It has two
// effects, and a request under it is otherwise like any other:
//
//   - A blocking call on the same lock manager that would wait for a grant that its context
//     carries, directly or through other requests, fails at once with a [DeadlockError]. Otherwise
//     it would wait until its deadline.
//   - [Inside] finds the grant.
//
// Only requests that have to wait, and Inside, look at what a context carries. A grant that is over
// counts for nothing. [Do] calls NewContext.
func NewContext[N Node[N]](ctx context.Context, grant Grant[N]) context.Context {
	return withGrant(ctx, grant, carriedBy[N](ctx))
}

// withGrant is NewContext for a ctx that carries outer.
func withGrant[N Node[N]](ctx context.Context, grant Grant[N], outer *carried[N]) context.Context {
	if !carries.Load() {
		carries.Store(true)
	}
	return context.WithValue(ctx, carriedKey[N]{}, &carried[N]{grant, outer})
}

// FromContext returns the grant that was put into ctx last, which may be over by now. ok is false
// if there is none.
func FromContext[N Node[N]](ctx context.Context) (grant Grant[N], ok bool) {
	if c := carriedBy[N](ctx); c != nil {
		return c.grant, true
	}
	return Grant[N]{}, false
}

// GrantsOf returns an iterator over all grants that ctx carries, the innermost first. Some of them
// may be over, or be grants of several lock managers.
func GrantsOf[N Node[N]](ctx context.Context) iter.Seq[Grant[N]] {
	return func(yield func(Grant[N]) bool) {
		for c := carriedBy[N](ctx); c != nil && yield(c.grant); {
			c = c.outer
		}
	}
}

// carriedBy returns what ctx carries, nil if that is nothing.
func carriedBy[N Node[N]](ctx context.Context) *carried[N] {
	if !carries.Load() {
		return nil
	}
	c, _ := ctx.Value(carriedKey[N]{}).(*carried[N])
	return c
}

// carries is set once a context carries a grant. Before that no context is looked into, so a
// program without such contexts pays nothing for them: a look takes some 30 ns of an acquire
// (BenchmarkLock in manager/bench). It orders nothing: a context reaches a goroutine after
// NewContext has set it.
var carries atomic.Bool

// Inside returns a Locker for helpers that are fine with a caller who already holds what they need.
// A request through it is made inside a grant that ctx carries, if the request lies inside that
// grant, and otherwise on locker. So a helper that locks /tenant/42/users works alone, and also
// under a caller that holds /tenant/42. Of several such grants the innermost is used.
//
// Only grants of locker's lock manager count. That is known for a lock manager and for a [Grant];
// for a Locker of another type Inside returns locker itself.
//
// Each request costs one message more for each grant of that manager in ctx, until one is found.
func Inside[N Node[N]](ctx context.Context, locker Locker[N]) Locker[N] {
	carried := carriedBy[N](ctx)
	owner, known := locker.(interface{ Engine() Engine[N] })
	if carried == nil || !known {
		return locker
	}
	return inside[N]{carried, owner.Engine(), locker}
}

// An inside is the Locker that Inside returns.
type inside[N Node[N]] struct {
	carried *carried[N]
	engine  Engine[N]
	locker  Locker[N]
}

func (i inside[N]) Acquire(ctx context.Context, req Request[N]) (Grant[N], error) {
	return i.lockerFor(req).Acquire(ctx, req)
}

func (i inside[N]) TryAcquire(ctx context.Context, req Request[N]) (Grant[N], error) {
	return i.lockerFor(req).TryAcquire(ctx, req)
}

// lockerFor returns the innermost grant that req lies inside, or the locker.
func (i inside[N]) lockerFor(req Request[N]) Locker[N] {
	for c := i.carried; c != nil; c = c.outer {
		if c.grant.Engine() == i.engine && c.grant.Holds(req) {
			return c.grant
		}
	}
	return i.locker
}

// Engine returns the lock manager of the locker.
func (i inside[N]) Engine() Engine[N] { return i.engine }
