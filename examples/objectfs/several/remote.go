package main

import (
	"context"
	"math/rand/v2"
	"net/rpc"
	"strings"
	"sync/atomic"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/objectfs/job"
	"github.com/treelock/treelock/examples/objectfs/lock"
	"github.com/treelock/treelock/examples/objectfs/store"
)

// A remote is the store and the ledger of a worker: those of the parent.
type remote struct {
	parent  *rpc.Client
	latency time.Duration
	between atomic.Bool // call Between before the next write
}

var (
	_ store.Store = (*remote)(nil)
	_ job.Ledger  = (*remote)(nil)
)

// ask calls a method of [Calls]. It waits for the answer even if a context ends: a write that was
// sent and not answered is still under way.
func (r *remote) ask(method string, args any) (reply Reply, err error) {
	if err := r.parent.Call("Calls."+method, args, &reply); err != nil {
		return Reply{}, err
	}
	return reply, reply.Failure.err()
}

// call does an operation on the store. It looks whether the grant is still held, and then sends the
// call, which takes a while to arrive. A process that is paused in between writes late: only the
// store can refuse that.
func (r *remote) call(ctx context.Context, c Call) (Reply, error) {
	if ctx.Err() != nil {
		return Reply{}, context.Cause(ctx)
	}
	h := heldBy(ctx)
	if err := h.grant.Err(); err != nil {
		return Reply{}, err
	}
	if c.changes() && r.between.CompareAndSwap(true, false) {
		if _, err := r.ask("Between", struct{}{}); err != nil {
			return Reply{}, err
		}
	}
	if r.latency > 0 {
		time.Sleep(r.latency/2 + rand.N(r.latency))
	}
	c.By = h.by
	reply, err := r.ask("Call", c)
	if reply.Between {
		r.between.Store(true)
	}
	return reply, err
}

// List is that of [store.Store], as are Read, Write, Copy and Delete. The prefix is a folder.
func (r *remote) List(ctx context.Context, prefix string) ([]string, error) {
	reply, err := r.call(ctx, Call{Verb: list, Key: strings.TrimSuffix(prefix, "/")})
	return reply.Keys, err
}

func (r *remote) Read(ctx context.Context, key string) ([]byte, error) {
	reply, err := r.call(ctx, Call{Verb: read, Key: key})
	return reply.Data, err
}

func (r *remote) Write(ctx context.Context, key string, data []byte) error {
	_, err := r.call(ctx, Call{Verb: write, Key: key, Data: data})
	return err
}

func (r *remote) Copy(ctx context.Context, src, dst string) error {
	_, err := r.call(ctx, Call{Verb: copies, Key: src, Dst: dst})
	return err
}

func (r *remote) Delete(ctx context.Context, key string) error {
	_, err := r.call(ctx, Call{Verb: remove, Key: key})
	return err
}

// Versions is that of [job.Ledger], as are Put and Transfer.
func (r *remote) Versions(ctx context.Context, slots []string) ([]job.Version, error) {
	reply, err := r.ask("Versions", Record{By: byOf(ctx), Transfer: job.Transfer{Src: slots}})
	return reply.Versions, err
}

func (r *remote) Put(ctx context.Context, slot string, v job.Version) error {
	_, err := r.ask("Record", Record{By: byOf(ctx), Slot: slot, Version: v})
	return err
}

func (r *remote) Transfer(ctx context.Context, t job.Transfer, outcome error) error {
	_, err := r.ask("Record", Record{By: byOf(ctx), Transfer: t, Outcome: failure(outcome)})
	return err
}

// A held is a grant of an operation that the store knows.
type held struct {
	locker *locker
	grant  treelock.Grant[treelock.Path]
	by     By
}

var _ lock.Held = (*held)(nil)

type heldKey struct{}

func (h *held) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, heldKey{}, h)
}

func heldBy(ctx context.Context) *held { return ctx.Value(heldKey{}).(*held) }

// byOf returns the operation that ctx is of, the zero By if it is of none.
func byOf(ctx context.Context) By {
	if h, ok := ctx.Value(heldKey{}).(*held); ok {
		return h.by
	}
	return By{}
}

// Unlock tells the store that the operation is over, and releases the grant. An operation whose
// grant was lost is left for the process that is granted its folders next.
func (h *held) Unlock() {
	if h.grant.Err() == nil {
		h.locker.remote.ask("End", h.by)
	}
	h.grant.Release()
}

// Narrow is that of the grant, but says so if that was lost.
func (h *held) Narrow(req lock.Request) error {
	err := h.grant.Narrow(req)
	if err != nil && h.grant.Err() != nil {
		return h.grant.Err()
	}
	return err
}

func (h *held) Inside() lock.Locker {
	return &locker{locks: h.grant, remote: h.locker.remote, inside: true}
}
