package treelock

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/treelock/treelock/internal/nodetext"
)

// String describes the blocker for a log line: `"rename 17" (#42, write /a, holding for 1.5s)`, or
// without a label `#42 (write /a, holding for 1.5s)`. If another process has made it, its name
// comes before the parenthesis: `"rename 17" on worker-2 (#42, ...)`. The text is one line of
// bounded length.
func (b Blocker[N]) String() string {
	return nodetext.Blocker(b.Number, b.Label, b.Process, MaxLabel, b.Claim.String(), b.State.String(), b.For)
}

// LogValue returns a group of all fields but Tag, and but For if that is not known.
func (b Blocker[N]) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.Uint64("number", b.Number), slog.String("label", b.Label), slog.String("state", b.State.String()),
	}
	if b.For >= 0 {
		attrs = append(attrs, slog.Duration("for_ns", b.For))
	}
	attrs = append(attrs, slog.String("claim", b.Claim.String()), slog.String("wanted", b.Wanted.String()))
	if b.Process != "" {
		attrs = append(attrs, slog.String("process", nodetext.Escaped(b.Process, MaxLabel)))
	}
	return slog.GroupValue(attrs...)
}

// Bounds of what is named of the blockers.
const (
	mostNamed  = 64 // in an error: a manager finds no more
	mostLogged = 8  // in a log value
)

// Error says what was asked for, why that failed, after how long, and what blocked it:
//
//	treelock: acquire "rename 17" (write /a): context deadline exceeded after 2s;
//	blocked by #1 (read /a, holding for 3s)
//
// The text is one line of bounded length, whatever labels, nodes and causes are. It names 64
// blockers at most, and counts the others. It is made by this method, and calls the methods of
// nodes and causes.
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
	if names := e.names(mostNamed); len(names) > 0 {
		b.WriteString("; " + e.unnamed() + "blocked by " + strings.Join(names, ", "))
	}
	return b.String()
}

// LogValue returns a group of what Error says: the text of Err in front, then the op, the label,
// the claims, the time and the first 8 blockers. What is not known is left out. The value of a nil
// error is nil.
func (e *BlockedError[N]) LogValue() slog.Value {
	if e == nil {
		return slog.AnyValue(nil)
	}
	attrs := []slog.Attr{slog.String("error", "treelock: "+e.reason())}
	if e.Op != "" {
		attrs = append(attrs, slog.String("op", e.Op))
	}
	if e.Label != "" {
		attrs = append(attrs, slog.String("label", e.Label))
	}
	if len(e.Claims) > 0 { // a request without claims is never blocked: then they are not known
		attrs = append(attrs, slog.String("claims", claimsText(e.Claims, e.MoreClaims)))
	}
	attrs = append(attrs, slog.Duration("waited_ns", e.Waited))
	if names := e.names(mostLogged); len(names) > 0 {
		attrs = append(attrs, slog.Any("blocked_by", names))
	}
	return slog.GroupValue(attrs...)
}

// subject names what was asked for: `acquire "rename 17" (write /a)`, or `acquire write /a` without
// a label.
func (e *BlockedError[N]) subject() string {
	subject := nodetext.Escaped(e.Op, MaxLabel)
	if subject == "" {
		subject = "request"
	}
	known := len(e.Claims) > 0
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

// unnamed names the claim that all blockers block, if there is one and the subject does not name
// it. A Drain has no claims.
func (e *BlockedError[N]) unnamed() string {
	if len(e.Blockers) == 0 || len(e.Claims) == 0 && e.Blockers[0].Wanted == (Claim[N]{}) {
		return ""
	}
	wanted := e.Blockers[0].Wanted
	named := e.Claims[:min(mostClaims, len(e.Claims))]
	if slices.Contains(named, wanted) || slices.ContainsFunc(e.Blockers, func(b Blocker[N]) bool { return b.Wanted != wanted }) {
		return ""
	}
	return wanted.String() + " is "
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
