package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/treelock/treelock/internal/nodetext"
)

const (
	// maxAnswer is how many bytes an answer has at most, in any format.
	maxAnswer = 1 << 20

	// maxKept is how many bytes of answers are kept at most for the readers that have not taken them yet.
	maxKept = 8 << 20

	// mostMade is how many answers are made at a time.
	mostMade = 4

	// writePatience is how long a reader has to take an answer.
	writePatience = 30 * time.Second
)

// The content types.
const (
	typeHTML = "text/html; charset=utf-8"
	typeJSON = "application/json"
	typeDOT  = "text/vnd.graphviz; charset=utf-8"
	typeText = "text/plain; charset=utf-8"
)

// An answer is all that goes to the client.
type answer struct {
	status      int
	contentType string
	body        []byte
}

// errFull is the error of a sink that is full.
var errFull = errors.New("treelock: the answer is full")

// A sink takes the bytes of an answer up to maxAnswer.
type sink struct {
	bytes.Buffer
	full bool
}

// Write takes all of p, or nothing: then the sink is full.
func (s *sink) Write(p []byte) (int, error) {
	if s.full = s.full || s.Len()+len(p) > maxAnswer; s.full {
		return 0, errFull
	}
	return s.Buffer.Write(p)
}

// inHTML makes the page, with as many lines of the tree as fit. Without any it fits too, unless a viewer finds names that
// take more than all bounds on them let through; then only the summary is shown.
func inHTML(status int, v view) answer {
	all := v.Rows
	for lines := len(all); ; lines /= 2 {
		v.Rows = all[:lines]
		if leftOut := len(all) - lines + v.LeftOut; leftOut > 0 {
			v.Cut = some(leftOut, "more line") + " left out: this page has at most " + size(maxAnswer)
		}
		if body, fits := page(v); fits {
			return answer{status, typeHTML, body}
		}
		if lines == 0 {
			break
		}
	}
	v.Waits, v.Culprits, v.Later, v.Others = nil, nil, 0, 0
	v.Cut = "the requests are left out: this page has at most " + size(maxAnswer)
	body, _ := page(v)
	return answer{status, typeHTML, body}
}

// page returns the page, and whether it fits.
func page(v view) (body []byte, fits bool) {
	var s sink
	if err := document.Execute(&s, v); err != nil && !s.full {
		panic("BUG: treelock: " + err.Error())
	}
	return bytes.Clone(s.Bytes()), !s.full
}

func inJSON(status int, value any) answer {
	body, err := json.MarshalIndent(value, "", "\t")
	if err != nil {
		panic("BUG: treelock: " + err.Error())
	}
	return answer{status, typeJSON, append(body, '\n')}
}

// plainFailure is an answer of one line.
func plainFailure(format string, status int, why string) answer {
	if format == formatJSON {
		return inJSON(status, map[string]string{"error": why})
	}
	return answer{status, typeText, []byte(why + "\n")}
}

// reason returns what an error says, in one line that is not long.
func reason(err error) string { return nodetext.Escaped(err.Error(), longest) }

// deliver sends an answer, if it can be kept until the reader has taken it.
func (h *handler[N]) deliver(w http.ResponseWriter, r *http.Request, asked query[N], a answer) {
	if r.Method == http.MethodHead {
		send(w, r, a)
		return
	}
	if !h.keep(len(a.body)) {
		w.Header().Set("Retry-After", "5")
		send(w, r, plainFailure(asked.format, http.StatusServiceUnavailable,
			"treelock: answers of "+size(maxKept)+" wait for slow readers: try again"))
		return
	}
	defer h.keep(-len(a.body))
	send(w, r, a)
}

// keep counts n bytes more that are kept for a reader, and reports false if these are too many.
func (h *handler[N]) keep(n int) bool {
	kept := <-h.kept
	fits := kept+n <= maxKept
	if fits {
		kept += n
	}
	h.kept <- kept
	return fits
}

// send writes an answer to the client. An error means that the client has gone, or does not read.
func send(w http.ResponseWriter, r *http.Request, a answer) {
	control := http.NewResponseController(w)
	if undo := limitWrites(control, r); undo != nil {
		defer undo()
	}
	w.Header().Set("Content-Type", a.contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := w.Write(a.body); err == nil {
		_ = control.Flush() // while there is a deadline
	}
}

// limitWrites sets a deadline for what is written, unless the server has an earlier one or w knows none. The deadline is
// that of the connection, so undo, if there is one, is to be called before the next request comes.
func limitWrites(control *http.ResponseController, r *http.Request) (undo func()) {
	server, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	if server != nil && server.WriteTimeout > 0 {
		if server.WriteTimeout > writePatience { // it is set anew for each request
			_ = control.SetWriteDeadline(time.Now().Add(writePatience))
		}
		return nil
	}
	if control.SetWriteDeadline(time.Now().Add(writePatience)) != nil {
		return nil
	}
	return func() { _ = control.SetWriteDeadline(time.Time{}) }
}
