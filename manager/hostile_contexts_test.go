package manager_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A mine is a context that does harm when one of its methods is called for the at-th time. It has
// no lock: all calls are made by one goroutine, that of the client.
type mine struct {
	context.Context
	calls, at int
	harm      func()
}

func (c *mine) step() {
	if c.calls++; c.calls == c.at {
		c.harm()
	}
}

func (c *mine) Done() <-chan struct{} { c.step(); return c.Context.Done() }
func (c *mine) Err() error            { c.step(); return c.Context.Err() }
func (c *mine) Value(key any) any     { c.step(); return c.Context.Value(key) }

// A contextVerb is a call with a context. It returns what it was granted.
type contextVerb func(*manager.Manager[path], context.Context) (treelock.Grant[path], error)

var contextVerbs = map[string]contextVerb{
	"Acquire": func(m *manager.Manager[path], ctx context.Context) (treelock.Grant[path], error) {
		return m.Acquire(ctx, treelock.Write("/a"))
	},
	"Submit": func(m *manager.Manager[path], ctx context.Context) (treelock.Grant[path], error) {
		ticket, err := m.Submit(ctx, treelock.Write("/a"))
		if err != nil {
			return treelock.Grant[path]{}, err
		}
		defer ticket.Withdraw()
		return <-ticket.Granted(), nil
	},
	"Check": func(m *manager.Manager[path], ctx context.Context) (treelock.Grant[path], error) {
		return treelock.Grant[path]{}, m.Check(ctx, treelock.Write("/a"))
	},
	"Do": func(m *manager.Manager[path], ctx context.Context) (treelock.Grant[path], error) {
		return treelock.Grant[path]{}, m.Do(ctx, treelock.Write("/a"), func(context.Context) error { return nil })
	},
	"Snapshot": func(m *manager.Manager[path], ctx context.Context) (treelock.Grant[path], error) {
		_, err := m.Snapshot(ctx, manager.Query[path]{Below: []path{"/a"}})
		return treelock.Grant[path]{}, err
	},
}

// TestContextsHarmTheirOwnCallersOnly lets each call of a context's methods panic, end its
// goroutine, end the context or block, while the request is free, waits, or is canceled. Nothing
// stays held, and other clients are served, also while the context blocks.
func TestContextsHarmTheirOwnCallersOnly(t *testing.T) {
	harms := map[string]func(cancel func(), free <-chan struct{}){
		"panics":             func(func(), <-chan struct{}) { panic("mine") },
		"ends its goroutine": func(func(), <-chan struct{}) { runtime.Goexit() },
		"ends":               func(cancel func(), _ <-chan struct{}) { cancel() },
		"ends and panics":    func(cancel func(), _ <-chan struct{}) { cancel(); panic("mine") },
		"blocks":             func(_ func(), free <-chan struct{}) { <-free },
		"ends and blocks":    func(cancel func(), free <-chan struct{}) { cancel(); <-free },
	}
	for name, call := range contextVerbs {
		for harmName, harm := range harms {
			for _, end := range []string{"free", "granted", "cancelled"} {
				for at := 1; at <= 8; at++ {
					what := fmt.Sprintf("%s (%s), whose context %s at call %d", name, end, harmName, at)
					synctest.Test(t, func(t *testing.T) { stepOnMine(t, what, call, harm, at, end) })
				}
			}
		}
	}
}

func stepOnMine(
	t *testing.T, what string, call contextVerb, harm func(func(), <-chan struct{}), at int, end string,
) {
	m := manager.Start(t.Context())
	holder := must(m.TryAcquire(t.Context(), treelock.Write("/a")))
	if end == "free" {
		holder.Release()
	}
	why, free := errors.New("why"), make(chan struct{})
	ctx, cancel := context.WithCancelCause(t.Context())
	c := &mine{Context: ctx, at: at, harm: func() { harm(func() { cancel(why) }, free) }}
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		defer func() { _ = recover() }()
		grant, err := call(m, c)
		grant.Release()
		if err != nil && !errors.Is(err, why) && !errors.Is(err, treelock.ErrConflict) { // of Check
			t.Errorf("%s: the error is %v, want the cause of the context", what, err)
		}
	}()
	synctest.Wait()
	if end == "cancelled" {
		cancel(why)
		synctest.Wait()
	}
	holder.Release()
	synctest.Wait()
	if live := m.Stats().Live; live != 0 {
		t.Errorf("%s: %d requests are live, want none", what, live)
	}
	must(m.Snapshot(t.Context(), manager.Query[path]{}))
	must(m.TryAcquire(t.Context(), treelock.Write("/a"))).Release()
	close(free)
	synctest.Wait()
	select {
	case <-returned:
	default:
		t.Fatalf("%s: the call has not returned", what)
	}
	if err := m.Drain(t.Context()); err != nil {
		t.Errorf("%s: Drain() = %v, want nil", what, err)
	}
	cancel(nil)
}
