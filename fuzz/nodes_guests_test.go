package fuzz_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A guest is one call of a manager, and what has become of it.
type guest struct {
	name string
	sane bool
	verb string
	req  treelock.Request[being]
	fate string // what is to become of it: what its nodes and its context do, or the house; empty if that is open
	late string // what the end of its context does

	of     manager.Grant[being] // what a call of Narrow narrows
	ctx    context.Context
	cancel context.CancelFunc
	leave  chan struct{} // closed by the house: the function that runs in Do may return
	inside chan struct{} // closed by that function when it runs
	back   chan struct{} // closed when the call has come back, in whatever way

	// What the call came back with; not to be read before back is closed.

	grant    manager.Grant[being]
	ticket   *manager.Ticket[being]
	err      error
	panicked any
	exited   bool

	// The house's.

	told  string // the outcome, once the history has it
	holds bool
	gone  bool // released, refused or withdrawn
	hurry bool // its context was ended, or its ticket withdrawn
	timed bool // its context ends by itself
}

var guestVerbs = []string{"acquire", "try", "submit", "deaf", "do", "do-panic", "do-exit"}

// call makes the call of a guest, on a goroutine of its own.
func (g *guest) call(m *manager.Manager[being]) {
	defer close(g.back)
	g.exited = true
	defer func() {
		if g.exited { // or panicked
			g.panicked = recover()
			g.exited = g.panicked == nil
		}
	}()
	switch g.verb {
	case "acquire":
		g.grant, g.err = m.Acquire(g.ctx, g.req)
	case "try":
		g.grant, g.err = m.TryAcquire(g.req)
	case "submit", "deaf":
		g.ticket, g.err = m.Submit(g.ctx, g.req)
	case "narrow":
		g.err = g.of.Narrow(g.req)
	case "drain":
		g.err = m.Drain(g.ctx)
	default:
		g.err = m.Do(g.ctx, g.req, g.stay)
	}
	g.exited = false
}

// stay is what runs in Do.
func (g *guest) stay(context.Context) error {
	close(g.inside)
	<-g.leave
	switch g.verb {
	case "do-panic":
		panic("mine")
	case "do-exit":
		runtime.Goexit()
	}
	return errOwn
}

// errOwn is an error of the user's.
var errOwn = errors.New("my own error")

// end lets a guest go, by whatever it holds or waits for. One that was told to go is told again.
func (h *house) end(g *guest) {
	if g.gone || g.told == "" {
		return
	}
	g.hurry = true
	fate := g.late
	switch back := isClosed(g.back); {
	case !back && g.holds:
		fate = map[string]string{"do": "done", "do-panic": "panics with mine", "do-exit": "exits"}[g.verb]
		if !isClosed(g.leave) {
			close(g.leave)
		}
	case !back:
		g.cancel()
	case g.ticket != nil && g.grant == manager.Grant[being]{}:
		fate = "withdrawn"
		h.withdraw(g)
	default:
		g.grant.Release()
		g.gone = true
	}
	if g.sane {
		g.fate = fate
		h.model.End(g.name)
	}
}

// withdraw withdraws the ticket of a guest and checks that it delivers nothing any more (I6).
func (h *house) withdraw(g *guest) {
	g.ticket.Withdraw()
	select {
	case _, ok := <-g.ticket.Granted():
		if !ok {
			return
		}
	default:
	}
	h.fail("I6: the ticket of %s is not closed after its withdrawal, or has delivered a grant", g.name)
}

// again releases and narrows once more what was released before.
func (h *house) again(src *bytesource) {
	g := h.pick(src, func(g *guest) bool { return g.gone && g.grant != manager.Grant[being]{} })
	if g == nil {
		return
	}
	h.seen["again"] = true
	h.say("%s: release again", g.name)
	g.grant.Release()
	if err := g.grant.Narrow(treelock.Request[being]{}); !errors.Is(err, treelock.ErrNotHeld) && !errors.Is(err, treelock.ErrStopped) {
		h.fail("%s: Narrow() of what was released = %v, want ErrNotHeld", g.name, err)
	}
}

