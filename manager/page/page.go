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
	h := &handler[N]{m: m, parse: parse, history: make(chan *history, 1), turn: make(chan struct{}, 1)}
	h.history <- new(history)
	return h
}

type handler[N treelock.Node[N]] struct {
	m     *manager.Manager[N]
	parse func(string) (N, error) // may be nil

	// history has the one history in it, unless somebody is using it: who receives it sends it back. Capacity 1.
	history chan *history

	turn chan struct{} // has a token while an answer is being made
}

// ServeHTTP answers GET and HEAD.
func (h *handler[N]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range headers {
		w.Header().Set(name, value)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		send(w, answer{http.StatusMethodNotAllowed, typeText, []byte("treelock: this page can only be read: use GET\n")})
		return
	}
	asked, err := h.readQuery(r.URL.RawQuery)
	if err != nil {
		send(w, h.fail(http.StatusBadRequest, asked, err))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	send(w, h.look(ctx, asked))
}

// look makes an answer. One is made at a time, as a picture of much takes much memory; whoever is slow to take his delays nobody.
func (h *handler[N]) look(ctx context.Context, asked query[N]) answer {
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return h.fail(http.StatusServiceUnavailable, asked, errors.New("treelock: no answer from the manager yet, as others are looking: try again"))
	}
	snapshot, err := h.m.Snapshot(ctx, asked.snapshotQuery())
	switch {
	case err == nil:
		return h.show(asked, snapshot)
	case errors.Is(err, treelock.ErrStopped):
		return h.showStopped(asked, err)
	case errors.Is(err, treelock.ErrTooDeep), errors.Is(err, treelock.ErrIncomparable):
		return h.fail(http.StatusBadRequest, asked, err)
	default: // the end of ctx
		return h.fail(http.StatusServiceUnavailable, asked, errors.New("treelock: no answer from the manager: "+err.Error()))
	}
}

// An answer is all that goes to who has asked.
type answer struct {
	status      int
	contentType string
	body        []byte
}

// show answers with a picture of a manager that runs.
func (h *handler[N]) show(asked query[N], s *manager.Snapshot[N]) answer {
	h.note(s)
	switch asked.format {
	case formatJSON:
		return inJSON(http.StatusOK, s)
	case formatDOT:
		return answer{http.StatusOK, typeDOT, writeDOT(s)}
	default:
		return inHTML(http.StatusOK, h.viewOf(asked, s))
	}
}

// showStopped answers for a manager that has stopped, with what it had counted.
func (h *handler[N]) showStopped(asked query[N], err error) answer {
	stats := h.m.Stats()
	switch asked.format {
	case formatJSON:
		return inJSON(http.StatusServiceUnavailable, struct {
			Error string        `json:"error"`
			Stats manager.Stats `json:"stats"`
		}{err.Error(), stats})
	case formatDOT:
		return answer{http.StatusServiceUnavailable, typeText, []byte(visible(err.Error()) + "\n")}
	default:
		return inHTML(http.StatusServiceUnavailable, h.viewStopped(asked, err, stats))
	}
}

// fail answers with nothing but an error, in the format that was asked for.
func (h *handler[N]) fail(status int, asked query[N], err error) answer {
	switch asked.format {
	case formatJSON:
		return inJSON(status, map[string]string{"error": err.Error()})
	case formatDOT:
		return answer{status, typeText, []byte(visible(err.Error()) + "\n")}
	default:
		return inHTML(status, h.viewFailure(asked, err))
	}
}

// note adds what s has counted to the history.
func (h *handler[N]) note(s *manager.Snapshot[N]) {
	history := <-h.history
	defer func() { h.history <- history }()
	history.add(s.Taken, &s.Stats)
}

// The content types.
const (
	typeHTML = "text/html; charset=utf-8"
	typeJSON = "application/json"
	typeDOT  = "text/vnd.graphviz; charset=utf-8"
	typeText = "text/plain; charset=utf-8"
)

func inHTML(status int, v view) answer {
	var body bytes.Buffer
	if err := document.Execute(&body, v); err != nil {
		panic("BUG: treelock: " + err.Error())
	}
	return answer{status, typeHTML, body.Bytes()}
}

func inJSON(status int, value any) answer {
	body, err := json.MarshalIndent(value, "", "\t")
	if err != nil { // a node type that has no JSON
		status, body = http.StatusInternalServerError, []byte(`{"error": "treelock: the nodes have no JSON"}`)
	}
	return answer{status, typeJSON, append(body, '\n')}
}

// send answers. An error means that nobody listens any more.
func send(w http.ResponseWriter, a answer) {
	w.Header().Set("Content-Type", a.contentType)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}
