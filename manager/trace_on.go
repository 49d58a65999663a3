//go:build race || treelock_audit

package manager

import (
	"maps"
	"slices"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/terms"
	"github.com/treelock/treelock/internal/trace"
)

// A tracer writes down each message that the manager goroutine handles, and what it answers, and
// has the model replay it. So each test of a manager compares it with the model. It is built like
// the auditor.
//
// A step is noted while it happens, and replayed once the message is handled. The model has one
// step for each message, with all its effects.
type tracer[N treelock.Node[N]] struct {
	replay *trace.Replay[N]
	step   *trace.Step[N] // the present one
}

// newTracer returns the tracer of a new loop of m.
func newTracer[N treelock.Node[N]](m *Manager[N]) tracer[N] {
	o := trace.Options{MaxWaiting: m.maxWaiting, FirstToken: m.firstToken}
	return tracer[N]{replay: trace.New[N](o), step: new(trace.Step[N])}
}

// kinds are the kinds of the steps that messages are. A kindInspect is the zero kind, Inspect,
// until begin or under learns that it is another step.
var kinds = map[messageKind]trace.Kind{
	kindAcquire: trace.Acquire, kindRelease: trace.Release, kindCancel: trace.Cancel, kindWithdraw: trace.Withdraw,
	kindNarrow: trace.Narrow, kindWiden: trace.Widen, kindRevoke: trace.Revoke, kindDrain: trace.Drain, kindStop: trace.Stop,
}

// begin begins a step: the manager goroutine handles msg. It reads all that it needs of the call,
// as the client may have it again before the step ends.
func (t tracer[N]) begin(msg message[N]) {
	s := trace.Step[N]{Kind: kinds[msg.kind], Number: msg.seq}
	switch c := msg.call; msg.kind {
	case kindCancel:
		s.Number, s.Widens = c.grant.seq, c.widens
	case kindWithdraw:
		s.Number = c.ticket.seq
	case kindAcquire, kindNarrow, kindWiden:
		s.MayWait, s.Under, s.Claims = c.mode != modeNoWait, numbersOf(c.callerHolds()), t.claims(c)
		s.Limited = c.meta != nil && c.meta.queue >= 0
	case kindInspect:
		if _, ok := c.inspector.(*checker[N]); ok {
			s.Kind, s.Claims = trace.Check, t.claims(c)
		}
	}
	*t.step = s
}

// claims returns a copy of the claims of a call, if the replay looks at them.
func (t tracer[N]) claims(c *call[N]) (claims []trace.Claim[N]) {
	if !t.replay.Blind() {
		for _, claim := range c.claims {
			claims = append(claims, traceClaim(claim))
		}
	}
	return claims
}

// numbersOf returns the numbers of grants.
func numbersOf(grants []treelock.Hold) (numbers []uint64) {
	for _, g := range grants {
		numbers = append(numbers, g.Number)
	}
	return numbers
}

// traceClaim returns a copy of a claim with its whole lineage. It calls no code of a user: only the
// lineage of a Path is not whole.
func traceClaim[N treelock.Node[N]](claim locktable.Claim[N]) trace.Claim[N] {
	c := terms.ClaimOf(claim.Lineage[0], claim.Mode)
	lineage := append([]N(nil), claim.Lineage...)
	if path, ok := any(c.Node).(treelock.Path); ok {
		lineage = nil
		for node, ok := any(treelock.Path(strings.Clone(string(path)))).(N), true; ok; node, ok = node.Parent() {
			lineage = append(lineage, node)
		}
	}
	return trace.Claim[N]{Lineage: lineage, Scope: c.Scope, Access: c.Access}
}

// arrived notes that a request with that number has arrived, and is live.
func (t tracer[N]) arrived(number uint64) { t.step.Arrived = number }

// granted notes a grant, or that a grant was widened.
func (t tracer[N]) granted(g grant[N]) {
	t.step.Granted = append(t.step.Granted, trace.Grant{Number: g.seq, Token: g.token})
}

// ended notes that the live request with that number ends.
func (t tracer[N]) ended(number uint64) { t.step.Ended = append(t.step.Ended, number) }

// failed notes that the waiting request with that number ends with err.
func (t tracer[N]) failed(number uint64, err error) {
	t.step.Failed = append(t.step.Failed, trace.Failure{Number: number, Err: err})
}

// refused notes that the message is refused.
func (t tracer[N]) refused(err error) { t.step.Err = err }

// probed notes that a probe took a number, as something is suspended.
func (t tracer[N]) probed() { t.step.Probed = true }

// under notes that a client waits for a ticket under grants, if the message says only that.
func (t tracer[N]) under(number uint64, grants []treelock.Hold) {
	if t.step.Kind == trace.Inspect {
		t.step.Kind, t.step.Number, t.step.Under = trace.WaitUnder, number, numbersOf(grants)
	}
}

// finish ends the step. It panics if the manager has not done what the model does.
func (t tracer[N]) finish(l *loop[N]) {
	if l.placing.journal != nil {
		return // the model knows no other processes
	}
	t.step.Live, t.step.Waiting, t.step.Drained = l.live, l.waiting, l.drainDone
	for _, s := range l.suspensions {
		if len(s.under) > 0 {
			live := slices.Collect(maps.Keys(s.live))
			t.step.Suspends = append(t.step.Suspends, trace.Suspend{Under: numbersOf(s.under), Live: live})
		}
	}
	if err := t.replay.Do(*t.step); err != nil {
		panic("BUG: treelock: " + err.Error())
	}
}
