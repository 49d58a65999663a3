package treelock

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/treelock/treelock/internal/nodetext"
)

// String describes the blocker for a log line: `"rename 17" (#42, write /a, holding for 1.5s)`, or without a label
// `#42 (write /a, holding for 1.5s)`. The text is one line of bounded length.
func (b Blocker[N]) String() string {
	return nodetext.Blocker(b.Number, b.Label, MaxLabel, b.Claim.String(), b.State.String(), b.For)
}

// LogValue returns a group of all fields.
func (b Blocker[N]) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Uint64("number", b.Number), slog.String("label", b.Label), slog.String("state", b.State.String()),
		slog.Duration("for_ns", b.For), slog.String("claim", b.Claim.String()), slog.String("wanted", b.Wanted.String()),
	)
}

// Error says what was asked for, why that failed, after how long, and what blocked it:
//
//	treelock: acquire "rename 17" (write /a): context deadline exceeded after 2s; blocked by #1 (read /a, holding for 3s)
//
// The text is one line, whatever labels, nodes and causes are. It is made by this method, and calls the methods of nodes
// and causes.
func (e *BlockedError[N]) Error() string {
	var b strings.Builder
	b.WriteString("treelock: ")
	if subject := e.subject(); subject != "" {
		b.WriteString(subject + ": ")
	}
	b.WriteString(e.reason())
	if e.Waited > 0 {
		fmt.Fprintf(&b, " after %v", nodetext.Roughly(e.Waited))
	}
	if names := e.names(len(e.Blockers)); len(names) > 0 {
		b.WriteString("; " + e.unnamed() + "blocked by " + strings.Join(names, ", "))
	}
	return b.String()
}

// LogValue returns a group of all fields, with the error's own text in front.
func (e *BlockedError[N]) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("error", "treelock: "+e.reason()), slog.String("op", e.Op)}
	if e.Label != "" {
		attrs = append(attrs, slog.String("label", e.Label))
	}
	return slog.GroupValue(append(attrs,
		slog.String("claims", claimsText(e.Claims, e.MoreClaims)),
		slog.Duration("waited_ns", e.Waited),
		slog.Any("blocked_by", e.names(mostNamed)))...)
}

// mostNamed is how many blockers stand in a log value.
const mostNamed = 8

// subject names what was asked for: `acquire "rename 17" (write /a)`, or `acquire write /a` without a label.
func (e *BlockedError[N]) subject() string {
	subject := nodetext.Escaped(e.Op, MaxLabel)
	if subject == "" {
		subject = "request"
	}
	known := len(e.Claims)+e.MoreClaims > 0
	switch claims := claimsText(e.Claims, e.MoreClaims); {
	case e.Label != "" && known:
		return subject + " " + nodetext.Quote(e.Label, MaxLabel) + " (" + claims + ")"
	case e.Label != "":
		return subject + " " + nodetext.Quote(e.Label, MaxLabel)
	case known:
		return subject + " " + claims
	default:
		return nodetext.Escaped(e.Op, MaxLabel)
	}
}

// longestReason bounds what is shown of the text of another error.
const longestReason = 400

// reason is the text of Err.
func (e *BlockedError[N]) reason() string {
	if e.Err == nil {
		return "blocked"
	}
	return nodetext.Escaped(strings.TrimPrefix(e.Err.Error(), "treelock: "), longestReason)
}

// unnamed names the claim that is blocked if the subject does not.
func (e *BlockedError[N]) unnamed() string {
	if len(e.Blockers) == 0 || slices.Contains(e.Claims, e.Blockers[0].Wanted) {
		return ""
	}
	return e.Blockers[0].Wanted.String() + " is "
}

// names names the first blockers, at most limit, and counts the others.
func (e *BlockedError[N]) names(limit int) []string {
	var names []string
	for _, b := range e.Blockers[:min(limit, len(e.Blockers))] {
		names = append(names, b.String())
	}
	more := e.More + len(e.Blockers) - len(names)
	noun := " more"
	if len(names) == 0 {
		noun = " requests"
	}
	switch {
	case more > 0 && e.AtLeast:
		names = append(names, "at least "+thousands(more)+noun)
	case more > 0:
		names = append(names, thousands(more)+noun)
	case e.AtLeast && len(names) > 0:
		names = append(names, "perhaps others")
	case e.AtLeast:
		names = append(names, "requests that could not be found")
	}
	return names
}
