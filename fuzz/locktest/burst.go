package locktest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// burst prepares many calls that make the empty request and release it, all at once, every other
// one with a context that ends meanwhile. They fill the inbox of a lock that has one. They conflict
// with no request, so they leave one trace only: their requests are live for a while, and a lock
// that stops meanwhile has not drained.
func (h *harness[N]) burst(number string) *command[N] {
	n, err := strconv.Atoi(number)
	if err != nil {
		h.t.Fatalf("burst %s: %v", number, err)
	}
	lock, told, seen := h.lock, make(chan error, n), map[string]error{}
	plain := h.t.Context()
	brief, cancel := context.WithCancel(plain)
	run := func() {
		defer cancel()
		for i := range n {
			ctx := &yieldingCtx{Context: plain}
			if i%2 == 0 {
				ctx.Context = brief
			}
			go func() {
				if i == n-2 { // it runs late, when many calls wait for room in the inbox
					cancel()
				}
				told <- burstCall(ctx, lock)
			}()
		}
		for range n {
			if err := <-told; err != nil {
				seen[err.Error()] = err
			}
		}
	}
	return &command[N]{run: run, steps: func() (steps []model.Step[N]) {
		for text, err := range seen {
			h.note("burst", text)
			steps = append(steps, func(w *model.World[N], then func(*model.World[N])) {
				if errors.Is(err, w.Closed()) {
					then(w)
				}
			})
		}
		return append(steps, burstArrives[N], burstLeaves[N])
	}}
}

// burstName is the name of the live requests of a burst. One represents all: more would make no
// difference.
const burstName = "burst"

func burstArrives[N treelock.Node[N]](w *model.World[N], then func(*model.World[N])) {
	if w.Closed() == nil {
		w.Arrive(burstName, treelock.Request[N]{})
	}
	then(w)
}

func burstLeaves[N treelock.Node[N]](w *model.World[N], then func(*model.World[N])) {
	switch {
	case w.IsLive(burstName):
		w.Leave(burstName)
		then(w)
	case w.Closed() != nil: // it was refused
		then(w)
	}
}

// A yieldingCtx is a context that lets other goroutines run when it is asked for its channel once
// more. So a lock that asks in the middle of a call, say after it has seen that it still runs and
// before it waits for a grant, may have been stopped when it goes on. It is for one goroutine.
type yieldingCtx struct {
	context.Context
	asked int
}

func (c *yieldingCtx) Done() <-chan struct{} {
	if c.asked++; c.asked > 1 {
		for range 10 {
			runtime.Gosched()
		}
	}
	return c.Context.Done()
}

// burstCall makes the empty request and releases it. It returns why it was refused, nil if it was
// not, or was canceled.
func burstCall[N treelock.Node[N]](ctx context.Context, lock Lock[N]) error {
	g, err := lock.Acquire(ctx, treelock.Request[N]{})
	switch {
	case err == nil:
		g.Release()
		return nil
	case g != nil:
		return fmt.Errorf("a call of a burst was told %w, and has a grant", err)
	case errors.Is(err, treelock.ErrStopped):
		return treelock.ErrStopped
	case errors.Is(err, treelock.ErrDraining):
		return treelock.ErrDraining
	case ctx.Err() != nil && isContextError(err):
		return nil
	}
	return fmt.Errorf("a call of a burst was refused: %w", err)
}
