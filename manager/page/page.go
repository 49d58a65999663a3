package page

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// patience is how long a look waits for the manager, which answers in milliseconds unless its process is in great trouble.
const patience = 5 * time.Second

// Handler returns the page of m, for any path. It is safe for concurrent use.
func Handler(m *manager.Manager[treelock.Path]) http.Handler {
	return HandlerNodes(m, treelock.ParsePath)
}

// HandlerNodes is like [Handler], for nodes of any type. They are named as fmt.Sprint does; parse is the way back, for the
// filter: its error is shown to whoever typed what it refuses. If parse is nil, there is no filter.
func HandlerNodes[N treelock.Node[N]](m *manager.Manager[N], parse func(string) (N, error)) http.Handler {
	h := &handler[N]{m: m, parse: parse, history: make(chan *history, 1)}
	h.history <- new(history)
	return h
}

type handler[N treelock.Node[N]] struct {
	m     *manager.Manager[N]
	parse func(string) (N, error) // may be nil

	// history has the one history in it, unless somebody is using it: who receives it sends it back. Capacity 1.
	history chan *history
}

// ServeHTTP answers GET and HEAD.
func (h *handler[N]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range headers {
		w.Header().Set(name, value)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		send(w, http.StatusMethodNotAllowed, typeText, []byte("treelock: this page can only be read: use GET\n"))
		return
	}
	asked, err := h.readQuery(r.URL.RawQuery)
	if err != nil {
		h.fail(w, http.StatusBadRequest, asked, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	snapshot, err := h.m.Snapshot(ctx, asked.snapshotQuery())
	switch {
	case err == nil:
		h.show(w, asked, snapshot)
	case errors.Is(err, treelock.ErrStopped):
		h.showStopped(w, asked, err)
	case errors.Is(err, treelock.ErrTooDeep), errors.Is(err, treelock.ErrIncomparable):
		h.fail(w, http.StatusBadRequest, asked, err)
	default: // the end of ctx
		h.fail(w, http.StatusServiceUnavailable, asked, errors.New("treelock: no answer from the manager: "+err.Error()))
	}
}

// show answers with a picture of a manager that runs.
func (h *handler[N]) show(w http.ResponseWriter, asked query[N], s *manager.Snapshot[N]) {
	h.note(s)
	switch asked.format {
	case formatJSON:
		sendJSON(w, http.StatusOK, s)
	case formatDOT:
		send(w, http.StatusOK, typeDOT, writeDOT(s))
	default:
		h.sendPage(w, http.StatusOK, h.viewOf(asked, s))
	}
}

// showStopped answers for a manager that has stopped, with what it had counted.
func (h *handler[N]) showStopped(w http.ResponseWriter, asked query[N], err error) {
	stats := h.m.Stats()
	switch asked.format {
	case formatJSON:
		sendJSON(w, http.StatusServiceUnavailable, struct {
			Error string        `json:"error"`
			Stats manager.Stats `json:"stats"`
		}{err.Error(), stats})
	case formatDOT:
		send(w, http.StatusServiceUnavailable, typeText, []byte(visible(err.Error())+"\n"))
	default:
		h.sendPage(w, http.StatusServiceUnavailable, h.viewStopped(asked, err, stats))
	}
}

// fail answers with nothing but an error, in the format that was asked for.
func (h *handler[N]) fail(w http.ResponseWriter, status int, asked query[N], err error) {
	switch asked.format {
	case formatJSON:
		sendJSON(w, status, map[string]string{"error": err.Error()})
	case formatDOT:
		send(w, status, typeText, []byte(visible(err.Error())+"\n"))
	default:
		h.sendPage(w, status, h.viewFailure(asked, err))
	}
}

// note adds what s has counted to the history.
func (h *handler[N]) note(s *manager.Snapshot[N]) {
	history := <-h.history
	history.add(s.Taken, &s.Stats)
	h.history <- history
}

// The content types.
const (
	typeHTML = "text/html; charset=utf-8"
	typeJSON = "application/json"
	typeDOT  = "text/vnd.graphviz; charset=utf-8"
	typeText = "text/plain; charset=utf-8"
)

func (h *handler[N]) sendPage(w http.ResponseWriter, status int, v view) {
	var body bytes.Buffer
	if err := document.Execute(&body, v); err != nil {
		panic("BUG: treelock: " + err.Error())
	}
	send(w, status, typeHTML, body.Bytes())
}

func sendJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.MarshalIndent(value, "", "\t")
	if err != nil { // a node type that has no JSON
		status, body = http.StatusInternalServerError, []byte(`{"error": "treelock: the nodes have no JSON"}`)
	}
	send(w, status, typeJSON, append(body, '\n'))
}

// send answers. An error means that nobody listens any more.
func send(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
