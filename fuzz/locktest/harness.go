package locktest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// A harness is a lock, its clients, and the judge of what they are told. It lives in a bubble of
// package synctest, which is brought to rest after each line of commands: then every goroutine that
// can go on has gone on, and a client that still waits would wait without end.
type harness[N treelock.Node[N]] struct {
	t       *testing.T
	tree    tree[N]
	start   Start[N]
	lock    Lock[N]
	options Options
	stop    context.CancelCauseFunc // ends the context of the lock
	reason  error                   // the cause of that end

	draining bool // there was a drain or a shutdown
	shuts    bool // there was a shutdown, which also ends the lock

	judge   *model.Judge[N]
	clients []*client[N]
	grants  []granted[N]

	hostility *hostility // nil if all nodes and contexts are ordinary
	outside   [2]int     // requests of hostile clients that are live, and that wait

	consequences []string        // of the current line
	script       strings.Builder // all lines with their consequences: a scenario file
}

// A tree tells a harness about nodes of type N.
type tree[N treelock.Node[N]] struct {
	parse func(word string) (N, *nodeKind) // returns nil for an ordinary node
	word  func(node N) string
	check func(node N) error // returns the error for a node that is refused
	top   string             // the path of the node that represents "/" of a history, "" for "/"
}

// granted is what a harness remembers of every grant, and of every widening.
type granted[N treelock.Node[N]] struct {
	by    *client[N]
	req   treelock.Request[N]
	token uint64
}

func newHarness[N treelock.Node[N]](t *testing.T, start Start[N], tree tree[N]) *harness[N] {
	h := &harness[N]{t: t, start: start, tree: tree}
	t.Cleanup(h.unblock)
	return h
}

var pathTree = tree[path]{
	parse: func(word string) (path, *nodeKind) { return path(word), nil },
	word:  func(node path) string { return string(node) },
	check: func(node path) error { _, err := treelock.ParsePath(string(node)); return err },
}

// unblock lets all calls return that wait for the harness, so that the bubble can end after a
// failure.
func (h *harness[N]) unblock() {
	for _, c := range h.clients {
		if c.leave != nil && !c.left {
			c.left = true
			close(c.leave)
		}
	}
	for rounds := len(h.clients); rounds > 0 && h.hostility != nil; rounds-- {
		h.hostility.gate.letAll()
		synctest.Wait()
	}
}

// open starts a lock with the given options, in place of the current one, if any.
func (h *harness[N]) open(o Options) error {
	if h.stop != nil {
		h.stop(nil)
	}
	ctx, stop := context.WithCancelCause(h.t.Context())
	lock, err := h.start(ctx, o)
	if err != nil {
		stop(nil)
		return err
	}
	limit := -1
	if o.Limited {
		limit = o.MaxWaiting
	}
	world := model.NewWorld[N](limit)
	world.MaxClaims = o.MaxClaims
	h.lock, h.options, h.stop, h.judge = lock, o, stop, model.NewJudge(world)
	h.reason, h.draining, h.shuts = nil, false, false
	h.clients, h.grants = nil, nil
	if h.hostility != nil {
		h.openHostile()
	}
	return nil
}

// A command is a command of a scenario file, prepared to run.
type command[N treelock.Node[N]] struct {
	run   func()                 // on its own goroutine, at the same time as the others; may be nil
	steps func() []model.Step[N] // at rest: what it has led to; may be nil
	pass  time.Duration          // time that goes by meanwhile
	waits bool                   // run need not have returned at rest
	done  bool                   // run has returned
}

// together separates commands that are carried out at the same time.
const together = " & "

// play plays a line of commands, all at the same time, and returns the consequences, a line each.
func (h *harness[N]) play(line string) string {
	h.t.Helper()
	h.consequences = nil
	words := strings.Split(line, together)
	commands := make([]*command[N], len(words))
	for i := range words {
		commands[i] = h.prepare(words[i])
	}
	for _, c := range commands {
		go func() {
			defer func() { c.done = true }()
			if c.run != nil {
				c.run()
			}
		}()
	}
	for _, c := range commands {
		time.Sleep(c.pass)
	}
	synctest.Wait()

	err := h.settle(words, commands)
	told := ""
	if len(h.consequences) > 0 {
		told = strings.Join(h.consequences, "\n") + "\n"
	}
	fmt.Fprintf(&h.script, "%s\n%s\n%s\n", line, ruler, told)
	if err != nil {
		h.t.Fatalf("%s: %v\n\nThe scenario, with what happened in place of what should have:\n\n%s", line, err, h.script.String())
	}
	return told
}

