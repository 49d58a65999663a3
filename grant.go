package treelock

import (
	"context"
	"log/slog"
	"strconv"
)

// A Grant is a request that is held, until it is released or lost (see [Grant.Lost]). It is a small
// value that may be copied, and all copies mean the same hold. The zero Grant holds nothing.
//
// A Grant is also a [Locker]: it grants requests for parts of what it holds. See [Grant.Acquire].
//
// Its methods are safe for concurrent use. They cost one message to the lock manager, unless they
// say otherwise.
type Grant[N Node[N]] struct {
	source        *Source[N] // nil for the zero Grant
	ref           *Ref
	number, token uint64
}

// An Engine is the lock manager behind a [Grant]: each method of a Grant calls that of its engine.
// It is for authors of lock managers; other programs have no need of it. What a method promises is
// said at the method of Grant. All methods are safe for concurrent use.
type Engine[N Node[N]] interface {
	Acquire(ctx context.Context, h Hold, req Request[N]) (Grant[N], error)
	TryAcquire(ctx context.Context, h Hold, req Request[N]) (Grant[N], error)
	Narrow(h Hold, req Request[N]) error
	Widen(ctx context.Context, h Hold, req Request[N]) (Grant[N], error)
	TryWiden(ctx context.Context, h Hold, req Request[N]) (Grant[N], error)
	Holds(h Hold, req Request[N]) bool
	Release(h Hold)
	Lost(h Hold) <-chan struct{}
	Err(h Hold) error
	Wanted(h Hold) <-chan struct{}
}

// A Hold is how an [Engine] names one of its grants.
type Hold struct {
	Ref    *Ref
	Number uint64
	Token  uint64
}

// A Ref is where an [Engine] keeps what it finds a grant by. A Grant has its address and never
// looks into it.
//
// It is behind a pointer so that a Grant has four words: Go returns larger values through memory,
// and then BenchmarkLock in manager/bench takes 4% longer with 32 clients.
type Ref struct{ Value any }

// A Source makes the grants of one [Engine].
type Source[N Node[N]] struct{ engine Engine[N] }

// NewSource returns the Source of engine. An engine needs one.
func NewSource[N Node[N]](engine Engine[N]) *Source[N] { return &Source[N]{engine} }

// Grant returns the grant that the engine calls h.
func (s *Source[N]) Grant(h Hold) Grant[N] { return Grant[N]{s, h.Ref, h.Number, h.Token} }

// Engine returns the lock manager that made the grant, nil for the zero Grant. [Inside] compares
// engines.
func (g Grant[N]) Engine() Engine[N] {
	if g.source == nil {
		return nil
	}
	return g.source.engine
}

// Hold returns how the engine names the grant.
func (g Grant[N]) Hold() Hold { return Hold{g.ref, g.number, g.token} }

// Release ends the hold, and the requests that waited only for it are granted. It never waits for
// other clients. It does nothing on a grant of which any copy was released before, on one that was
// lost, on the zero Grant, and after the lock manager has stopped. It costs O(d), with d the number
// of the nodes that the grant holds and their ancestors.
//
// Grants inside this one stay valid. What the grant holds is given up when they are released, too.
// Requests that wait inside it, and new ones, fail with [ErrReleased].
func (g Grant[N]) Release() {
	if g.source != nil {
		g.source.engine.Release(g.Hold())
	}
}

// Narrow makes the grant hold req instead of what it holds, and grants the requests that waited
// only for the rest. Every claim of req must lie inside a claim that the grant holds. So a write
// may become a read, a subtree may become a smaller one or its top node, and a claim may go.
// Otherwise the error is [ErrNotHeld], and nothing changes.
//
// The error is also ErrNotHeld if the grant is over, if a live request inside the grant would fall
// outside, and where a claimed node has moved (see [Node]) so that another request holds what req
// names. It is [ErrStopped] if the lock manager has stopped, and [ErrTooWide] or an error of a node
// as for Acquire.
//
// Narrow applies to all copies of the grant, and never waits for other clients. The number, the
// token and the label stay. Narrow allocates, and costs O(d). A move to nodes further down, which
// waiting requests claim with a conflict, costs O(d) more for each request that waits at or below
// what the grant held.
func (g Grant[N]) Narrow(req Request[N]) error {
	if g.source == nil {
		return ErrNotHeld
	}
	return g.source.engine.Narrow(g.Hold(), req)
}

