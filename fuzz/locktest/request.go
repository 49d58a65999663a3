package locktest

import (
	"context"
	"errors"
	"strings"

	"github.com/treelock/treelock"
)

// request makes a request in one of the ways that a lock has.
func (h *harness[N]) request(verb, name string, args []string) *command[N] {
	c := h.enter(name)
	c.checks = verb == "check"
	args, ctxWant := h.prepareContext(c, h.prepareNesting(c, args))
	claims, _, _ := cutAt(args, "then")
	h.prepareRequest(c, claims)
	h.findInside(c)
	if c.inside != nil {
		c.least = c.inside.newest().Token()
	}
	lock := h.lockFor(c)
	if c.want == nil && !strings.Contains(verb, "try") {
		c.want = ctxWant
	}
	run := &command[N]{waits: true}
	switch verb {
	case "acquire", "widen":
		run.run = func() { c.run(func() (Grant, error) { return lock.Acquire(c.ctx, c.req) }) }
	case "acquire-func":
		call := h.acquireFunc(c, args)
		run.run = func() { c.run(call) }
	case "try", "try-widen", "check":
		c.tries, c.ctx, c.cancel, c.expired = true, nil, nil, false
		c.lingers = verb == "try" && c.inside == nil && h.lock.TriesLinger
		run.waits = c.hostile
		run.run = func() { c.run(func() (Grant, error) { return lock.TryAcquire(context.Background(), c.req) }) }
	case "submit", "no-receive":
		c.noReceive = verb == "no-receive"
		run.waits = c.hostile
		run.run = func() { c.submit(h.lock) }
	default:
		c.runs, c.leave = make(chan struct{}), make(chan struct{})
		c.leaveWith = map[string]error{"do": errDone, "do-panic": errPanic, "do-exit": errExit}[verb]
		run.run = func() { c.do(lock) }
	}
	return run
}

// errCause is the cause that contexts end with.
var errCause = errors.New("the harness ends it")

// prepareContext gives a context to c. args may begin with "within DURATION", or with "under KIND"
// for one of ctxKinds. It returns the rest of args, and the outcome that such a context calls for.
func (h *harness[N]) prepareContext(c *client[N], args []string) (rest []string, want error) {
	ctx, end := context.WithCancelCause(c.carry(h.t.Context()))
	c.ctx, c.cancel = ctx, func() { end(errCause) }
	switch {
	case len(args) > 1 && args[0] == "within":
		timed, stop := context.WithTimeoutCause(ctx, h.duration(args[1]), errCause)
		c.ctx, c.cancel = timed, func() { end(errCause); stop() }
		args = args[2:]
	case len(args) > 1 && args[0] == "under":
		return args[2:], h.prepareHostileContext(c, args[1])
	}
	c.expired = c.ctx.Err() != nil && !c.drains
	return args, nil
}

// prepareRequest sets the request of c.
func (h *harness[N]) prepareRequest(c *client[N], claims []string) {
	var kinds []*nodeKind
	c.claims = strings.Join(claims, " ")
	c.req, kinds = h.parse(claims)
	for _, kind := range kinds {
		c.hostile = true
		if c.want == nil {
			c.want = kind.want // a lock asks the nodes in their order
		}
	}
	if !c.hostile {
		c.req = c.req.Labeled(c.name)
		if c.limit > 0 {
			c.req = c.req.Queue(c.limit - 1)
		}
		c.invalid = h.invalid(c.req)
	}
}

// invalid returns the error for a request that is refused in any state of the lock, else nil.
func (h *harness[N]) invalid(req treelock.Request[N]) error {
	if h.options.MaxClaims > 0 && req.Len() > h.options.MaxClaims {
		return treelock.ErrTooWide
	}
	for c := range req.Claims() {
		if err := h.tree.check(c.Node); err != nil {
			return err
		}
		depth := 1
		for node, ok := c.Node.Parent(); ok; node, ok = node.Parent() {
			depth++
		}
		if h.options.MaxDepth > 0 && depth > h.options.MaxDepth {
			return treelock.ErrTooDeep
		}
	}
	return nil
}
