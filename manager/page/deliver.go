package page

import (
	"net/http"
	"strconv"
	"time"
)

const (
	// maxUnread bounds the bytes of all answers that clients have not read yet.
	maxUnread = 8 << 20

	// writeTimeout is how long a client has to read an answer.
	writeTimeout = 30 * time.Second
)

// deliver sends a, or a short answer if it does not fit into maxUnread.
func (h *handler[N]) deliver(w http.ResponseWriter, r *http.Request, q query[N], a answer) {
	if r.Method == http.MethodHead {
		send(w, r, a)
		return
	}
	if !h.keep(len(a.body)) {
		w.Header().Set("Retry-After", "5")
		send(w, r, plainAnswer(q.format, http.StatusServiceUnavailable,
			"treelock: answers of "+byteSize(maxUnread)+" wait for slow readers: try again"))
		return
	}
	defer h.keep(-len(a.body))
	send(w, r, a)
}

// keep adds n to the number of unread bytes. It returns false, and adds nothing, if that is too
// many.
func (h *handler[N]) keep(n int) bool {
	unread := <-h.unread
	fits := unread+n <= maxUnread
	if fits {
		unread += n
	}
	h.unread <- unread
	return fits
}

// send writes a to the client. It ignores errors: they mean that the client has left or reads
// too slowly.
func send(w http.ResponseWriter, r *http.Request, a answer) {
	control := http.NewResponseController(w)
	if reset := limitWrites(control, r); reset != nil {
		defer reset()
	}
	w.Header().Set("Content-Type", a.contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := w.Write(a.body); err == nil {
		_ = control.Flush() // before the deadline is reset
	}
}

// limitWrites sets a write deadline, unless the server has an earlier one or w has none. The
// deadline belongs to the connection, so the caller must call reset, if it is not nil, before the
// next request.
func limitWrites(control *http.ResponseController, r *http.Request) (reset func()) {
	server, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	if server != nil && server.WriteTimeout > 0 { // the server sets a deadline for each request
		if server.WriteTimeout > writeTimeout {
			_ = control.SetWriteDeadline(time.Now().Add(writeTimeout))
		}
		return nil
	}
	if control.SetWriteDeadline(time.Now().Add(writeTimeout)) != nil {
		return nil
	}
	return func() { _ = control.SetWriteDeadline(time.Time{}) }
}
