package treelock

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A State says what a live request does.
type State uint8

const (
	Waiting State = iota // it is to be granted when those before it that conflict have gone
	Holding              // it was granted
)

// String returns "waiting" or "holding".
func (s State) String() string {
	if s == Holding {
		return "holding"
	}
	return "waiting"
}

// MarshalText returns the string: it is how a state stands in JSON.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is the reverse of MarshalText.
func (s *State) UnmarshalText(text []byte) error { return unmarshal(s, text, Waiting, Holding) }

// A Blocker is a live request that another one would have had to wait for, or did.
type Blocker[N Node[N]] struct {
	Seq   uint64        `json:"seq"` // its sequence number
	Label string        `json:"label,omitempty"`
	State State         `json:"state"`
	For   time.Duration `json:"for"` // how long it has been in that state, in JSON in nanoseconds

	// Claim is what it claims, or one of its claims, that conflicts with Wanted, a claim of the request that it blocks.
	Claim  Claim[N] `json:"claim"`
	Wanted Claim[N] `json:"wanted"`
}

// String describes the blocker for a log line: `"rename 17" (#42, write /a, holding for 1.5s)`, or without a label
// `#42 (write /a, holding for 1.5s)`.
func (b Blocker[N]) String() string {
	what := fmt.Sprintf("%s, %v for %v)", quoteClaim(b.Claim), b.State, roughly(b.For))
	if b.Label == "" {
		return fmt.Sprintf("#%d (%s", b.Seq, what)
	}
	return fmt.Sprintf("%q (#%d, %s", b.Label, b.Seq, what)
}

// A BlockedError says who blocked a request that was refused, or given up while it waited. Get it from an error with
// [errors.As]; the error that it wraps says why that was the end: [ErrConflict], [ErrBusy] or the error of a context.
//
//	var blocked *treelock.BlockedError[treelock.Path]
//	if errors.As(err, &blocked) {
//		for _, b := range blocked.Blockers {
//			log.Print(b.Label)
//		}
//	}
//
// It tells of the moment at which the request ended. It names a few blockers, the earliest first. They are the earliest of all, unless
// there may be more than were counted: among very many requests not all are looked at, and perhaps none is found.
type BlockedError[N Node[N]] struct {
	Label    string        `json:"label,omitempty"` // of the request that was blocked
	Waited   time.Duration `json:"waited"`          // how long it had waited; 0 if it was refused at once; in JSON in nanoseconds
	Blockers []Blocker[N]  `json:"blockers"`
	More     int           `json:"more,omitempty"`     // how many more there were
	AtLeast  bool          `json:"at_least,omitempty"` // there may have been more than that: not all were counted
	Err      error         `json:"-"`                  // why it did not wait any longer
}

// Unwrap returns Err.
func (e *BlockedError[N]) Unwrap() error { return e.Err }

// Error is in one line, whatever labels and nodes are.
func (e *BlockedError[N]) Error() string {
	var b strings.Builder
	if e.Err != nil {
		b.WriteString(e.Err.Error())
		b.WriteString(": ")
	}
	if e.Label != "" {
		fmt.Fprintf(&b, "%q: ", e.Label)
	}
	wanted := "the request"
	if len(e.Blockers) > 0 {
		wanted = quoteClaim(e.Blockers[0].Wanted)
	}
	b.WriteString(wanted)
	if e.Waited > 0 {
		fmt.Fprintf(&b, " has waited %v, blocked by ", roughly(e.Waited))
	} else {
		b.WriteString(" is blocked by ")
	}
	for i, blocker := range e.Blockers {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(blocker.String())
	}
	b.WriteString(e.rest())
	return b.String()
}

// rest tells of the blockers that are not named.
func (e *BlockedError[N]) rest() string {
	named := len(e.Blockers) > 0
	switch {
	case e.More == 0 && !e.AtLeast:
		return ""
	case e.More == 0 && named:
		return ", and perhaps others"
	case e.More == 0:
		return "some among too many to be looked through"
	}
	count := strconv.Itoa(e.More)
	if e.AtLeast {
		count = "at least " + count
	}
	if named {
		return " and " + count + " more"
	}
	return count + " requests"
}

// quoteClaim names a claim as [Claim.String] does, shortened if it is very long, and without line breaks.
func quoteClaim[N Node[N]](c Claim[N]) string {
	s := c.String()
	if len(s) > longestQuote {
		s = s[:longestQuote] + "..."
	}
	if quoted := strconv.Quote(s); len(quoted) != len(s)+2 {
		return quoted // there is something in it that does not belong in a log
	}
	return s
}

// roughly returns d with three digits or so.
func roughly(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for unit < time.Second && d >= 1000*unit {
		unit *= 10
	}
	return d.Round(unit)
}
