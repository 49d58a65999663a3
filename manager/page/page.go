package page

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// patience is how long a viewer waits for a snapshot, which takes milliseconds unless the process is in great trouble.
const patience = 5 * time.Second

var errTurn = errors.New("treelock: no answer from the manager yet, as it answers other viewers: try again")

// Handler returns the page of m, for any path. It is safe for concurrent use. The filter accepts a path that is not
// canonical and cleans it as [treelock.CleanPath] does; the answer says what it shows.
func Handler(m *manager.Manager[treelock.Path]) http.Handler {
	return HandlerNodes(m, cleanPath)
}

// HandlerNodes is like [Handler], for nodes of any type.
//
// A node is shown as its String or MarshalText method says, or as the number or string that it is, else by its type and
// address: the page never reads through a pointer. These methods, Parent and parse run on the goroutine of the HTTP
// request, while other goroutines hold the node. If one of them blocks or panics, other viewers are not affected.
//
// The function parse is the way back, for the filter: its error is shown to the viewer. If parse is nil, there is no filter.
func HandlerNodes[N treelock.Node[N]](m *manager.Manager[N], parse func(string) (N, error)) http.Handler {
	h := &handler[N]{
		m: m, parse: parse, history: make(chan *history, 1), turn: make(chan struct{}, 1),
		making: make(chan struct{}, mostMade), kept: make(chan int, 1),
	}
	h.history <- new(history)
	h.kept <- 0
	return h
}

// A handler makes an answer in four steps, so that user code and slow readers keep nothing that other viewers need:
//
//	take     the snapshot       holds the turn; no user code, except Parent of the filter's node
//	prepare  the names in it    holds nothing; user code
//	make     the bytes          holds one of a few places; no user code
//	deliver  them               holds a share of maxKept
type handler[N treelock.Node[N]] struct {
	m     *manager.Manager[N]
	parse func(string) (N, error) // may be nil

	// history has the one history in it, unless a viewer is using it and will send it back. Capacity 1.
	history chan *history

	turn   chan struct{} // has a token while a snapshot is being taken
	making chan struct{} // has a token for each answer that is being made
	kept   chan int      // has the number of bytes that are being written to clients. Capacity 1
}

// ServeHTTP answers GET and HEAD.
func (h *handler[N]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range headers {
		w.Header().Set(name, value)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		send(w, r, answer{http.StatusMethodNotAllowed, typeText, []byte("treelock: this page can only be read: use GET\n")})
		return
	}
	asked, err := h.readQuery(r.URL.RawQuery)
	switch {
	case errors.Is(err, errLongQuery):
		h.deliver(w, r, asked, h.fail(http.StatusRequestURITooLong, asked, err))
	case err != nil:
		h.deliver(w, r, asked, h.fail(http.StatusBadRequest, asked, err))
	default:
		h.deliver(w, r, asked, h.look(r.Context(), asked))
	}
}

// look makes an answer to a query.
func (h *handler[N]) look(ctx context.Context, asked query[N]) answer {
	asked.walk(ctx)
	s, err := h.take(ctx, asked)
	switch {
	case err == nil:
		h.note(s.Taken, &s.Stats)
		return h.make(ctx, asked, h.prepare(asked, s))
	case errors.Is(err, treelock.ErrStopped):
		return h.make(ctx, asked, h.prepareStopped(asked, err))
	case errors.Is(err, errTurn):
		return h.fail(http.StatusServiceUnavailable, asked, err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return h.fail(http.StatusServiceUnavailable, asked, errors.New("treelock: no answer from the manager: "+err.Error()))
	default: // the manager refuses the node of the filter
		return h.fail(http.StatusBadRequest, asked, err)
	}
}

// take takes a snapshot, and cuts it to what can be shown. One is taken at a time, as that of very wide requests takes
// much memory until it is cut. The turn ends with the viewer's patience in any case, as Parent may block.
func (h *handler[N]) take(ctx context.Context, asked query[N]) (*picture[N], error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case h.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, errTurn
	}
	early := context.AfterFunc(ctx, func() { <-h.turn })
	defer func() {
		if early() {
			<-h.turn
		}
	}()
	s, err := h.m.Snapshot(ctx, asked.snapshotQuery())
	if err != nil {
		return nil, err
	}
	return pictureOf(s), nil
}

// prepare runs all user code that an answer needs. It returns what makes the bytes without more of it.
func (h *handler[N]) prepare(asked query[N], s *picture[N]) (render func() answer) {
	switch asked.format {
	case formatJSON:
		return prepareJSON(asked, s)
	case formatDOT:
		return prepareDOT(asked, s)
	default:
		v := h.viewOf(asked, s)
		return func() answer { return inHTML(http.StatusOK, v) }
	}
}

// prepareStopped is like prepare, for a manager that has stopped: what it had counted is shown.
func (h *handler[N]) prepareStopped(asked query[N], err error) (render func() answer) {
	stats, why := h.m.Stats(), reason(err)
	return func() answer {
		switch asked.format {
		case formatJSON:
			return inJSON(http.StatusServiceUnavailable, struct {
				Error string        `json:"error"`
				Stats manager.Stats `json:"stats"`
			}{why, stats})
		case formatDOT:
			return answer{http.StatusServiceUnavailable, typeText, []byte(why + "\n")}
		default:
			return inHTML(http.StatusServiceUnavailable, h.viewStopped(asked, why, stats))
		}
	}
}

// make makes an answer when there is a place for it. Places come free soon, since making waits for nothing.
func (h *handler[N]) make(ctx context.Context, asked query[N], render func() answer) answer {
	select {
	case h.making <- struct{}{}:
		defer func() { <-h.making }()
		return render()
	case <-ctx.Done(): // there is no reader any more
		return plainFailure(asked.format, http.StatusServiceUnavailable, "treelock: the request has ended")
	}
}

// fail answers with nothing but an error, in the format that was asked for.
func (h *handler[N]) fail(status int, asked query[N], err error) answer {
	if asked.format != formatHTML {
		return plainFailure(asked.format, status, reason(err))
	}
	return inHTML(status, h.viewFailure(asked, reason(err)))
}

// note adds what a manager has counted to the history.
func (h *handler[N]) note(taken time.Time, stats *manager.Stats) {
	history := <-h.history
	defer func() { h.history <- history }()
	history.add(taken, stats)
}