// Widen waits, while g keeps what it holds, until g holds req as well. It returns g with its new
// token. On error it returns g, which holds what it held. So a read becomes a write, and a grant of
// the empty request becomes a transaction that takes locks as it goes.
//
// What req adds has its own place in the order of arrival, that of the call. One exception lets a
// grant be widened while other requests wait for it: at a node that g holds, it passes the requests
// that wait there for g itself. They cannot be granted before g ends or narrows, so they lose
// nothing. Claims that g holds already add nothing; if no other is left, nothing changes, and g
// keeps its token.
//
// A Widen that would close a circle of requests that wait for one another fails at once with a
// [DeadlockError]. Its caller must release g before it tries again: what g holds is in the circle.
//
// The error is [ErrWidening] while another Widen of g waits, [ErrReleased] if g was released, or is
// meanwhile, [ErrLost] likewise, [ErrNotHeld] for a sub-grant that would leave its grant,
// [errors.ErrUnsupported] for a grant of package cluster that is no sub-grant, and otherwise as for
// the Acquire of the lock manager. If ctx ends, the widening may be granted at the same moment:
// then Widen returns the grant and no error.
//
// A widening that need not wait costs O(d), with d the nodes that g holds and that req adds, and
// their ancestors. One that waits also costs the search for a circle: the nodes of those requests
// that wait for g, directly or through others.
func (g Grant[N]) Widen(ctx context.Context, req Request[N]) (Grant[N], error) {
	if g.source == nil {
		return g, ErrNotHeld
	}
	return g.source.engine.Widen(ctx, g.Hold(), req)
}

// TryWiden is [Grant.Widen] that does not wait: it fails with [ErrConflict] where Widen would wait,
// and leaves no trace then.
func (g Grant[N]) TryWiden(ctx context.Context, req Request[N]) (Grant[N], error) {
	if g.source == nil {
		return g, ErrNotHeld
	}
	return g.source.engine.TryWiden(ctx, g.Hold(), req)
}

// Holds reports whether every claim of req lies inside what the grant holds now. It is false for a
// grant that is over, and for a node that the lock manager refuses. A grant that was released holds
// nothing for this purpose, even while grants inside it live.
func (g Grant[N]) Holds(req Request[N]) bool {
	return g.source != nil && g.source.engine.Holds(g.Hold(), req)
}

// Acquire waits until req is granted inside g, or ctx ends. Every claim of req must lie inside what
// g holds, else the error is [ErrNotHeld]. Requests inside one grant are admitted by the rule of
// the lock manager among themselves alone: requests from outside play no part, as g keeps them out.
// So an owner works below its own lock and hands parts of it to goroutines that exclude each other.
//
// The result is a sub-grant. It has its own number and the token of g, and it must be released.
// Requests inside a sub-grant nest to any depth. The error is [ErrReleased] if g was released, or
// is while the request waits, and [ErrLost] with its cause if g was lost, or is meanwhile. Other
// errors and the cost are those of an Acquire of the lock manager.
func (g Grant[N]) Acquire(ctx context.Context, req Request[N]) (Grant[N], error) {
	if g.source == nil {
		return Grant[N]{}, ErrNotHeld
	}
	return g.source.engine.Acquire(ctx, g.Hold(), req)
}

