package locktest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// verbs are the commands of scenario files: see Scenario. Each prepares an act; the name is that of an actor, most often.
var verbs = map[string]func(s *stage, name string, args []string) *act{
	"acquire":  (*stage).acquire,
	"try":      (*stage).try,
	"submit":   (*stage).submit,
	"deaf":     (*stage).submitDeaf,
	"receive":  (*stage).receive,
	"cancel":   (*stage).cancelActor,
	"withdraw": (*stage).withdraw,
	"release":  (*stage).release,
	"narrow":   (*stage).narrow,
	"token":    (*stage).token,
	"crowd":    (*stage).crowd,
	"drain":    (*stage).drain,
	"pass":     (*stage).pass,
	"stop":     (*stage).stopManager,
	"manager":  (*stage).openAgain,
}

// prepare returns the act that command stands for.
func (s *stage) prepare(command string) *act {
	s.t.Helper()
	words := strings.Fields(command)
	name, args := "", []string(nil)
	if len(words) > 1 {
		name, args = words[1], words[2:]
	}
	if len(words) > 0 {
		if prepare, ok := verbs[words[0]]; ok {
			return prepare(s, name, args)
		}
	}
	s.t.Fatalf("%s: no such command", command)
	return nil
}

func (s *stage) openAgain(first string, rest []string) *act {
	words := rest
	if first != "" {
		words = append([]string{first}, rest...)
	}
	if err := s.open(s.parseOptions(words)); err != nil {
		s.t.Fatal(err)
	}
	return &act{}
}

// parseOptions reads options such as "max-waiting=2".
func (s *stage) parseOptions(words []string) (o Options) {
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		n, err := strconv.Atoi(value)
		if err != nil {
			s.t.Fatalf("manager %s: %v", word, err)
		}
		switch key {
		case "max-waiting":
			o.Limited, o.MaxWaiting = true, n
		case "first-token":
			o.FirstToken = uint64(n)
		case "max-depth":
			o.MaxDepth = n
		case "idle-nodes":
			o.IdleNodes = n + 1
		default:
			s.t.Fatalf("manager %s: no such option", word)
		}
	}
	return o
}

func (s *stage) submit(name string, args []string) *act {
	a := s.enter(name)
	args = s.prepareContext(a, args)
	s.ask(a, args)
	return &act{do: func() { a.submit(s.lock) }}
}

func (s *stage) submitDeaf(name string, args []string) *act {
	act := s.submit(name, args)
	s.find(name).deaf = true
	return act
}

func (s *stage) receive(name string, _ []string) *act {
	a := s.must(name)
	if !a.deaf || a.ticket == nil {
		return &act{}
	}
	a.deaf = false
	return &act{do: a.receive, waits: true}
}

func (s *stage) acquire(name string, args []string) *act {
	a := s.enter(name)
	args = s.prepareContext(a, args)
	s.ask(a, args)
	return &act{waits: true, do: func() {
		g, err := s.lock.Acquire(a.ctx, a.req)
		a.result <- result{g, err}
	}}
}

func (s *stage) try(name string, args []string) *act {
	a := s.enter(name)
	a.tries = true
	s.ask(a, args)
	return &act{do: func() {
		g, err := s.lock.TryAcquire(a.req)
		a.result <- result{g, err}
	}}
}

func (s *stage) cancelActor(name string, _ []string) *act {
	return &act{do: s.must(name).cancel} // nil for one without a context: then nothing happens
}

func (s *stage) withdraw(name string, _ []string) *act {
	a := s.must(name)
	if a.ticket == nil {
		return &act{} // it was refused
	}
	deaf := a.deaf
	a.deaf = false
	tell := func() []model.Step[path] {
		a.withdrawn = true
		a.tooLate = a.tooLate || deaf
		return nil
	}
	return &act{tell: tell, do: func() {
		a.ticket.Withdraw()
		if deaf {
			go a.receive()
		}
	}}
}

