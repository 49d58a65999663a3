package treelock

import (
	"log/slog"
	"strconv"
	"strings"

	"github.com/treelock/treelock/internal/nodetext"
)

// A DeadlockError says that a call was refused, because its wait would have closed a circle: no
// wait on the circle could end while none of its requests is released or cancelled. The caller must
// release what it holds before it tries again. errors.Is finds [ErrDeadlock] in it.
type DeadlockError[N Node[N]] struct {
	Op         string     `json:"op,omitempty"`          // acquire, widen, wait, ...
	Label      string     `json:"label,omitempty"`       // of the request that was refused
	Claims     []Claim[N] `json:"claims,omitempty"`      // its first claims; the manager keeps 8
	MoreClaims int        `json:"more_claims,omitempty"` // how many more it has

	// Circle begins with the request that was refused. Each request lasts until the next one ends,
	// and the last one until the first one ends. A Drain, Shutdown or Suspend is no request: then
	// Circle begins with a grant that its caller holds. It has that alone if the call itself would
	// wait for it.
	Circle []DeadlockStep[N] `json:"circle"`
}

// A DeadlockStep is one request of a circle.
type DeadlockStep[N Node[N]] struct {
	Number uint64 `json:"number"` // its place in the order of arrival
	Label  string `json:"label,omitempty"`
	Tag    any    `json:"-"` // of the request

	// Link says why the request lasts until the next one ends. If it is LinkWaits, Wanted is a claim
	// of the request and Claim one of the next request, and these conflict.
	Link   Link     `json:"link"`
	Wanted Claim[N] `json:"wanted"`
	Claim  Claim[N] `json:"claim"`
}

// A Link says why a request on a circle lasts until the next one ends.
type Link uint8

const (
	LinkWaits   Link = iota // it waits for the next one: their claims conflict
	LinkHolder              // it is held by the caller of the next one, which waits
	LinkInside              // it is a grant, and the next one is a grant inside it
	LinkSuspend             // it is held by the caller of a Suspend that waits for the next one
)

// String returns "waits", "holder", "inside" or "suspend".
func (l Link) String() string {
	switch l {
	case LinkHolder:
		return "holder"
	case LinkInside:
		return "inside"
	case LinkSuspend:
		return "suspend"
	default:
		return "waits"
	}
}

// MarshalText returns the string, which is a link in JSON.
func (l Link) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText is the reverse of MarshalText.
func (l *Link) UnmarshalText(text []byte) error {
	return unmarshal(l, text, LinkWaits, LinkHolder, LinkInside, LinkSuspend)
}

// Unwrap returns ErrDeadlock.
func (e *DeadlockError[N]) Unwrap() error { return ErrDeadlock }

// mostSteps is how many requests of a circle a text names.
const mostSteps = 16

// Error says what was asked for, and names the circle:
//
//	treelock: widen "rename 17" (write /b): deadlock: #3 "rename 17" waits to write /b
//	until #4 ends (read /b); #4 waits to write /a until #3 "rename 17" ends (read /a)
//
// The text is one line of bounded length.
func (e *DeadlockError[N]) Error() string {
	b := BlockedError[N]{Op: e.Op, Label: e.Label, Claims: e.Claims, MoreClaims: e.MoreClaims, Err: ErrDeadlock}
	if len(e.Circle) == 0 {
		return b.Error()
	}
	return b.Error() + ": " + strings.Join(e.steps(), "; ")
}

// LogValue returns a group of what Error says. The value of a nil error is nil.
func (e *DeadlockError[N]) LogValue() slog.Value {
	if e == nil {
		return slog.AnyValue(nil)
	}
	attrs := []slog.Attr{slog.String("error", ErrDeadlock.Error())}
	if e.Op != "" {
		attrs = append(attrs, slog.String("op", e.Op))
	}
	if e.Label != "" {
		attrs = append(attrs, slog.String("label", e.Label))
	}
	if len(e.Claims) > 0 {
		attrs = append(attrs, slog.String("claims", claimsText(e.Claims, e.MoreClaims)))
	}
	return slog.GroupValue(append(attrs, slog.Any("circle", e.steps()))...)
}

// steps describes the first requests of the circle, and counts the others.
func (e *DeadlockError[N]) steps() (texts []string) {
	named := min(mostSteps, len(e.Circle))
	for i, step := range e.Circle[:named] {
		next := e.Circle[(i+1)%len(e.Circle)].name()
		if len(e.Circle) == 1 {
			next = "this call"
		}
		texts = append(texts, step.text(next))
	}
	if more := len(e.Circle) - named; more > 0 {
		texts = append(texts, thousands(more)+" more")
	}
	return texts
}

// text says why the request lasts until the next one ends.
func (s DeadlockStep[N]) text(next string) string {
	switch s.Link {
	case LinkHolder:
		return s.name() + " is held by the caller of " + next
	case LinkInside:
		return s.name() + " lasts until " + next + " inside it ends"
	case LinkSuspend:
		return s.name() + " is held by the caller of a suspend until " + next + " ends"
	default:
		return s.name() + " waits to " + s.Wanted.String() + " until " + next + " ends (" + s.Claim.String() + ")"
	}
}

// name names the request by number and label.
func (s DeadlockStep[N]) name() string {
	name := "#" + strconv.FormatUint(s.Number, 10)
	if s.Label != "" {
		name += " " + nodetext.Quote(s.Label, MaxLabel)
	}
	return name
}
