package treelock

import (
	"context"
	"slices"
)

// A Locker grants requests. Lock managers are Lockers, and so is a [Grant], for parts of what it
// holds. A program that uses Lockers changes its lock manager in one line.
type Locker[N Node[N]] interface {
	// Acquire waits until req is granted or ctx ends. It returns either a grant and a nil error, or
	// an error and nothing held.
	Acquire(ctx context.Context, req Request[N]) (Grant[N], error)

	// TryAcquire grants req at once or fails with ErrConflict, leaving no trace.
	TryAcquire(ctx context.Context, req Request[N]) (Grant[N], error)
}

// Do runs f while it holds req of locker, and releases req when f returns, panics or ends its
// goroutine. It returns f's error, or that of locker without calling f. A caller tells the two
// apart by [ErrGaveUp] and the other errors of this package.
//
// The context of f carries the grant: see [NewContext]. A goroutine that uses it after f has
// returned finds no grant there.
func Do[N Node[N]](
	ctx context.Context, locker Locker[N], req Request[N], f func(ctx context.Context) error,
) error {
	outer := carriedBy[N](ctx) // before the grant, as ctx may be user code, which may block
	grant, err := locker.Acquire(ctx, req)
	if err != nil {
		return err
	}
	defer grant.Release()
	return f(withGrant(ctx, grant, outer))
}

// AcquireFunc acquires the request that compute returns. It is for trees in which the way to a node
// can change before the node is locked: trees of ids, renames, links. It computes the request,
// acquires it, and computes it again while it holds the grant. If the two differ, it releases the
// grant and starts over with the second one.
//
// compute is called under ctx, without the grant the first time. Requests are equal if they have
// the same claims in the same order; labels and tags do not count. If compute fails or panics,
// AcquireFunc holds nothing; it returns the error of compute, or that of locker. Under constant
// change it starts over until ctx ends.
func AcquireFunc[N Node[N]](
	ctx context.Context, locker Locker[N], compute func(ctx context.Context) (Request[N], error),
) (Grant[N], error) {
	req, err := compute(ctx)
	for err == nil {
		var grant Grant[N]
		if grant, err = locker.Acquire(ctx, req); err != nil {
			break
		}
		var again Request[N]
		if again, err = computeHolding(ctx, grant, compute); err == nil {
			if sameClaims(&req, &again) {
				return grant, nil
			}
			req = again
		}
		grant.Release()
	}
	return Grant[N]{}, err
}

// computeHolding calls compute, and releases grant if it panics or ends its goroutine.
func computeHolding[N Node[N]](
	ctx context.Context, grant Grant[N], compute func(ctx context.Context) (Request[N], error),
) (req Request[N], err error) {
	returned := false
	defer func() {
		if !returned {
			grant.Release()
		}
	}()
	req, err = compute(ctx)
	returned = true
	return req, err
}

// sameClaims reports whether two requests have equal claims in the same order.
func sameClaims[N Node[N]](a, b *Request[N]) bool {
	if a.Len() != b.Len() {
		return false
	}
	return slices.Equal(slices.Collect(a.Claims()), slices.Collect(b.Claims()))
}