func (s *stage) release(name string, _ []string) *act {
	a := s.must(name)
	if a.grant == nil {
		return &act{}
	}
	return &act{do: a.grant.Release, tell: func() []model.Step[path] {
		a.state, a.reached = over, over
		return []model.Step[path]{a.leave}
	}}
}

func (s *stage) narrow(name string, args []string) *act {
	a := s.must(name)
	grant, ok := a.grant.(narrower)
	if !ok {
		return &act{}
	}
	req := s.parse(args)
	var err error
	shrink := func(w *world, then func(*world)) {
		want := s.wrong(req)
		if want == nil {
			want = w.Shrink(name, req)
		}
		if want == nil && err == nil || want != nil && sameRefusal(err, want) && s.checkReason(err) == nil {
			then(w)
		}
	}
	return &act{do: func() { err = grant.Narrow(req) }, tell: func() []model.Step[path] {
		if err != nil {
			s.say(name, describe(err))
		}
		return []model.Step[path]{shrink}
	}}
}

func (s *stage) token(name string, _ []string) *act {
	if grant, ok := s.must(name).grant.(tokener); ok {
		return &act{tell: func() []model.Step[path] {
			s.say(name, fmt.Sprint("token ", grant.Token()))
			return nil
		}}
	}
	return &act{}
}

func (s *stage) drain(name string, args []string) *act {
	a := s.enter(name)
	a.drains = true
	s.prepareContext(a, args)
	return &act{waits: true, do: func() {
		err := s.lock.Drain(a.ctx)
		if err == nil {
			err = errDrained
		}
		a.result <- result{err: err}
	}, tell: func() []model.Step[path] {
		return []model.Step[path]{func(w *world, then func(*world)) {
			w.Drain()
			then(w)
		}}
	}}
}

func (s *stage) pass(duration string, _ []string) *act { return &act{pass: s.duration(duration)} }

func (s *stage) stopManager(reason string, _ []string) *act {
	if s.reason == nil {
		s.reason = errors.New(reason)
	}
	return &act{do: func() {
		for range 3 {
			runtime.Gosched() // so that the others of the line get under way
		}
		s.stop(s.reason)
		<-s.lock.Done
	}, tell: func() []model.Step[path] {
		return []model.Step[path]{func(w *world, then func(*world)) {
			w.Stop()
			then(w)
		}}
	}}
}

// errPatience is the cause that contexts end with.
var errPatience = errors.New("lost patience")

// prepareContext gives a context to a, which args may bound by "within DURATION". It returns the rest of args.
func (s *stage) prepareContext(a *actor, args []string) []string {
	ctx, end := context.WithCancelCause(s.t.Context())
	a.ctx, a.cancel = ctx, func() { end(errPatience) }
	if len(args) > 1 && args[0] == "within" {
		timed, stop := context.WithTimeoutCause(ctx, s.duration(args[1]), errPatience)
		a.ctx, a.cancel = timed, func() { end(errPatience); stop() }
		args = args[2:]
	}
	a.late = a.ctx.Err() != nil && !a.drains
	return args
}

// ask takes in what a asks for.
func (s *stage) ask(a *actor, claims []string) {
	a.req = s.parse(claims).Labeled(a.name)
	a.wrong = s.wrong(a.req)
}

// wrong returns the error for a request that is refused whatever the state of the lock, nil for all others.
func (s *stage) wrong(req request) error {
	for c := range req.Claims() {
		if _, err := treelock.ParsePath(string(c.Node)); err != nil {
			return err
		}
		depth := 1
		for node, ok := c.Node.Parent(); ok; node, ok = node.Parent() {
			depth++
		}
		if s.options.MaxDepth > 0 && depth > s.options.MaxDepth {
			return treelock.ErrTooDeep
		}
	}
	return nil
}

func (s *stage) duration(word string) time.Duration {
	d, err := time.ParseDuration(word)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

func (s *stage) must(name string) *actor {
	a := s.find(name)
	if a == nil {
		s.t.Fatalf("there is no actor %s", name)
	}
	return a
}
