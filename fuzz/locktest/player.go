package locktest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/fuzz/internal/history"
)

// Play makes a history of some clients out of data, any bytes, and plays it with a lock. The
// clients make requests in all ways that the lock has, some of them at the same time, with contexts
// that end at any moment. They narrow, release, release again and withdraw, and they drain and stop
// the lock. After each line of the history Play brings the lock to rest, and compares what every
// client was told with the rule, evaluated over all pairs of requests. It fails the test unless
// some order of what happened at the same time explains all of it. At the end it ends all requests,
// and nothing may be left.
//
// It returns the history as a scenario file, and a failure prints it: see [Scenario].
//
// It is meant for [testing.F.Fuzz], and as good for bytes from a random generator. The lock lives
// in a bubble of package [testing/synctest], so its goroutines must wait for channels or a
// [sync.Cond], not for a mutex.
func Play(t *testing.T, start Start[path], data []byte) (scenario string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		scenario = play(newHarness(t, start, pathTree), history.Decode(data))
	})
	return scenario
}

// PlayHostile plays a history as [Play] does, in which half of the clients claim nodes that
// misbehave, with contexts that misbehave. A lock must have all functions for it. Its scenarios
// have more words than those of [Scenario]:
//
//	acquire NAME under KIND CLAIMS   with a context of a kind of [CtxKinds]; also try, do, ...
//	read KIND+NUMBER                 claims a node of a kind of [NodeKinds], below NUMBER others
//	open                             lets the nodes of the kind slow go on
//	move                             moves the nodes of the kind mover
func PlayHostile(t *testing.T, start Start[Node], data []byte) (scenario string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := &hostility{gate: newGate(), behaviors: map[string]*behavior{}}
		h := newHarness(t, start, hostileTree(x))
		h.hostility = x
		scenario = play(h, history.DecodeHostile(data))
	})
	return scenario
}

// mostTogether bounds the commands of a line: all their orders are tried.
const mostTogether = 4

// A player plays the clients of a history. Each of them makes one request at a time.
type player[N treelock.Node[N]] struct {
	*harness[N]
	optionsLine string // the command that starts a lock with the options of the history
	seats       [history.Clients]seat[N]
	entered     int
	suspensions []string // the names of those that may be in force
	after       int      // lines since the lock has stopped
}

// A seat is a client of a history, which plays one client of the harness after the other.
type seat[N treelock.Node[N]] struct {
	now    *client[N]
	before *client[N] // the last with a grant
	enters string     // the name of the client that enters in the current line
}

// play plays a history and returns it as a scenario file.
func play[N treelock.Node[N]](h *harness[N], hist history.History) string {
	h.t.Helper()
	p := &player[N]{harness: h, optionsLine: optionsLine(hist)}
	p.open()
	var line []string
	for i, op := range hist.Ops {
		if command := p.command(op, &p.seats[op.Client]); command != "" {
			line = append(line, command)
		}
		// Where the waiting requests of hostile clients count, it must be known how many there are.
		together := op.Together && (h.hostility == nil || !h.options.Limited)
		if !together || i == len(hist.Ops)-1 || len(line) == mostTogether {
			p.playLine(line)
			line = nil
		}
		if h.hostility != nil && p.after == linesAfterStop {
			break
		}
	}
	h.teardown()
	return h.script.String()
}

// optionsLine returns the command for the options of h.
func optionsLine(h history.History) string {
	line := "manager"
	if h.MaxWaiting >= 0 {
		line += fmt.Sprint(" max-waiting=", h.MaxWaiting)
	}
	if h.IdleNodes >= 0 {
		line += fmt.Sprint(" idle-nodes=", h.IdleNodes)
	}
	if h.FirstToken > 0 {
		line += fmt.Sprint(" first-token=", h.FirstToken)
	}
	if h.MaxDepth > 0 {
		line += fmt.Sprint(" max-depth=", h.MaxDepth)
	}
	return line
}

// open starts a lock with the options of the history, if it has such options.
func (p *player[N]) open() {
	err := p.harness.open(p.parseOptions(strings.Fields(p.optionsLine)[1:]))
	if errors.Is(err, errors.ErrUnsupported) {
		p.optionsLine = "manager"
		err = p.harness.open(Options{})
	}
	if err != nil {
		p.t.Fatal(err)
	}
	fmt.Fprintf(&p.script, "%s\n%s\n\n", p.optionsLine, ruler)
}

