package nodetext

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// ellipsis stands for the part of a text that is left out.
const ellipsis = "..."

// Line returns s if it is printable, does not begin with a double quote, is not empty, and does not
// begin or end with a space. Otherwise it returns the form of strconv.Quote. So distinct strings
// have distinct texts, and each text is one line.
//
// Of more than limit bytes it shows the beginning and the end: the end of a path says most. An
// escape takes up to 4 bytes for one.
func Line(s string, limit int) string {
	if s == "" || s[0] == '"' || s != strings.Trim(s, " ") || !printable(s, limit) {
		return Quote(s, limit)
	}
	return clip(s, limit)
}

// Quote is like [Line], but always quotes.
func Quote(s string, limit int) string {
	if len(s) <= limit {
		return strconv.Quote(s)
	}
	head, tail := headAndTail(s, limit)
	return strconv.Quote(head) + ellipsis + strconv.Quote(tail)
}

// Escaped returns s with unprintable characters escaped as in a Go string, but without quotes. It
// is for sentences, which need not be distinct: a label with a line break stays on one line. Like
// [Line] it shows limit bytes of s.
func Escaped(s string, limit int) string {
	s = clip(s, limit)
	if printable(s, len(s)) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		// Quote would escape these two, which are printable.
		if r == '"' || r == '\\' {
			b.WriteRune(r)
		} else {
			quoted := strconv.Quote(s[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[size:]
	}
	return b.String()
}

// printable reports whether the part of s that limit shows is valid UTF-8 and printable. Characters
// that change the direction of writing are not printable.
func printable(s string, limit int) bool {
	if len(s) > limit {
		head, tail := headAndTail(s, limit)
		s = head + tail
	}
	// The range yields utf8.RuneError for bytes that are not UTF-8. A valid string may contain that
	// character itself, in 3 bytes, and it is printable.
	for i, r := range s {
		if !strconv.IsPrint(r) || r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)) {
			return false
		}
	}
	return true
}

// clip returns s, or its beginning and end if it is longer than limit bytes.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	head, tail := headAndTail(s, limit)
	return head + ellipsis + tail
}

// headAndTail returns the beginning and the end of s, together at most limit bytes. It cuts no
// character in two.
func headAndTail(s string, limit int) (head, tail string) {
	// Three quarters show the beginning, and one the end.
	i, j := limit*3/4, len(s)-limit/4
	// Move both cuts to the start of a character, by 3 bytes at most: s may be no UTF-8 at all.
	for n := 0; n < utf8.UTFMax-1 && i > 0 && !utf8.RuneStart(s[i]); n++ {
		i--
	}
	for n := 0; n < utf8.UTFMax-1 && j < len(s) && !utf8.RuneStart(s[j]); n++ {
		j++
	}
	return s[:i], s[j:]
}
