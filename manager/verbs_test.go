package manager_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// verbs are the commands of scenario files.
var verbs = map[string]func(s *stage, name string, args []string){
	"manager":  (*stage).playManager,  // manager max-waiting=N|first-token=N|max-depth=N...: starts anew, with options
	"submit":   (*stage).playSubmit,   // submit NAME CLAIMS: a ticket, whose grant is received
	"deaf":     (*stage).playDeaf,     // deaf NAME CLAIMS: the same, but nobody receives
	"receive":  (*stage).playReceive,  // receive NAME: a deaf one receives after all
	"acquire":  (*stage).playAcquire,  // acquire NAME [within DURATION] CLAIMS
	"try":      (*stage).playTry,      // try NAME CLAIMS
	"cancel":   (*stage).playCancel,   // cancel NAME: ends the context of acquire
	"withdraw": (*stage).playWithdraw, // withdraw NAME: of submit
	"release":  (*stage).playRelease,  // release NAME
	"narrow":   (*stage).playNarrow,   // narrow NAME CLAIMS
	"token":    (*stage).playToken,    // token NAME
	"drain":    (*stage).playDrain,    // drain NAME [within DURATION]
	"pass":     (*stage).playPass,     // pass DURATION: time goes by
	"stop":     (*stage).playStop,     // stop REASON
}

func (s *stage) playManager(first string, rest []string) {
	var opts []manager.Option
	for _, arg := range append([]string{first}, rest...) {
		key, value, _ := strings.Cut(arg, "=")
		n, err := strconv.Atoi(value)
		if err != nil {
			s.t.Fatalf("manager %s: %v", arg, err)
		}
		switch key {
		case "max-waiting":
			opts = append(opts, manager.WithMaxWaiting(n))
		case "first-token":
			opts = append(opts, manager.WithFirstToken(uint64(n)))
		case "max-depth":
			opts = append(opts, manager.WithMaxDepth(n))
		default:
			s.t.Fatalf("manager %s: no such option", arg)
		}
	}
	s.start(opts...)
}

func (s *stage) playSubmit(name string, claims []string) {
	req := parseRequest(s.t, claims)
	tick, err := s.manager.Submit(s.t.Context(), req)
	a := s.enter(name)
	if err != nil {
		s.learn(a, result{err: err})
		return
	}
	a.ticket = tick
	s.arrive(a, req)
}

func (s *stage) playDeaf(name string, claims []string) {
	s.playSubmit(name, claims)
	s.find(name).deaf = true
}

func (s *stage) playReceive(name string, _ []string) { s.find(name).deaf = false }

func (s *stage) playAcquire(name string, args []string) {
	a := s.enter(name)
	ctx, cancel, args := s.context(args)
	a.cancel, a.result = cancel, make(chan result, 1)
	req := parseRequest(s.t, args)
	go func() {
		g, err := s.manager.Acquire(ctx, req)
		a.result <- result{g, err}
	}()
	synctest.Wait()
	select {
	case r := <-a.result:
		if r.err == nil {
			s.model.Submit(name, req)
		}
		s.learn(a, r)
	default:
		s.arrive(a, req)
	}
}

// context returns a context that args may bound by "within DURATION", and the rest of args.
func (s *stage) context(args []string) (context.Context, context.CancelFunc, []string) {
	if len(args) > 1 && args[0] == "within" {
		ctx, cancel := context.WithTimeout(s.t.Context(), s.duration(args[1]))
		return ctx, cancel, args[2:]
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	return ctx, cancel, args
}

func (s *stage) duration(word string) time.Duration {
	d, err := time.ParseDuration(word)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

func (s *stage) playTry(name string, claims []string) {
	a := s.enter(name)
	req := parseRequest(s.t, claims)
	g, err := s.manager.TryAcquire(req)
	if err == nil {
		s.model.Submit(name, req)
	}
	s.learn(a, result{g, err})
}

func (s *stage) playCancel(name string, _ []string) { s.find(name).cancel() }

func (s *stage) playWithdraw(name string, _ []string) {
	a := s.find(name)
	a.ticket.Withdraw()
	if !a.holds {
		s.model.End(name)
		a.deaf = false
	}
}

func (s *stage) playRelease(name string, _ []string) {
	a := s.find(name)
	a.grant.Release()
	if a.holds {
		s.model.End(name)
	}
	a.holds, a.finished = false, true
}

func (s *stage) playNarrow(name string, claims []string) {
	a := s.find(name)
	req := parseRequest(s.t, claims)
	err := a.grant.Narrow(req)
	if err == nil || errors.Is(err, treelock.ErrNotHeld) {
		if _, ok := s.model.Narrow(name, req); ok != (err == nil) {
			s.t.Errorf("narrow %s: %v, the model says ok=%t", name, err, ok)
		}
	}
	if err != nil {
		s.say(name, describe(err))
	}
}

func (s *stage) playToken(name string, _ []string) {
	s.say(name, fmt.Sprint("token ", s.find(name).grant.Token()))
}

func (s *stage) playDrain(name string, args []string) {
	a := s.enter(name)
	ctx, cancel, _ := s.context(args)
	a.result = make(chan result, 1)
	go func() {
		defer cancel()
		if err := s.manager.Drain(ctx); err != nil {
			a.result <- result{err: err}
			return
		}
		a.result <- result{err: errDrained}
	}()
}

// errDrained stands for the nil that Drain returns.
var errDrained = errors.New("drained")

func (s *stage) playPass(duration string, _ []string) { time.Sleep(s.duration(duration)) }

func (s *stage) playStop(reason string, _ []string) {
	s.stop(errors.New(reason))
	<-s.manager.Done()
	for _, name := range s.model.Live() {
		if !s.model.Granted(name) {
			s.find(name).deaf = false
		}
	}
}
