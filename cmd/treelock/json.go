package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// writeJSON writes v on one line. A terminal may show it, so a character that does not print, or
// that changes the direction of writing, is escaped: labels and names may be anything.
func writeJSON(out io.Writer, v any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	_, err := out.Write(append(escapeJSON(bytes.TrimSuffix(text.Bytes(), []byte("\n"))), '\n'))
	return err
}

// escapeJSON escapes what does not print in a JSON text without line breaks. Such a character is in
// a string there.
func escapeJSON(text []byte) (escaped []byte) {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case strconv.IsPrint(r):
			escaped = append(escaped, text[:size]...)
		case r > 0xffff:
			r -= 0x10000
			escaped = fmt.Appendf(escaped, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		}
		text = text[size:]
	}
	return escaped
}
