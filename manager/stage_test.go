package manager_test

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
	"github.com/treelock/treelock/manager"
)

type (
	path   = treelock.Path
	grant  = manager.Grant[path]
	ticket = manager.Ticket[path]
)

// A stage is a manager, its clients by name, and the model that says who of them must hold. It lives in a
// bubble of package synctest.
type stage struct {
	t       *testing.T
	manager *manager.Manager[path]
	stop    context.CancelCauseFunc
	model   model.Model[path]
	actors  []*actor
	said    []string // the consequences of the current command
}

// An actor is one client with one request.
type actor struct {
	name     string
	ticket   *ticket            // of submit
	deaf     bool               // of submit: it does not receive
	result   chan result        // of acquire and drain
	cancel   context.CancelFunc // of acquire
	grant    grant
	holds    bool
	finished bool // released, withdrawn, refused
}

type result struct {
	grant grant
	err   error
}

func newStage(t *testing.T) *stage {
	s := &stage{t: t}
	s.start()
	return s
}

// start starts a manager. The bubble's context outlives the stage; stop ends the manager.
func (s *stage) start(opts ...manager.Option) {
	if s.stop != nil {
		s.stop(nil)
	}
	ctx, stop := context.WithCancelCause(s.t.Context())
	s.manager, s.stop = manager.Start(ctx, opts...), stop
}

// play plays one command and returns its consequences, a line each.
func (s *stage) play(command string) string {
	s.t.Helper()
	s.said = nil
	words := strings.Fields(command)
	verb := words[0]
	name, args := "", []string(nil)
	if len(words) > 1 {
		name, args = words[1], words[2:]
	}
	if act, ok := verbs[verb]; ok {
		act(s, name, args)
	} else {
		s.t.Fatalf("%s: no such command", command)
	}
	s.settle()
	if len(s.said) == 0 {
		return ""
	}
	return strings.Join(s.said, "\n") + "\n"
}

// settle brings the bubble to rest, has all actors say what happened to them, and compares with the model.
func (s *stage) settle() {
	s.t.Helper()
	synctest.Wait()
	for _, a := range s.actors {
		s.listen(a)
	}
	for _, a := range s.actors {
		if want := s.model.Granted(a.name); !a.deaf && a.holds != want {
			s.t.Errorf("I2: %s holds: %t, the rule says %t", a.name, a.holds, want)
		}
	}
}

// listen finds out what has happened to a.
func (s *stage) listen(a *actor) {
	if a.finished || a.holds {
		return
	}
	switch {
	case a.ticket != nil && !a.deaf:
		select {
		case g, ok := <-a.ticket.Granted():
			s.learn(a, result{g, a.ticket.Err()})
			if ok != (a.ticket.Err() == nil) {
				s.t.Errorf("%s: received ok=%t, Err() = %v", a.name, ok, a.ticket.Err())
			}
		default:
		}
	case a.result != nil:
		select {
		case r := <-a.result:
			s.learn(a, r)
		default:
		}
	}
}

// learn takes in the outcome of a's request.
func (s *stage) learn(a *actor, r result) {
	if r.err != nil {
		a.finished = true
		s.model.End(a.name)
		s.say(a.name, describe(r.err))
		if r.grant != (grant{}) {
			s.t.Errorf("%s: got an error and a grant", a.name)
		}
		return
	}
	a.grant, a.holds = r.grant, true
	s.say(a.name, "granted")
}

func (s *stage) say(name, what string) { s.said = append(s.said, name+": "+what) }

// enter puts a new actor on the stage.
func (s *stage) enter(name string) *actor {
	if slices.ContainsFunc(s.actors, func(a *actor) bool { return a.name == name }) {
		s.t.Fatalf("there are two actors %s", name)
	}
	a := &actor{name: name}
	s.actors = append(s.actors, a)
	return a
}

func (s *stage) find(name string) *actor {
	i := slices.IndexFunc(s.actors, func(a *actor) bool { return a.name == name })
	if i < 0 {
		s.t.Fatalf("there is no actor %s", name)
	}
	return s.actors[i]
}

// arrive tells the model of a's request and says who is in its way, if anybody is.
func (s *stage) arrive(a *actor, req treelock.Request[path]) {
	s.model.Submit(a.name, req)
	if blockers := s.model.Blockers(a.name); len(blockers) > 0 {
		s.say(a.name, "waits for "+strings.Join(blockers, ", "))
	}
}

// strike ends the play: everybody lets go, and nothing may be left.
func (s *stage) strike() {
	for _, a := range s.actors {
		if a.ticket != nil {
			a.ticket.Withdraw()
		}
		if a.cancel != nil {
			a.cancel()
		}
		a.grant.Release()
		a.holds, a.finished, a.deaf = false, true, false
		s.model.End(a.name)
		s.settle()
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Hour)
	defer cancel()
	select {
	case <-s.manager.Done():
	default:
		if err := s.manager.Drain(ctx); err != nil {
			s.t.Errorf("something is left: Drain() = %v", err)
		}
	}
	s.stop(nil)
	<-s.manager.Done()
}

// parseRequest reads claims such as "read /a /b write /c".
func parseRequest(t *testing.T, words []string) (req treelock.Request[path]) {
	add := map[string]func(...path) treelock.Request[path]{}
	verb := ""
	for _, word := range words {
		add["read"], add["write"], add["read-node"], add["write-node"] = req.Read, req.Write, req.ReadNode, req.WriteNode
		if _, ok := add[word]; ok || word == "nothing" {
			verb = word
			continue
		}
		if add[verb] == nil {
			t.Fatalf("%q: what should be done with %s?", words, word)
		}
		req = add[verb](path(word))
	}
	return req
}

// describe says in a few words what an error means.
func describe(err error) string {
	for _, known := range []struct {
		err  error
		text string
	}{
		{treelock.ErrStopped, "stopped"},
		{treelock.ErrConflict, "refused, would have to wait"},
		{treelock.ErrBusy, "refused, too many wait"},
		{treelock.ErrDraining, "refused, draining"},
		{treelock.ErrWithdrawn, "withdrawn"},
		{treelock.ErrNotHeld, "does not hold that"},
		{treelock.ErrTooDeep, "refused, too deep"},
		{context.Canceled, "gave up"},
		{context.DeadlineExceeded, "ran out of time"},
	} {
		if errors.Is(err, known.err) {
			return known.text
		}
	}
	return fmt.Sprint(err)
}
