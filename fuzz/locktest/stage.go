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

type world = model.World[path]

// A stage is a lock, its clients, and the judge of what they see. It lives in a bubble of package synctest, which is
// brought to rest after each line of commands: then everybody who can go on has gone on, and whoever still waits
// would wait for ever.
type stage struct {
	t       *testing.T
	start   Start
	lock    Lock
	options Options
	stop    context.CancelCauseFunc // ends the context of the lock
	reason  error                   // why it was ended, nil if it was not

	judge  *model.Judge[path]
	actors []*actor
	grants []granted

	said   []string        // the consequences of the current line
	script strings.Builder // all lines with their consequences, in the form of a scenario file
}

// granted is what a stage remembers of every grant.
type granted struct {
	by    *actor
	req   request
	token uint64
}

// open starts a lock with the given options, in place of the one that is there, if any.
func (s *stage) open(o Options) error {
	if s.stop != nil {
		s.stop(nil)
	}
	ctx, stop := context.WithCancelCause(s.t.Context())
	lock, err := s.start(ctx, o)
	if err != nil {
		stop(nil)
		return err
	}
	limit := -1
	if o.Limited {
		limit = o.MaxWaiting
	}
	s.lock, s.options, s.stop, s.judge = lock, o, stop, model.NewJudge(model.NewWorld[path](limit))
	s.reason = nil
	s.actors, s.grants = nil, nil
	return nil
}

// An act is one command at work.
type act struct {
	do    func()                    // on a goroutine of its own, at the same time as the other acts of the line; may be nil
	tell  func() []model.Step[path] // at rest: what it led to; may be nil
	pass  time.Duration             // time that goes by meanwhile
	waits bool                      // do need not have returned at rest
	done  bool                      // do has returned
}

// together separates commands that are carried out at the same time.
const together = " & "

// play plays a line of commands, all at the same time, and returns the consequences, a line each.
func (s *stage) play(line string) string {
	s.t.Helper()
	s.said = nil
	commands := strings.Split(line, together)
	acts := make([]*act, len(commands))
	for i, command := range commands {
		acts[i] = s.prepare(command)
	}
	for _, a := range acts {
		go func() {
			if a.do != nil {
				a.do()
			}
			a.done = true
		}()
	}
	for _, a := range acts {
		time.Sleep(a.pass)
	}
	synctest.Wait()

	err := s.settle(commands, acts)
	consequences := ""
	if len(s.said) > 0 {
		consequences = strings.Join(s.said, "\n") + "\n"
	}
	fmt.Fprintf(&s.script, "%s\n%s\n%s\n", line, ruler, consequences)
	if err != nil {
		s.t.Fatalf("%s: %v\n\nThe scenario, with what happened in place of what should have:\n\n%s", line, err, s.script.String())
	}
	return consequences
}

// settle finds out, at rest, what the acts have led to, and has the judge explain it.
func (s *stage) settle(commands []string, acts []*act) error {
	var errs []error
	var steps []model.Step[path]
	for i, a := range acts {
		if !a.waits && !a.done {
			errs = append(errs, fmt.Errorf("%s does not return", commands[i]))
		} else if a.tell != nil {
			steps = append(steps, a.tell()...)
		}
	}
	for _, a := range s.actors {
		told, err := a.listen()
		steps = append(steps, told...)
		errs = append(errs, err, s.checkReason(a.err))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := s.judge.Explain(steps, s.fits); err != nil {
		return err
	}
	s.report()
	return s.check()
}

// report says what has happened to the actors.
func (s *stage) report() {
	for _, a := range s.actors {
		switch now := a.state; {
		case now == a.reached || now == holds && a.grant == nil:
			continue
		case now == waiting && !a.drains && a.reached == entering:
			s.say(a.name, "waits for "+strings.Join(s.judge.World().Blockers(a.name), ", "))
		case now == holds:
			s.say(a.name, "granted")
		case a.err != nil:
			s.say(a.name, describe(a.err))
		}
		a.reached = a.state
	}
}

// checkReason checks that an error that says that the manager stopped also says why.
func (s *stage) checkReason(err error) error {
	if errors.Is(err, treelock.ErrStopped) && s.reason != nil && !errors.Is(err, s.reason) {
		return fmt.Errorf("%q does not wrap the cause, %q", err, s.reason)
	}
	return nil
}

// fits compares what everybody has seen with a state in which the lock may be.
func (s *stage) fits(w *world) error {
	if err := w.Deadlocked(); err != nil {
		return err
	}
	for _, a := range s.actors {
		if err := a.fits(w); err != nil {
			return err
		}
	}
	return nil
}

// check checks what can be seen without the judge: exclusion and tokens.
func (s *stage) check() error {
	var holders []*actor
	for _, a := range s.actors {
		if a.state != holds {
			continue
		}
		req := s.judge.World().Request(a.name)
		for _, b := range holders {
			if model.Conflict(s.judge.World().Request(b.name), req) {
				return fmt.Errorf("I1: %s and %s hold together", b.name, a.name)
			}
		}
		holders = append(holders, a)
	}
	return s.checkTokens()
}

// checkTokens takes in the tokens of new grants, and looks at the others again.
func (s *stage) checkTokens() error {
	before := s.grants
	for _, a := range s.actors {
		grant, ok := a.grant.(tokener)
		if a.state != holds || !ok {
			continue
		}
		token := grant.Token()
		if token < max(s.options.FirstToken, 1) {
			return fmt.Errorf("I7: %s has token %d, which is less than the first", a.name, token)
		}
		known := slices.IndexFunc(before, func(g granted) bool { return g.by == a })
		if known >= 0 && before[known].token != token {
			return fmt.Errorf("I7: %s has token %d, and had %d before", a.name, token, before[known].token)
		} else if known >= 0 {
			continue
		}
		for _, g := range before {
			if g.token >= token && model.Conflict(g.req, a.req) {
				return fmt.Errorf("I7: %s has token %d, and %s, which it conflicts with, had %d before", a.name, token, g.by.name, g.token)
			}
		}
		s.grants = append(s.grants, granted{a, a.req, token})
	}
	return nil
}

// strike ends the play: everybody lets go, and nothing may be left.
func (s *stage) strike() {
	for _, a := range s.actors {
		switch {
		case a.state == over:
		case a.grant != nil:
			s.play("release " + a.name)
		case a.ticket != nil:
			s.play("withdraw " + a.name)
		default:
			s.play("cancel " + a.name)
		}
	}
	w := s.judge.World()
	if s.lock.Drain != nil && !w.Drained && !w.Stopped {
		if got := s.play("drain end"); !strings.Contains(got, "end: drained\n") {
			s.t.Fatalf("something is left: %s", got)
		}
	}
	if s.lock.Done != nil && !w.Stopped {
		s.play("stop the end")
	}
}

// enter puts a new actor on the stage.
func (s *stage) enter(name string) *actor {
	if s.find(name) != nil {
		s.t.Fatalf("there are two actors %s", name)
	}
	a := &actor{name: name, result: make(chan result, 1)}
	s.actors = append(s.actors, a)
	return a
}

// find returns the actor of that name, nil if there is none.
func (s *stage) find(name string) *actor {
	for _, a := range s.actors {
		if a.name == name {
			return a
		}
	}
	return nil
}

func (s *stage) say(name, what string) { s.said = append(s.said, name+": "+what) }
