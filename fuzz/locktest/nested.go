package locktest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// A nesting says how a call depends on grants of other clients.
type nesting[N treelock.Node[N]] struct {
	inside *client[N]   // the request is inside its grant; nil for none
	widens *client[N]   // the call widens its grant; nil for none
	under  []*client[N] // the context carries their grants, the last one innermost
	helps  bool         // the request is made with treelock.Inside
	least  uint64       // the token of inside before the call
	limit  int          // of the queues that it joins, and one more; 0 for none

	widened treelock.Grant[N] // what a widening has returned
	grew    bool              // the grant was widened, and its new token was not seen
}

// prepareNesting reads what a call depends on. It returns the rest of args.
func (h *harness[N]) prepareNesting(c *client[N], args []string) []string {
	for ; len(args) > 1 && h.hostility == nil; args = args[2:] {
		switch args[0] {
		case "inside":
			c.inside = h.must(args[1])
		case "of":
			c.widens = h.must(args[1])
		case "helping":
			c.helps = true
			c.under = append(c.under, h.must(args[1]))
		case "queue":
			n, err := strconv.Atoi(args[1])
			if err != nil {
				h.t.Fatalf("queue %s: %v", args[1], err)
			}
			c.limit = n + 1
		case "under":
			c.under = append(c.under, h.must(args[1]))
		default:
			return args
		}
	}
	return args
}

// findInside sets the grant that treelock.Inside has to find. That is known at rest alone.
func (h *harness[N]) findInside(c *client[N]) {
	w := h.judge.World()
	for _, around := range slices.Backward(c.under) {
		if c.helps && w.Granted(around.name) && model.Inside(c.req, w.Request(around.name)) {
			c.inside = around
			return
		}
	}
}

// handle returns the copy of its grant that a client uses, which may be over. It is the zero Grant
// if there was none or the lock has another type of grants.
func (c *client[N]) handle() treelock.Grant[N] {
	if g, ok := c.held().(treelock.Grant[N]); ok {
		return g
	}
	return c.lent
}

// newest returns the latest copy of the grant of a client, as handle does.
func (c *client[N]) newest() treelock.Grant[N] {
	if g, ok := c.grant.(treelock.Grant[N]); ok {
		return g
	}
	return c.lent
}

// carry returns ctx with the grants that the client's context carries.
func (n *nesting[N]) carry(ctx context.Context) context.Context {
	for _, around := range n.under {
		ctx = treelock.NewContext(ctx, around.handle())
	}
	return ctx
}

// call returns the call of the client, for the rule.
func (c *client[N]) call() model.Call[N] {
	call := model.Call[N]{Name: c.name, Req: c.req, Tries: c.tries, Limit: c.limit}
	if c.inside != nil {
		call.Inside = c.inside.name
	}
	if c.widens != nil {
		call.Widens = c.widens.name
	}
	for _, around := range c.under {
		call.Under = append(call.Under, around.name)
	}
	return call
}

// lockFor returns the lock that the client calls.
func (h *harness[N]) lockFor(c *client[N]) Lock[N] {
	switch {
	case c.helps:
		return lockOf(treelock.Inside(c.carry(context.Background()), h.lock.Locker))
	case c.inside != nil:
		return lockOf[N](c.inside.handle())
	case c.widens != nil:
		g := c.widens.handle()
		return Lock[N]{
			Acquire: func(ctx context.Context, req treelock.Request[N]) (Grant, error) { return c.widen(g.Widen(ctx, req)) },
			TryAcquire: func(ctx context.Context, req treelock.Request[N]) (Grant, error) {
				return c.widen(g.TryWiden(ctx, req))
			},
		}
	case c.checks:
		return Lock[N]{TryAcquire: func(ctx context.Context, req treelock.Request[N]) (Grant, error) {
			if err := h.lock.Check(ctx, req); err != nil {
				return nil, err
			}
			return nil, errFree
		}}
	}
	return h.lock
}

// lockOf returns the lock that makes requests with locker.
func lockOf[N treelock.Node[N]](locker treelock.Locker[N]) Lock[N] {
	return Lock[N]{
		Acquire: func(ctx context.Context, req treelock.Request[N]) (Grant, error) {
			return grantOrNil(locker.Acquire(ctx, req))
		},
		TryAcquire: func(ctx context.Context, req treelock.Request[N]) (Grant, error) {
			return grantOrNil(locker.TryAcquire(ctx, req))
		},
		Do: func(ctx context.Context, req treelock.Request[N], f func(context.Context) error) error {
			return treelock.Do(ctx, locker, req, f)
		},
	}
}

// widen is the outcome of a widening. The grant remains that of the client that is widened.
func (c *client[N]) widen(g treelock.Grant[N], err error) (Grant, error) {
	if err != nil {
		return nil, err
	}
	c.widened = g
	return nil, errWidened
}

