package page

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/treelock/treelock/internal/nodetext"
)

// maxAnswer bounds the bytes of an answer, in any format.
const maxAnswer = 1 << 20

// The content types.
const (
	typeHTML = "text/html; charset=utf-8"
	typeJSON = "application/json"
	typeDOT  = "text/vnd.graphviz; charset=utf-8"
	typeText = "text/plain; charset=utf-8"
)

// An answer is what a client gets.
type answer struct {
	status      int
	contentType string
	body        []byte
}

var errFull = errors.New("treelock: the answer is full")

// A limitedBuffer accepts maxAnswer bytes. After the first write that does not fit it accepts none,
// so that it never has a gap.
type limitedBuffer struct {
	bytes.Buffer
	full bool
}

// Write accepts all of p, or none of it.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.full = b.full || b.Len()+len(p) > maxAnswer; b.full {
		return 0, errFull
	}
	return b.Buffer.Write(p)
}

// htmlAnswer returns the page with as many rows of the tree as fit. Even without rows, names that
// are near all their bounds can make it too long: then it has the summary only.
func htmlAnswer(status int, v view) answer {
	all := v.Rows
	for rows := len(all); ; rows /= 2 {
		v.Rows = all[:rows]
		if leftOut := len(all) - rows + v.LeftOut; leftOut > 0 {
			v.Cut = plural(leftOut, "more line") + " left out: this page has at most " + byteSize(maxAnswer)
		}
		if body, fits := execute(v); fits {
			return answer{status, typeHTML, body}
		}
		if rows == 0 {
			break
		}
	}
	v.Waits, v.Blockers, v.MoreWaits, v.MoreBlockers = nil, nil, 0, 0
	v.Cut = "the requests are left out: this page has at most " + byteSize(maxAnswer)
	body, _ := execute(v)
	return answer{status, typeHTML, body}
}

// execute returns the HTML of v, and whether it fits.
func execute(v view) (body []byte, fits bool) {
	var b limitedBuffer
	if err := pageTemplate.Execute(&b, v); err != nil && !b.full {
		panic("BUG: treelock: " + err.Error())
	}
	return bytes.Clone(b.Bytes()), !b.full
}

func jsonAnswer(status int, value any) answer {
	body, err := json.MarshalIndent(value, "", "\t")
	if err != nil {
		panic("BUG: treelock: " + err.Error())
	}
	return answer{status, typeJSON, append(body, '\n')}
}

// plainAnswer returns an answer of one line, which is an object if the format is JSON.
func plainAnswer(format string, status int, text string) answer {
	if format == formatJSON {
		return jsonAnswer(status, map[string]string{"error": text})
	}
	return answer{status, typeText, []byte(text + "\n")}
}

// errorText returns the text of err as one line of bounded length.
func errorText(err error) string { return nodetext.Escaped(err.Error(), maxFull) }