// settle finds out, at rest, what the commands have led to, and has the judge explain it.
func (h *harness[N]) settle(words []string, commands []*command[N]) error {
	var errs []error
	var steps []model.Step[N]
	for i, c := range commands {
		if !c.waits && !c.done {
			errs = append(errs, fmt.Errorf("%s does not return", words[i]))
		} else if c.steps != nil {
			steps = append(steps, c.steps()...)
		}
	}
	for _, c := range h.clients {
		if c.hostile {
			continue
		}
		told, err := c.settle()
		steps = append(steps, told...)
		errs = append(errs, err, h.checkReason(c.err))
	}
	if h.hostility != nil {
		told, err := h.settleHostile()
		steps = append(steps, told...)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := h.judge.Explain(steps, h.fits); err != nil {
		return err
	}
	h.report()
	return h.check()
}

// report notes what has happened to the clients.
func (h *harness[N]) report() {
	for _, c := range h.clients {
		switch now := c.state; {
		case now == c.reached || now == holds && c.grant == nil && c.noReceive:
			continue
		case now == waiting && c.hostile:
			h.note(c.name, "waits")
		case now == waiting && c.suspends && c.reached == entering:
			h.note(c.name, "waits for "+strings.Join(h.judge.World().LiveIn(c.name), ", "))
		case now == waiting && !c.drains && c.reached == entering:
			h.note(c.name, "waits for "+strings.Join(h.judge.World().Blockers(c.name), ", "))
		case now == holds:
			h.note(c.name, "granted")
		case c.err != nil:
			h.note(c.name, describe[N](c.err))
		}
		c.reached = c.state
	}
}

// teardown ends all requests, and checks that nothing is left. A hostile client whose context never
// ends is granted in a later round.
func (h *harness[N]) teardown() {
	left := func(c *client[N]) bool { return c.state != over }
	for rounds := len(h.clients) + maxAbove + 2; rounds > 0 && slices.ContainsFunc(h.clients, left); rounds-- {
		if h.hostility != nil {
			h.play("open")
		}
		for _, c := range h.clients {
			if left(c) {
				h.play(c.endCommand())
			}
		}
	}
	if i := slices.IndexFunc(h.clients, left); i >= 0 {
		h.t.Fatalf("%s is left\n\n%s", h.clients[i].name, h.script.String())
	}
	w := h.judge.World()
	if h.lock.Drain != nil && !w.Drained && !w.Stopped {
		if got := h.play("drain end"); !strings.Contains(got, "end: drained\n") {
			h.t.Fatalf("something is left: %s", got)
		}
	}
	if h.lock.Done != nil && !w.Stopped {
		h.play("stop the end")
	}
}

// endCommand returns the command that ends the request of a client, granted or not.
func (c *client[N]) endCommand() string {
	switch {
	case c.state == holds && (c.grant != nil || c.runs != nil):
		return "release " + c.name
	case c.ticket != nil && !c.awaits:
		return "withdraw " + c.name
	}
	return "cancel " + c.name
}

// enter adds a new client.
func (h *harness[N]) enter(name string) *client[N] {
	if h.find(name) != nil {
		h.t.Fatalf("there are two clients %s", name)
	}
	c := &client[N]{name: name, result: make(chan result, 1)}
	h.clients = append(h.clients, c)
	return c
}

// find returns the client of that name, nil if there is none.
func (h *harness[N]) find(name string) *client[N] {
	for _, c := range h.clients {
		if c.name == name {
			return c
		}
	}
	return nil
}

func (h *harness[N]) note(name, what string) {
	h.consequences = append(h.consequences, name+": "+what)
}
