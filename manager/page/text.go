package page

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/treelock/treelock/internal/nodetext"
)

const (
	shortest = 160  // bytes of a name that are shown
	longest  = 1000 // bytes of a name that are shown when somebody points at it
)

// A text is what a node or a label says, before it is made fit to be shown.
type text struct {
	kept string // all of it, or of one longer than longest its ends
	size int    // the bytes of all of it
}

func newText(s string) text { return text{clip(s, len(s), longest), len(s)} }

// clip returns s or, if its size is more than limit bytes, its beginning and its end, which says most
// about a path. The size can be more than the length of s, if s has been cut already.
func clip(s string, size, limit int) string {
	if size <= limit {
		return s
	}
	head, tail := limit/2, len(s)-limit/2
	for head > limit/2-utf8.UTFMax && !utf8.RuneStart(s[head]) {
		head--
	}
	for tail < len(s)-limit/2+utf8.UTFMax && tail < len(s) && !utf8.RuneStart(s[tail]) {
		tail++
	}
	return fmt.Sprintf("%s … (%s bytes) … %s", s[:head], count(size), s[tail:])
}

// A name is a label or a node, made fit to be shown.
type name struct {
	Short string
	Full  string // "" if Short is all of it
}

// name returns the name of a node.
func (t text) name() name {
	switch {
	case t.size == 0:
		return name{Short: `""`}
	case t.size <= shortest:
		return name{Short: visible(t.kept)}
	default:
		return name{Short: visible(clip(t.kept, t.size, shortest)), Full: visible(t.kept)}
	}
}

// nameOf returns the name of what may be missing, such as a label.
func nameOf(s string) name {
	if s == "" {
		return name{}
	}
	return newText(s).name()
}

// visible returns s in the form of package nodetext: if not all of it prints, it is quoted as in Go.
// So distinct nodes look distinct.
func visible(s string) string { return nodetext.Line(s, len(s)) }

// ago says how long d is, as people do.
func ago(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", d/time.Minute, d/time.Second%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %02d min", d/time.Hour, d/time.Minute%60)
	default:
		return fmt.Sprintf("%d d %d h", d/(24*time.Hour), d/time.Hour%24)
	}
}

// count writes n with its thousands apart.
func count[I int | uint64](n I) string {
	s := strconv.FormatUint(uint64(n), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// size writes a number of bytes that is a whole number of KiB.
func size(n int) string {
	if n%(1<<20) == 0 {
		return count(n>>20) + " MiB"
	}
	return count(n>>10) + " KiB"
}

// some counts things: "1 request", "2 requests".
func some(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return count(n) + " " + thing + "s"
}
