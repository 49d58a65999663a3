package page

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	shortest = 160  // bytes of a name that are shown
	longest  = 1000 // bytes of a name that are shown when somebody points at it
)

// A name is a label or a node, made fit to be shown.
type name struct {
	Short string
	Full  string // "" if Short is all of it
}

func nameOf(s string) name {
	if len(s) <= shortest {
		return name{Short: visible(s)}
	}
	return name{Short: visible(clip(s, shortest)), Full: visible(clip(s, longest))}
}

// clip returns s or, if it is longer than limit bytes, its beginning and its end, which says most about a path.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	head, tail := limit/2, len(s)-limit/2
	for head > limit/2-utf8.UTFMax && !utf8.RuneStart(s[head]) {
		head--
	}
	for tail < len(s)-limit/2+utf8.UTFMax && tail < len(s) && !utf8.RuneStart(s[tail]) {
		tail++
	}
	return fmt.Sprintf("%s … (%s bytes) … %s", s[:head], count(len(s)), s[tail:])
}

// visible returns s with all that does not print written as in a Go string: control characters, line breaks, bytes that are no
// UTF-8, and characters that turn the direction of writing.
func visible(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == ' ' || unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

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