// TryAcquire grants req inside g at once, as [Grant.Acquire] does, or fails with [ErrConflict],
// leaving no trace.
func (g Grant[N]) TryAcquire(ctx context.Context, req Request[N]) (Grant[N], error) {
	if g.source == nil {
		return Grant[N]{}, ErrNotHeld
	}
	return g.source.engine.TryAcquire(ctx, g.Hold(), req)
}

// Lost returns a channel that is closed when the grant is lost while it is held: it was revoked, a
// grant that it lies inside was revoked, or the lock manager has stopped. [Grant.Err] says why.
// From then on other requests may hold the same claims. The grant need not be released, but may be.
//
// Release does not close the channel, so a goroutine that waits for it must also wait for the end
// of its own work. While the grant is held, all copies and repeated calls get the same channel. A
// grant that was lost before the call gives a closed channel, and one that was released, like the
// zero Grant, a nil channel. After the lock manager has stopped the channel is closed in both
// cases. Only grants that are asked cost more: the first call allocates.
func (g Grant[N]) Lost() <-chan struct{} {
	if g.source == nil {
		return nil
	}
	return g.source.engine.Lost(g.Hold())
}

// Err returns nil if the grant is held for certain, at a moment between the call and its return. It
// returns [ErrReleased] if the grant was released, even while grants inside it live, and ErrNotHeld
// for the zero Grant. If the grant was revoked, or a grant that it lies inside, the error satisfies
// errors.Is for [ErrLost] and for the cause. Once the lock manager has stopped, it does so for
// ErrLost, ErrStopped and the cause of that, whether the grant was released or not.
//
// The lock manager may remember a bounded number of revocations (see Revoke there). Beyond that Err
// returns ErrReleased.
func (g Grant[N]) Err() error {
	if g.source == nil {
		return ErrNotHeld
	}
	return g.source.engine.Err(g.Hold())
}

// Wanted returns a channel that is closed when a request waits for what the grant holds, or a grant
// that it lies inside. It is for long work that steps aside when it is asked to. The channel is
// closed from the beginning if such a request waits already, and stays closed if that request gives
// up.
//
// While the grant is held, all copies and repeated calls get the same channel. It is not closed
// once the grant is over, and is nil if it was over before the call.
//
// The first call allocates. Until the channel is closed or the grant is over, each request that
// arrives and has to wait costs O(d) more, with d the number of the nodes that the grant holds and
// their ancestors. Other grants cost nothing.
func (g Grant[N]) Wanted() <-chan struct{} {
	if g.source == nil {
		return nil
	}
	return g.source.engine.Wanted(g.Hold())
}

// Number returns the place of the request in the order of arrival. It never changes, and errors,
// snapshots and logs name the request by it. Numbers begin at 1; the zero Grant has the number 0.
// It sends no message.
func (g Grant[N]) Number() uint64 { return g.number }

// Token returns the fencing token, which is the place in the order of grants: among conflicting
// grants of one lock manager, a later grant has a larger token. It is not the number, as requests
// may be granted in another order than they arrive. All copies of a grant have its token, and
// [Grant.Narrow] keeps it. A sub-grant has the token of its grant. The zero Grant has the token 0.
// Token sends no message.
//
// A store that remembers the largest token it has seen can refuse a holder that another one has
// succeeded, say after a long pause. (The scheme is that of the lock sequencers in Burrows, "The
// Chubby lock service", 2006.)
func (g Grant[N]) Token() uint64 { return g.token }

// String names the grant for a log line: "grant #7 (token 12)", or "no grant" for the zero Grant.
func (g Grant[N]) String() string {
	if g.source == nil {
		return "no grant"
	}
	number, token := strconv.FormatUint(g.number, 10), strconv.FormatUint(g.token, 10)
	return "grant #" + number + " (token " + token + ")"
}

// LogValue returns a group of the number and the token.
func (g Grant[N]) LogValue() slog.Value {
	return slog.GroupValue(slog.Uint64("number", g.number), slog.Uint64("token", g.token))
}
