package locktest

import (
	"context"
	"slices"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// A computing is a call of treelock.AcquireFunc.
type computing[N treelock.Node[N]] struct {
	requests []treelock.Request[N] // of the calls of its function; the last one stays
	calls    int                   // of the function; written by the client's goroutine
	arrived  int                   // requests that have arrived, in the model
}

// acquireFunc returns the call of treelock.AcquireFunc by c. words are claims, with "then" between
// those of each call of the function.
func (h *harness[N]) acquireFunc(c *client[N], words []string) func() (Grant, error) {
	c.computes = &computing[N]{}
	for more := true; more; {
		var claims []string
		claims, words, more = cutAt(words, "then")
		h.prepareRequest(c, claims)
		c.computes.requests = append(c.computes.requests, c.req)
	}
	compute := func(context.Context) (treelock.Request[N], error) {
		c.computes.calls++
		return c.computes.request(c.computes.calls), nil
	}
	return func() (Grant, error) {
		return grantOrNil(treelock.AcquireFunc(c.ctx, h.lock.Locker, compute))
	}
}

// cutAt is strings.Cut for words.
func cutAt(words []string, at string) (before, after []string, found bool) {
	if i := slices.Index(words, at); i >= 0 {
		return words[:i], words[i+1:], true
	}
	return words, nil, false
}

// request returns the request that the n-th call of the function computes.
func (c *computing[N]) request(n int) treelock.Request[N] {
	return c.requests[min(n, len(c.requests))-1]
}

// recompute returns the step of what has arrived since the last time. A request was held and
// released before the next one arrived. The one that is held was computed twice.
func (c *client[N]) recompute() model.Step[N] {
	from, to := c.computes.arrived, c.computes.calls
	if c.state == holds {
		to--
	}
	c.computes.arrived, c.req = to, c.computes.request(to)
	return func(w *model.World[N], then func(*model.World[N])) {
		for n := from + 1; n <= to; n++ {
			if n > 1 && !w.Granted(c.name) {
				return
			}
			w.Leave(c.name)
			call := c.call()
			call.Req = c.computes.request(n)
			if w.Let(call) != nil {
				return
			}
		}
		then(w)
	}
}
