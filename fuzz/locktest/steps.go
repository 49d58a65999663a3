package locktest

import (
	"errors"
	"fmt"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// arrive is the arrival of a request that was let in.
func (c *client[N]) arrive(w *model.World[N], then func(*model.World[N])) {
	if w.Let(c.call()) == nil {
		then(w)
	}
}

// mayArrive is the arrival, or not, of a request that was canceled on the way.
func (c *client[N]) mayArrive(w *model.World[N], then func(*model.World[N])) {
	then(w.Clone())
	c.arrive(w, then)
}

// depart is the end of a request.
func (c *client[N]) depart(w *model.World[N], then func(*model.World[N])) {
	if c.namesBlockers(w) {
		w.Leave(c.name)
		then(w)
	}
}

// refuse is the arrival of a request that was not let in, and leaves no trace.
func (c *client[N]) refuse(w *model.World[N], then func(*model.World[N])) {
	want, after := c.invalid, w.Clone()
	if want == nil {
		want = after.Let(c.call())
	}
	if want == nil && c.checks {
		want = errFree
	}
	if want == nil || !sameRefusal(c.err, want) {
		return
	}
	if blockedError[N](c.err) != nil || want == treelock.ErrDeadlock {
		after = w.After(c.call()) // as it was for an instant
	}
	if c.namesBlockers(after) && c.namesCircle(after) && c.namesSuspension(w) {
		then(w)
	}
}

// linger is the arrival of a request that was not let in, and is live until leaveNothing.
func (c *client[N]) linger(w *model.World[N], then func(*model.World[N])) {
	c.refuse(w, func(w *model.World[N]) { then(w.After(c.call())) })
}

func (c *client[N]) leaveNothing(w *model.World[N], then func(*model.World[N])) {
	w.Leave(c.name)
	then(w)
}

// sameRefusal reports whether err is the error that it should be. An error for a path may name any
// of the rules that the path breaks.
func sameRefusal(err, want error) bool {
	var bad *treelock.PathError
	if errors.As(want, &bad) {
		return errors.As(err, &bad)
	}
	return errors.Is(err, want)
}

// fits compares what the client was told with a state in which the lock may be.
func (c *client[N]) fits(w *model.World[N]) error {
	switch {
	case c.hostile:
		return nil
	case c.drains:
		return c.drainFits(w)
	case c.suspends:
		return c.suspendFits(w)
	case errors.Is(c.err, treelock.ErrStopped) && !w.Stopped:
		return fmt.Errorf("%s was told that the lock stopped, which it has not", c.name)
	}
	if live := w.IsLive(c.name); live != (c.state != over) {
		return fmt.Errorf("I2: %s is live: %t, and by the rule %t", c.name, c.state != over, live)
	}
	if granted := w.Granted(c.name); granted != (c.state == holds) {
		return fmt.Errorf("I2: %s holds: %t, and by the rule %t", c.name, c.state == holds, granted)
	}
	return nil
}

func (c *client[N]) drainFits(w *model.World[N]) error {
	switch {
	case c.state == waiting && (w.Drained || w.Stopped):
		return fmt.Errorf("%s goes on waiting, with drained=%t and stopped=%t", c.name, w.Drained, w.Stopped)
	case errors.Is(c.err, errDrained) && !w.Drained:
		return fmt.Errorf("%s drained, and %v are live", c.name, w.Live())
	case errors.Is(c.err, treelock.ErrStopped) && (w.Drained || !w.Stopped):
		return fmt.Errorf("%s was told that the lock stopped, with drained=%t and stopped=%t", c.name, w.Drained, w.Stopped)
	}
	return nil
}