// live reports whether somebody has not gone.
func (h *house) live() bool {
	return slices.ContainsFunc(h.guests, func(g *guest) bool { return !g.gone })
}

// strike ends everything, and checks that nothing is left.
func (h *house) strike() {
	h.t.Helper()
	h.settle()
	h.say("everybody leaves")
	// Who cannot be ended while it waits is granted in time. Who is slow is so at a few nodes.
	for left := len(h.guests) + maxClaims + 1; left > 0 && h.live(); left-- {
		h.gate.letAll()
		for _, g := range h.guests {
			if g.verb == "drain" {
				continue // it comes back by itself
			}
			h.end(g)
			if g.sane { // one after the other, so that what becomes of it is certain
				h.settle()
			}
		}
		h.settle()
	}
	for _, g := range h.guests {
		if !g.gone || !isClosed(g.back) {
			h.fail("%s: %q in the end, want it gone", g.name, g.told)
		}
	}
	if !h.draining && !h.stopped.Load() {
		g, err := h.m.TryAcquire(treelock.Request[being]{}.Write(sane("/")))
		if err != nil {
			h.fail("TryAcquire(write /) when all have gone = %v, want a grant", err)
		}
		g.Release()
	}
	patience, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	if err := h.m.Drain(patience); err != nil && !h.stopped.Load() {
		h.fail("Drain() when all have gone = %v, want nil", err)
	}
	h.stop()
	select {
	case <-h.m.Done():
	case <-patience.Done():
		h.fail("Done() is open an hour after the end of the manager's context")
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// outcome says in few words what has become of the call: it "waits", is "granted", or how it failed. It
// receives the grant of a ticket, unless the guest is deaf.
func (g *guest) outcome() string {
	if !isClosed(g.back) {
		if isClosed(g.inside) {
			return "granted"
		}
		return "waits"
	}
	switch {
	case g.exited:
		return "exits"
	case g.panicked != nil:
		if _, ok := g.panicked.(*runtime.PanicNilError); ok {
			return "panics with nil"
		}
		return fmt.Sprint("panics with ", g.panicked)
	case g.err == nil && g.ticket != nil:
		return g.ticketOutcome()
	}
	return errorWord(g.err)
}

func (g *guest) ticketOutcome() string {
	if g.verb == "deaf" && g.ticket.Err() == nil {
		return []string{"waits", "granted"}[len(g.ticket.Granted())]
	}
	if g.verb != "deaf" && g.holds {
		return "granted"
	}
	select {
	case grant, ok := <-g.ticket.Granted():
		if !ok {
			return errorWord(g.ticket.Err())
		}
		g.grant = grant
		return "granted"
	default:
		return "waits"
	}
}

// errorWords are the errors that a call may come back with. If it is several, the first counts.
var errorWords = []struct {
	err  error
	word string
}{
	{treelock.ErrStopped, "stopped"},
	{treelock.ErrTooDeep, "too deep"},
	{treelock.ErrIncomparable, "incomparable"},
	{treelock.ErrConflict, "conflict"},
	{treelock.ErrBusy, "busy"},
	{treelock.ErrDraining, "draining"},
	{treelock.ErrWithdrawn, "withdrawn"},
	{treelock.ErrNotHeld, "not held"},
	{context.Canceled, "given up"},
	{context.DeadlineExceeded, "given up"},
	{errOdd, "given up"},
	{errOwn, "done"},
}

func errorWord(err error) string {
	if err == nil {
		return "granted"
	}
	for _, known := range errorWords {
		if errors.Is(err, known.err) {
			return known.word
		}
	}
	if strings.Contains(err.Error(), "its Err is nil") {
		return "given up" // by a context that has ended and denies it
	}
	return err.Error()
}
