package locktest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// A revocation is the cause of a call of Revoke.
type revocation string

func (r revocation) Error() string { return string(r) }

// revoke ends the request of a client from outside. All clients that hold learn whether their
// grants are lost by it.
func (h *harness[N]) revoke(name string, args []string) *command[N] {
	c, cause := h.must(name), revocation("no reason")
	if len(args) > 1 && args[0] == "because" {
		cause = revocation(strings.Join(args[1:], " "))
	}
	var err error
	run := func() {
		number := c.handle().Number()
		if c.widens != nil {
			number = h.lock.Number(c.widens.name, true)
		} else if number == 0 {
			number = h.lock.Number(name, false)
		}
		err = h.lock.Revoke(context.Background(), number, cause)
	}
	return &command[N]{run: run, steps: func() []model.Step[N] {
		if err != nil {
			h.note(name, map[bool]string{true: "is not live", false: fmt.Sprint(err)}[errors.Is(err, treelock.ErrNotHeld)])
		}
		for _, c := range h.clients {
			if held := c.handle(); c.state == holds && held != (treelock.Grant[N]{}) && errors.Is(held.Err(), cause) {
				c.state, c.err = over, held.Err()
			}
		}
		return []model.Step[N]{func(w *model.World[N], then func(*model.World[N])) {
			live := w.IsLive(name) || w.Lasts(name)
			if live == (err == nil) && (live || errors.Is(err, treelock.ErrNotHeld)) {
				w.Revoke(name)
				then(w)
			}
		}}
	}}
}

// describeCause returns the cause of a revocation.
func describeCause(err error) string {
	var cause revocation
	if errors.As(err, &cause) {
		return ": " + string(cause)
	}
	return ""
}

// told prints what a grant tells its holder: its Err, and whether Lost and Wanted are closed.
func (h *harness[N]) told(name, verb string) *command[N] {
	c := h.must(name)
	what := "no"
	run := func() {
		g := c.handle()
		if verb == "wanted" && c.wanted == nil {
			c.wanted = g.Wanted()
		}
		if verb == "lost" && c.lost == nil {
			c.lost = g.Lost()
		}
		switch err := g.Err(); {
		case verb == "err" && err != nil:
			what = describe[N](err)
			if errors.Is(err, treelock.ErrLost) && !strings.HasPrefix(what, "lost") {
				what = "lost, " + what
			}
		case verb == "err":
			what = "nil"
		case isClosed(map[string]<-chan struct{}{"lost": c.lost, "wanted": c.wanted}[verb]):
			what = "yes"
		}
	}
	return &command[N]{run: run, steps: func() []model.Step[N] { h.note(name, verb+" "+what); return nil }}
}
