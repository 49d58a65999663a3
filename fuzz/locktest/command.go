package locktest

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// prepare returns the command of a line of text: see [Scenario].
func (h *harness[N]) prepare(text string) *command[N] {
	h.t.Helper()
	words := strings.Fields(text)
	verb, name, args := "", "", []string(nil)
	if len(words) > 0 {
		verb = words[0]
	}
	if len(words) > 1 {
		name, args = words[1], words[2:]
	}
	switch verb {
	case "acquire", "acquire-func", "try", "check", "widen", "try-widen", "submit", "no-receive", "do", "do-panic", "do-exit":
		return h.request(verb, name, args)
	case "receive":
		return h.receive(name)
	case "wait":
		return h.await(name, args)
	case "holds":
		return h.holdsCommand(name, args)
	case "cancel":
		return &command[N]{run: h.must(name).cancel} // nil for a client without a context
	case "withdraw":
		return h.withdraw(name)
	case "release":
		return h.release(name)
	case "narrow":
		return h.narrow(name, args)
	case "revoke":
		return h.revoke(name, args)
	case "err", "lost", "wanted":
		return h.told(name, verb)
	case "token":
		return h.token(name)
	case "burst":
		return h.burst(name)
	case "drain", "shutdown":
		return h.drain(verb, name, args)
	case "suspend":
		return h.suspend(name, args)
	case "resume":
		return h.resume(name)
	case "old":
		return h.old(name)
	case "pass":
		return &command[N]{pass: h.duration(name)}
	case "stop":
		return h.stopLock(name)
	case "manager":
		if err := h.open(h.parseOptions(words[1:])); err != nil {
			h.t.Fatal(err)
		}
		return &command[N]{}
	case "open":
		return &command[N]{run: h.hostility.gate.letAll}
	case "move":
		return &command[N]{run: func() { h.hostility.moves.Add(1) }}
	}
	h.t.Fatalf("%s: no such command", text)
	return nil
}

// parseOptions reads options such as "max-waiting=2".
func (h *harness[N]) parseOptions(words []string) (o Options) {
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		n, err := strconv.Atoi(value)
		if err != nil {
			h.t.Fatalf("manager %s: %v", word, err)
		}
		switch key {
		case "max-waiting":
			o.Limited, o.MaxWaiting = true, n
		case "first-token":
			o.FirstToken = uint64(n)
		case "max-depth":
			o.MaxDepth = n
		case "max-claims":
			o.MaxClaims = n
		case "idle-nodes":
			o.IdleNodes = n + 1
		default:
			h.t.Fatalf("manager %s: no such option", word)
		}
	}
	return o
}

func (h *harness[N]) receive(name string) *command[N] {
	c := h.must(name)
	if !c.noReceive || c.ticket == nil {
		return &command[N]{}
	}
	c.noReceive = false
	return &command[N]{run: c.receive, waits: true}
}

func (h *harness[N]) withdraw(name string) *command[N] {
	c := h.must(name)
	if c.ticket == nil {
		return &command[N]{} // it was refused
	}
	noReceive := c.noReceive
	c.noReceive = false
	steps := func() []model.Step[N] {
		c.withdrawn = true
		c.grantRevoked = c.grantRevoked || noReceive
		return nil
	}
	return &command[N]{steps: steps, run: func() {
		c.ticket.Withdraw()
		if noReceive {
			go c.receive()
		}
	}}
}

func (h *harness[N]) release(name string) *command[N] {
	c := h.must(name)
	switch {
	case c.grant != nil:
		return &command[N]{run: c.held().Release, steps: func() []model.Step[N] {
			c.state, c.reached = over, over
			return []model.Step[N]{c.depart}
		}}
	case c.runs != nil && c.state == holds && !c.left:
		c.left = true
		return &command[N]{run: func() { close(c.leave) }}
	}
	return &command[N]{}
}

func (h *harness[N]) narrow(name string, args []string) *command[N] {
	c := h.must(name)
	grant, ok := c.held().(narrower[N])
	if !ok {
		return &command[N]{}
	}
	if c.hostile {
		return h.narrowHostile(c, grant, args)
	}
	req, _ := h.parse(args)
	var err error
	shrink := func(w *model.World[N], then func(*model.World[N])) {
		want := h.invalid(req)
		if want == nil {
			want = w.Shrink(name, req)
		}
		if want == nil && err == nil || want != nil && sameRefusal(err, want) && h.checkReason(err) == nil {
			then(w)
		}
	}
	return &command[N]{run: func() { err = grant.Narrow(req) }, steps: func() []model.Step[N] {
		if err != nil {
			h.note(name, describe[N](err))
		}
		return []model.Step[N]{shrink}
	}}
}

func (h *harness[N]) token(name string) *command[N] {
	if grant, ok := h.must(name).held().(tokener); ok {
		return &command[N]{steps: func() []model.Step[N] {
			h.note(name, fmt.Sprint("token ", grant.Token()))
			return nil
		}}
	}
	return &command[N]{}
}

func (h *harness[N]) stopLock(reason string) *command[N] {
	if h.reason == nil {
		h.reason = errors.New(reason)
	}
	if h.hostility != nil {
		h.reason = errStopper // which a node may end it with, too
	}
	return &command[N]{run: func() {
		for range 3 {
			runtime.Gosched() // so that the other commands of the line are under way
		}
		h.stop(h.reason)
		<-h.lock.Done
	}, steps: oneStep((*model.World[N]).Stop)}
}

// oneStep returns the steps of a command that changes the world in one way.
func oneStep[N treelock.Node[N]](change func(*model.World[N])) func() []model.Step[N] {
	return func() []model.Step[N] {
		return []model.Step[N]{func(w *model.World[N], then func(*model.World[N])) {
			change(w)
			then(w)
		}}
	}
}

func (h *harness[N]) duration(word string) time.Duration {
	d, err := time.ParseDuration(word)
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

func (h *harness[N]) must(name string) *client[N] {
	c := h.find(name)
	if c == nil {
		h.t.Fatalf("there is no client %s", name)
	}
	return c
}
