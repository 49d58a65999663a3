package trace

import (
	"errors"
	"fmt"
	"strings"

	"github.com/treelock/treelock"
)

// A Kind says what a message asks for.
type Kind uint8

const (
	Inspect   Kind = iota // nothing that changes the state
	Acquire               // Number of the grant that it is inside, or 0; Claims, MayWait, Under, Token
	Release               // Number
	Cancel                // Number, Widens
	Withdraw              // Number
	Narrow                // Number, Claims
	Widen                 // Number, Claims, MayWait, Under
	Revoke                // Number
	WaitUnder             // Number, Under: a client that holds grants begins to wait for a ticket
	Check                 // Claims
	Drain
	Stop
)

var kindNames = [...]string{
	"inspect", "acquire", "release", "cancel", "withdraw", "narrow", "widen", "revoke", "wait under grants", "check", "drain", "stop",
}

// A Step is one message, and what a manager answered.
type Step[N comparable] struct {
	Kind    Kind
	Number  uint64 // of a request that the message names
	Claims  []Claim[N]
	MayWait bool
	Limited bool     // the request bounds the queues that it joins
	Widens  bool     // what is canceled is a widening
	Under   []uint64 // the grants that the caller holds
	Token   uint64   // of the grant that the request is inside, as the client knows it

	Answer
	Live, Waiting int  // requests, after the step
	Drained       bool // after the step
	Probed        bool // a probe has taken a number, as something is suspended

	Suspends []Suspend // after the step; only those whose callers hold grants
}

// A Suspend is a call of Suspend that waits for the live requests, while its caller holds grants.
type Suspend struct{ Under, Live []uint64 }

// An Answer is what became of a message.
type Answer struct {
	Err     error     // why it was refused
	Arrived uint64    // the number of the request that arrived; 0 if refused, or granted as a widening
	Granted []Grant   // by this step, in order
	Failed  []Failure // requests that waited
	Ended   []uint64  // live requests, the failed ones included
}

// A Grant is a request that is granted, or whose widening is, with its token.
type Grant struct{ Number, Token uint64 }

// A Failure is a request that gets an error instead of a grant.
type Failure struct {
	Number uint64
	Err    error
}

func (s *Step[N]) String() string {
	var b strings.Builder
	b.WriteString(kindNames[s.Kind])
	if s.Number != 0 {
		if s.Kind == Acquire {
			b.WriteString(" inside")
		}
		fmt.Fprintf(&b, " #%d", s.Number)
	}
	for _, c := range s.Claims {
		claim := treelock.Claim[node[N]]{Scope: c.Scope, Access: c.Access}
		fmt.Fprintf(&b, " %s %s", claim.Verb(), nameText(c.Lineage[0]))
	}
	if len(s.Under) > 0 {
		fmt.Fprintf(&b, " under %v", s.Under)
	}
	fmt.Fprintf(&b, ": %s; %d live, %d waiting", s.Answer, s.Live, s.Waiting)
	return b.String()
}

func (a Answer) String() string {
	var b strings.Builder
	if a.Err != nil {
		b.WriteString("refused, " + className(a.Err))
	} else {
		b.WriteString("done")
	}
	if a.Arrived != 0 {
		fmt.Fprintf(&b, ", is #%d", a.Arrived)
	}
	for _, g := range a.Granted {
		fmt.Fprintf(&b, ", grants #%d", g.Number)
		if g.Token != 0 {
			fmt.Fprintf(&b, " (token %d)", g.Token)
		}
	}
	for _, f := range a.Failed {
		fmt.Fprintf(&b, ", fails #%d (%s)", f.Number, className(f.Err))
	}
	for _, n := range a.Ended {
		fmt.Fprintf(&b, ", ends #%d", n)
	}
	return b.String()
}

// classes are the errors that a step may lead to. ErrLost comes first, as what it wraps may be
// anything.
var classes = []error{
	treelock.ErrLost, treelock.ErrConflict, treelock.ErrBusy, treelock.ErrDraining, treelock.ErrDeadlock,
	treelock.ErrSuspended, treelock.ErrReleased, treelock.ErrNotHeld, treelock.ErrWidening, treelock.ErrTooWide, treelock.ErrStopped,
}

// className returns the text of the class of err.
func className(err error) string {
	for _, class := range classes {
		if errors.Is(err, class) {
			return strings.TrimPrefix(class.Error(), "treelock: ")
		}
	}
	return "another error"
}
