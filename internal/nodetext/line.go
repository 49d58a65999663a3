package nodetext

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// cut stands for what a text leaves out.
const ellipsis = "..."

// Line returns s if all of it prints and it neither begins with a double quote nor is empty nor begins or
// ends with a space, else the form of strconv.Quote. So the texts of distinct strings are distinct, and each is one line. Of more than limit bytes
// of s only the beginning and the end are shown: the end says most about a path. An escape takes up to 4
// bytes for one.
func Line(s string, limit int) string {
	if s == "" || s[0] == '"' || s != strings.Trim(s, " ") || !printable(s, limit) {
		return Quote(s, limit)
	}
	return clip(s, limit)
}

// Quote is like [Line], and always quotes.
func Quote(s string, limit int) string {
	if len(s) <= limit {
		return strconv.Quote(s)
	}
	head, tail := headAndTail(s, limit)
	return strconv.Quote(head) + ellipsis + strconv.Quote(tail)
}

// Escaped returns s with what does not print written as in a Go string, but without quotes: it is for
// sentences, which need not be told apart. Like [Line] it shows limit bytes of s.
func Escaped(s string, limit int) string {
	s = clip(s, limit)
	if printable(s, len(s)) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
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

// prints reports whether s, or what limit leaves of it, is valid UTF-8 that prints. Characters that change the
// direction of writing do not.
func printable(s string, limit int) bool {
	if len(s) > limit {
		head, tail := headAndTail(s, limit)
		s = head + tail
	}
	for i, r := range s {
		if !strconv.IsPrint(r) || r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)) {
			return false
		}
	}
	return true
}

// clip returns s, or its ends if it is longer than limit bytes.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	head, tail := headAndTail(s, limit)
	return head + ellipsis + tail
}

// ends returns the beginning and the end of s, with limit bytes at most in all. No character is cut.
func headAndTail(s string, limit int) (head, tail string) {
	i, j := limit*3/4, len(s)-limit/4
	for n := 0; n < utf8.UTFMax-1 && i > 0 && !utf8.RuneStart(s[i]); n++ {
		i--
	}
	for n := 0; n < utf8.UTFMax-1 && j < len(s) && !utf8.RuneStart(s[j]); n++ {
		j++
	}
	return s[:i], s[j:]
}