// linesAfterStop is how many lines are played with a lock that has stopped, before there is a new
// one.
const linesAfterStop = 3

func (p *player[N]) playLine(line []string) {
	p.t.Helper()
	if len(line) == 0 {
		return
	}
	p.play(strings.Join(line, together))
	for i := range p.seats {
		s := &p.seats[i]
		if s.enters != "" {
			s.now, s.enters = p.find(s.enters), ""
		}
		if s.now != nil && s.now.grant != nil {
			s.before = s.now
		}
		if s.now != nil && s.now.state == over {
			s.now = nil
		}
	}
	if p.judge.World().Stopped {
		p.after++
	}
	if p.after > linesAfterStop {
		p.seats, p.after, p.suspensions = [history.Clients]seat[N]{}, 0, nil
		p.open()
	}
}

// command returns the command for op, "" if it is impossible now or the lock cannot do it. A
// command of the same line may make it impossible: lines are meant for that.
func (p *player[N]) command(op history.Op, s *seat[N]) string {
	switch op.Verb {
	case history.Next:
		switch {
		case s.now == nil && s.enters == "":
			return p.request(op, s)
		case s.now != nil && s.now.state == holds && (s.now.grant != nil || s.now.runs != nil):
			return "release " + s.now.name
		}
		return p.cancel(s)
	case history.Withdraw:
		return p.cancel(s)
	case history.Narrow:
		return p.narrow(s.now, op)
	case history.Again:
		if op.Odd() {
			return p.narrow(s.before, op)
		} else if s.before != nil {
			return "release " + s.before.name
		}
	case history.Receive:
		if s.now != nil && s.now.noReceive {
			if owner := p.owner(op); owner != nil && op.Nest == history.Under && p.hostility == nil {
				return "wait " + s.now.name + " under " + owner.name
			}
			return "receive " + s.now.name
		} else if p.hostility != nil {
			return "open"
		}
		return p.resume()
	case history.Token:
		switch c := s.now; {
		case p.hostility == nil && op.Nest == history.Under && p.lock.Check != nil:
			return "check " + p.name(op) + " " + p.claims(op.Request())
		case p.hostility == nil && op.Nest == history.Inside && c != nil && c.handle() != (treelock.Grant[N]{}):
			return "holds " + c.name + " " + p.claims(op.Request())
		case p.hostility == nil && op.Nest == history.Widen && c != nil:
			return "old " + c.name
		}
		if s.now != nil && s.now.grant != nil && !s.now.hostile {
			return "token " + s.now.name
		} else if p.hostility != nil {
			return "move"
		}
	case history.Pass:
		return "pass 10ms"
	case history.Burst:
		if p.hostility != nil {
			return "move"
		}
		return "burst 100"
	default:
		return p.end(op)
	}
	return ""
}

// name returns a new name: a letter for the client, and the number of its request.
func (p *player[N]) name(op history.Op) string {
	p.entered++
	return fmt.Sprintf("%c%d", 'a'+op.Client, p.entered)
}

// cancel returns the command with which a client ends its request, granted or not.
func (p *player[N]) cancel(s *seat[N]) string {
	switch {
	case s.enters != "":
		return "cancel " + s.enters
	case s.now == nil:
		return ""
	case s.now.ticket != nil && !s.now.awaits:
		return "withdraw " + s.now.name
	}
	return "cancel " + s.now.name
}

func (p *player[N]) narrow(c *client[N], op history.Op) string {
	if c == nil {
		return ""
	}
	if _, ok := c.grant.(narrower[N]); !ok {
		return ""
	}
	if c.hostile {
		claims := hostileClaims(op)
		if op.Odd() {
			claims = c.claims + " " + claims
		}
		return "narrow " + c.name + " " + claims
	}
	held := p.judge.World().Request(c.name)
	if held.Len() == 0 {
		held = c.req
	}
	return "narrow " + c.name + " " + p.claims(op.Narrower(p.paths(held)))
}
