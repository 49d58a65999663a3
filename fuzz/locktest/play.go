package locktest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock/internal/history"
)

// Play makes a history of some clients out of data, any bytes, and plays it with a lock: they ask in all ways that
// the lock has, some of them at the same time, with contexts that end at any moment; narrow, release again, withdraw;
// drain and stop the lock. After each line of the history it is brought to rest, and what every client was told
// is compared with the rule, evaluated over all pairs of requests. Play fails the test unless
// some order of what happened at the same time explains all of it. At the end everybody lets go, and
// nothing may be left.
//
// It returns the history as a scenario file, and a failure prints it: see [Scenario].
//
// It is meant for [testing.F.Fuzz], and as good for bytes from a random generator. The lock lives in a bubble of
// package [testing/synctest], so whoever waits in it must wait for a channel or a [sync.Cond], not for a mutex.
func Play(t *testing.T, start Start, data []byte) (scenario string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := history.Decode(data)
		c := &cast{stage: &stage{t: t, start: start}, options: optionsLine(h)}
		c.open()
		c.playAll(h.Ops)
		c.strike()
		scenario = c.script.String()
	})
	return scenario
}

// mostTogether bounds the commands of a line: all their orders are tried.
const mostTogether = 4

// A cast is the clients of a history, who are on a stage one request at a time.
type cast struct {
	*stage
	options string // the command that starts a lock with the options of the history
	clients [history.Clients]client
	entered int
	after   int // the lines since the lock was stopped
}

type client struct {
	now    *actor
	before *actor // who held something
	enters string // the actor of the client who enters in the line at hand
}

// playAll plays ops, those that are together as one line.
func (c *cast) playAll(ops []history.Op) {
	c.t.Helper()
	var line []string
	for i, op := range ops {
		if command := c.command(op, &c.clients[op.Client]); command != "" {
			line = append(line, command)
		}
		if !op.Together || i == len(ops)-1 || len(line) == mostTogether {
			c.playLine(line)
			line = nil
		}
	}
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
	return line
}

// open starts a lock with the options of the history, if it has such options.
func (c *cast) open() {
	err := c.stage.open(c.parseOptions(strings.Fields(c.options)[1:]))
	if errors.Is(err, errors.ErrUnsupported) {
		c.options = "manager"
		err = c.stage.open(Options{})
	}
	if err != nil {
		c.t.Fatal(err)
	}
	fmt.Fprintf(&c.script, "%s\n%s\n\n", c.options, ruler)
}

func (c *cast) playLine(line []string) {
	c.t.Helper()
	if len(line) == 0 {
		return
	}
	c.play(strings.Join(line, together))
	for i := range c.clients {
		client := &c.clients[i]
		if client.enters != "" {
			client.now, client.enters = c.find(client.enters), ""
		}
		if client.now != nil && client.now.grant != nil {
			client.before = client.now
		}
		if client.now != nil && client.now.state == over {
			client.now = nil
		}
	}
	if c.judge.World().Stopped {
		c.after++
	}
	if c.after > linesAfterStop {
		c.clients, c.after = [history.Clients]client{}, 0
		c.open()
	}
}

// linesAfterStop is how many lines are played with a lock that has stopped, before there is a new one.
const linesAfterStop = 3

// command returns the command for op, "" if it does not make sense now or the lock cannot do it. It may make no
// sense because of a command of the same line: that is what lines are for.
func (c *cast) command(op history.Op, cl *client) string {
	switch op.Verb {
	case history.Next:
		switch {
		case cl.now == nil && cl.enters == "":
			return c.ask(op, cl)
		case cl.now != nil && cl.now.grant != nil:
			return "release " + cl.now.name
		}
		return c.giveUp(cl)
	case history.Withdraw:
		return c.giveUp(cl)
	case history.Narrow:
		return c.narrow(cl.now, op)
	case history.Again:
		if op.Odd() {
			return c.narrow(cl.before, op)
		} else if cl.before != nil {
			return "release " + cl.before.name
		}
	case history.Receive:
		if cl.now != nil && cl.now.deaf {
			return "receive " + cl.now.name
		}
	case history.Token:
		if cl.now != nil && cl.now.grant != nil {
			return "token " + cl.now.name
		}
	case history.Pass:
		return "pass 10ms"
	case history.Crowd:
		return "crowd 100"
	default:
		return c.end(op)
	}
	return ""
}

// ask returns the command with which a client asks for something.
func (c *cast) ask(op history.Op, cl *client) string {
	verb, within := "acquire", ""
	switch op.Way {
	case history.Submit:
		verb = "submit"
	case history.SubmitDeaf:
		verb = "deaf"
	case history.SubmitEnded:
		verb, within = "submit", "within 0s "
	case history.SubmitBrief:
		verb, within = "submit", "within 10ms "
	case history.Try:
		verb = "try"
	case history.AcquireBrief:
		within = "within 10ms "
	case history.AcquireEnded:
		within = "within 0s "
	}
	if verb == "try" && c.lock.TryAcquire == nil || verb != "try" && c.lock.Submit == nil {
		verb = "acquire"
	}
	cl.enters = c.name(op)
	return fmt.Sprintf("%s %s %s%s", verb, cl.enters, within, Claims(op.Request()))
}

// name returns a new name: a letter for the client, and the number of its request.
func (c *cast) name(op history.Op) string {
	c.entered++
	return fmt.Sprintf("%c%d", 'a'+op.Client, c.entered)
}

// giveUp returns the command with which a client ends what it asked for, whether it was granted or not.
func (c *cast) giveUp(cl *client) string {
	switch {
	case cl.enters != "":
		return "cancel " + cl.enters
	case cl.now == nil:
		return ""
	case cl.now.ticket != nil:
		return "withdraw " + cl.now.name
	}
	return "cancel " + cl.now.name
}

func (c *cast) narrow(a *actor, op history.Op) string {
	if a == nil {
		return ""
	}
	if _, ok := a.grant.(narrower); !ok {
		return ""
	}
	held := c.judge.World().Request(a.name)
	if held.Len() == 0 {
		held = a.req
	}
	return "narrow " + a.name + " " + Claims(op.Narrower(held))
}

// end returns the command that drains the lock, or stops it, most often if it drains already.
func (c *cast) end(op history.Op) string {
	drains := c.judge.World().Draining
	switch {
	case op.Verb == history.Drain && c.lock.Drain != nil && (!drains || op.Way == history.Try):
		within := ""
		if op.Way == history.AcquireEnded {
			within = " within 0s"
		} else if op.Odd() {
			within = " within 10ms"
		}
		return "drain " + c.name(op) + within
	case c.lock.Done != nil:
		return "stop enough"
	}
	return ""
}