// settleWidened returns the steps of a widening that was granted.
func (c *client[N]) settleWidened(was state) ([]model.Step[N], error) {
	if c.expired || c.invalid != nil {
		return nil, fmt.Errorf("%s was let in after its context had ended, or with %w", c.name, c.invalid)
	}
	owner := c.widens
	owner.grew = true
	switch newest := owner.newest().Token() < c.widened.Token(); {
	case !newest: // another widening of the same line came later
	case owner.grant == nil:
		owner.lent = c.widened
	default:
		owner.grant = c.widened
	}
	granted := func(w *model.World[N], then func(*model.World[N])) {
		if !w.IsLive(c.name) && model.Inside(c.req, w.Request(c.widens.name)) {
			then(w)
		}
	}
	if was != entering {
		return []model.Step[N]{granted}, nil
	}
	return []model.Step[N]{c.arrive, granted}, nil
}

// releasedAround is the arrival of a call whose grant is released before or after it.
func (c *client[N]) releasedAround(w *model.World[N], then func(*model.World[N])) {
	switch err := w.Let(c.call()); {
	case err == nil && w.IsLive(c.name) && !w.Granted(c.name), errors.Is(err, treelock.ErrReleased):
		then(w)
	}
}

// await prepares the wait for a ticket that was not received, by a client whose context may carry
// grants.
func (h *harness[N]) await(name string, args []string) *command[N] {
	c := h.must(name)
	ticket, ok := c.ticket.(interface {
		Wait(ctx context.Context) (Grant, error)
	})
	if !c.noReceive || !ok {
		return &command[N]{}
	}
	c.noReceive, c.awaits = false, true
	h.prepareContext(c, h.prepareNesting(c, args))
	c.expired = false // its request arrived before
	return &command[N]{waits: true, run: func() {
		g, err := ticket.Wait(c.ctx)
		c.result <- result{g, err}
	}, steps: func() []model.Step[N] { return []model.Step[N]{c.beginWait} }}
}

// beginWait is the moment from which a client with grants waits for its ticket.
func (c *client[N]) beginWait(w *model.World[N], then func(*model.World[N])) {
	refused := errors.Is(c.err, treelock.ErrDeadlock)
	if w.Stopped || isContextError(c.err) {
		then(w.Clone())
	}
	w.Await(c.name, c.call().Under)
	if w.OnCircle(c.name) != refused || refused && !c.namesCircle(w) {
		return
	}
	if refused {
		w.Leave(c.name)
	}
	then(w)
}

// holdsCommand asks a client's grant whether it holds some claims.
func (h *harness[N]) holdsCommand(name string, args []string) *command[N] {
	c := h.must(name)
	g := c.handle()
	req, _ := h.parse(args)
	var got bool
	return &command[N]{run: func() { got = g.Holds(req) }, steps: func() []model.Step[N] {
		h.note(name, map[bool]string{true: "holds that", false: "does not hold that"}[got])
		return []model.Step[N]{func(w *model.World[N], then func(*model.World[N])) {
			holds := !w.Stopped && h.invalid(req) == nil && w.Granted(name) && model.Inside(req, w.Request(name))
			if got == holds {
				then(w)
			}
		}}
	}}
}

// namesCircle reports whether the client's error, if it is a deadlock, names a circle that its wait
// closes in w, where it waits.
func (c *client[N]) namesCircle(w *model.World[N]) bool {
	var dead *treelock.DeadlockError[N]
	if !errors.As(c.err, &dead) {
		return !errors.Is(c.err, treelock.ErrDeadlock)
	}
	return len(dead.Circle) > 0 && dead.Circle[0].Label == w.Grant(c.name) && isCircle(dead.Circle, w)
}

// isCircle reports whether each request of circle lasts until the next one ends in w.
func isCircle[N treelock.Node[N]](circle []treelock.DeadlockStep[N], w *model.World[N]) bool {
	for i, step := range circle {
		if !w.Before(step.Label, circle[(i+1)%len(circle)].Label) {
			return false
		}
	}
	return true
}

// describeCircle names the requests of a circle, if err has one.
func describeCircle[N treelock.Node[N]](err error) string {
	var dead *treelock.DeadlockError[N]
	if !errors.As(err, &dead) {
		return ""
	}
	var links []string
	for i, step := range dead.Circle {
		next := dead.Circle[(i+1)%len(dead.Circle)].Label
		if len(dead.Circle) == 1 {
			next = "this call"
		}
		links = append(links, fmt.Sprintf(map[treelock.Link]string{
			treelock.LinkWaits:   "%s waits for %s",
			treelock.LinkHolder:  "%s is held by the caller of %s",
			treelock.LinkInside:  "%s lasts for %s inside it",
			treelock.LinkSuspend: "%s is held by the caller of a suspend until %s ends",
		}[step.Link], step.Label, next))
	}
	return ": " + strings.Join(links, ", ")
}
