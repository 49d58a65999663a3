package locktest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// checkReason checks that an error that says that the lock stopped also says why.
func (h *harness[N]) checkReason(err error) error {
	shutdown := h.shuts && errors.Is(err, treelock.ErrShutdown)
	if errors.Is(err, treelock.ErrStopped) && h.reason != nil && !errors.Is(err, h.reason) && !shutdown {
		return fmt.Errorf("%q does not wrap the cause, %q", err, h.reason)
	}
	return nil
}

// fits compares what all clients were told with a state in which the lock may be.
func (h *harness[N]) fits(w *model.World[N]) error {
	if err := w.Deadlocked(); err != nil {
		return err
	}
	for _, c := range h.clients {
		if err := c.fits(w); err != nil {
			return err
		}
	}
	return nil
}

// check checks what can be seen without the judge: exclusion and tokens.
func (h *harness[N]) check() error {
	var holders []*client[N]
	for _, c := range h.clients {
		if c.state != holds || c.hostile {
			continue
		}
		req := h.judge.World().Request(c.name)
		for _, other := range holders {
			if model.Conflict(h.judge.World().Request(other.name), req) && !other.around(c) && !c.around(other) {
				return fmt.Errorf("I1: %s and %s hold together", other.name, c.name)
			}
		}
		holders = append(holders, c)
	}
	before := h.grants
	for _, c := range holders {
		if err := h.checkToken(before, c); err != nil {
			return err
		}
	}
	return h.checkOldCopies()
}

// around reports whether a grant is inside that of c, directly or not.
func (c *client[N]) around(inner *client[N]) bool {
	for inner = inner.inside; inner != nil; inner = inner.inside {
		if inner == c {
			return true
		}
	}
	return false
}

// checkToken compares the token of a holder with the tokens of earlier grants. A grant inside
// another one has a token that this one has or had.
func (h *harness[N]) checkToken(before []granted[N], c *client[N]) error {
	grant, ok := c.grant.(tokener)
	if !ok {
		return nil
	}
	token := grant.Token()
	if token < max(h.options.FirstToken, 1) {
		return fmt.Errorf("I7: %s has token %d, which is less than the first", c.name, token)
	}
	outer := c
	for outer.inside != nil {
		outer = outer.inside
	}
	had := func(g granted[N]) bool { return g.by == outer && g.token <= token && token <= outer.newest().Token() }
	if token < c.least {
		return fmt.Errorf("I7: %s has token %d, and %s, which it is inside, had %d before", c.name, token, c.inside.name, c.least)
	}
	if outer != c {
		if outer.state == holds && outer.grant != nil && !slices.ContainsFunc(h.grants, had) {
			return fmt.Errorf("I7: %s has token %d, which %s has not had", c.name, token, outer.name)
		}
		return nil
	}
	req, grew := c.req, c.grew
	c.grew = false
	for _, g := range slices.Backward(before) {
		switch {
		case g.by != c:
			continue
		case g.token > token || g.token < token && !grew:
			return fmt.Errorf("I7: %s has token %d, and had %d before", c.name, token, g.token)
		case g.token == token:
			return nil
		}
		req = h.judge.World().Request(c.name)
		break
	}
	for _, g := range before {
		if g.token >= token && model.Conflict(g.req, req) && g.by != c {
			return fmt.Errorf("I7: %s has token %d, and %s, which it conflicts with, had %d before", c.name, token, g.by.name, g.token)
		}
	}
	h.grants = append(h.grants, granted[N]{c, req, token})
	return nil
}

// blockedError returns what an error says of the blockers of a request, nil if it says nothing: a
// lock need not.
func blockedError[N treelock.Node[N]](err error) *treelock.BlockedError[N] {
	var blocked *treelock.BlockedError[N]
	errors.As(err, &blocked)
	return blocked
}

// namesBlockers reports whether the blockers in the client's error, if it has any, are blockers in
// w, where its request waits. Requests are known by their labels. The earliest blockers may differ
// in w, where requests that do not conflict are in any order.
func (c *client[N]) namesBlockers(w *model.World[N]) bool {
	blocked := blockedError[N](c.err)
	if blocked == nil {
		return true
	}
	names := w.Blockers(c.name)
	widening := map[string]bool{}
	for i, name := range names {
		if grant := w.Grant(name); grant != name { // it has the label of its grant
			names[i], widening[grant] = grant, true
		}
	}
	// A widening need not be named beside its grant, if both block at the same node.
	count, most := len(blocked.Blockers)+blocked.More, len(names)
	slices.Sort(names)
	least := len(slices.Compact(slices.Clone(names)))
	if len(names) == 0 || !blocked.AtLeast && (count < least || count > most) {
		return false
	}
	for _, b := range blocked.Blockers {
		if b.Label == "" {
			continue // of a burst
		}
		known := slices.Contains(names, b.Label) &&
			((b.State == treelock.Holding) == w.Lasts(b.Label) || b.State == treelock.Waiting && widening[b.Label])
		if !known || !model.Conflict(model.Of(b.Claim), model.Of(b.Wanted)) {
			return false
		}
	}
	return true
}

// describeBlockers names the blockers, as far as the error does.
func describeBlockers[N treelock.Node[N]](err error) string {
	blocked := blockedError[N](err)
	if blocked == nil {
		return ""
	}
	var names []string
	for _, b := range blocked.Blockers {
		names = append(names, fmt.Sprintf("%s (%v)", b.Label, b.State))
	}
	if blocked.More > 0 {
		names = append(names, fmt.Sprint(blocked.More, " more"))
	}
	return ": blocked by " + strings.Join(names, ", ")
}
