package page

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

const (
	// snapshotTimeout is how long a viewer waits for a snapshot. It takes milliseconds unless the
	// process is overloaded.
	snapshotTimeout = 5 * time.Second

	// maxRenders is how many answers are rendered at a time.
	maxRenders = 4
)

var errSnapshotBusy = errors.New(
	"treelock: no answer from the manager yet, as it answers other viewers: try again")

// Handler returns the page of m, for any path. It is safe for concurrent use. The filter cleans a
// path that is not canonical, as [treelock.CleanPath] does, and the answer says what it shows.
func Handler(m *manager.Manager[treelock.Path]) http.Handler {
	return HandlerNodes(m, cleanPath)
}

// HandlerNodes is like [Handler], for nodes of any type.
//
// A node is shown as its String or MarshalText method says, or as the number or string that it is,
// else by its type and address: the page never reads through a pointer. These methods, Parent and
// parse run on the goroutine of the HTTP request, while other goroutines hold the node. If one of
// them blocks or panics, other viewers are not affected.
//
// The function parse returns the node for the text in the filter. Its error is shown to the viewer.
// If parse is nil, the page has no filter.
func HandlerNodes[N treelock.Node[N]](
	m *manager.Manager[N], parse func(string) (N, error),
) http.Handler {
	h := &handler[N]{
		m: m, parse: parse, history: make(chan *history, 1), snapshotSem: make(chan struct{}, 1),
		renderSem: make(chan struct{}, maxRenders), unread: make(chan int, 1),
	}
	h.history <- new(history)
	h.unread <- 0
	return h
}

// A handler makes an answer in four steps, so that user code and slow clients hold nothing that
// other viewers need:
//
//	snapshot  the live requests  holds snapshotSem; no user code, except Parent of the filter's node
//	prepare   their names        holds nothing; user code
//	finish    the bytes          holds a place of renderSem; no user code
//	deliver   the bytes          holds a share of maxUnread
type handler[N treelock.Node[N]] struct {
	m     *manager.Manager[N]
	parse func(string) (N, error) // may be nil

	// history contains the only history. A viewer receives it, uses it and sends it back.
	// Capacity 1.
	history chan *history

	snapshotSem chan struct{} // a token while a snapshot is being taken. Capacity 1
	renderSem   chan struct{} // a token for each answer that is being rendered. Capacity maxRenders
	unread      chan int      // the bytes that are being written to clients. Capacity 1
}

// ServeHTTP answers GET and HEAD.
func (h *handler[N]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range headers {
		w.Header().Set(name, value)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		const text = "treelock: this page can only be read: use GET"
		send(w, r, plainAnswer(formatHTML, http.StatusMethodNotAllowed, text))
		return
	}
	q, err := h.readQuery(r.URL.RawQuery)
	switch {
	case errors.Is(err, errLongQuery):
		h.deliver(w, r, q, h.failure(http.StatusRequestURITooLong, q, err))
	case err != nil:
		h.deliver(w, r, q, h.failure(http.StatusBadRequest, q, err))
	default:
		h.deliver(w, r, q, h.render(r.Context(), q))
	}
}

// render returns the answer to q.
func (h *handler[N]) render(ctx context.Context, q query[N]) answer {
	q.walk()
	s, err := h.snapshot(ctx, q)
	switch {
	case err == nil:
		h.record(s.Taken, &s.Stats)
		return h.finish(ctx, q, h.prepare(q, s))
	case errors.Is(err, treelock.ErrStopped):
		return h.finish(ctx, q, h.prepareStopped(q, err))
	case errors.Is(err, errSnapshotBusy):
		return h.failure(http.StatusServiceUnavailable, q, err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		err = errors.New("treelock: no answer from the manager: " + err.Error())
		return h.failure(http.StatusServiceUnavailable, q, err)
	default: // the manager refuses the node of the filter
		return h.failure(http.StatusBadRequest, q, err)
	}
}

// snapshot takes a snapshot, and cuts it to what can be shown. It takes one at a time, as the
// snapshot of very wide requests uses much memory until it is cut. The token is returned when ctx
// or snapshotTimeout ends, even if Parent blocks.
func (h *handler[N]) snapshot(ctx context.Context, q query[N]) (*cutSnapshot[N], error) {
	ctx, cancel := context.WithTimeout(ctx, snapshotTimeout)
	defer cancel()
	select {
	case h.snapshotSem <- struct{}{}:
	case <-ctx.Done():
		return nil, errSnapshotBusy
	}
	returnEarly := context.AfterFunc(ctx, func() { <-h.snapshotSem })
	defer func() {
		if returnEarly() {
			<-h.snapshotSem
		}
	}()
	s, err := h.m.Snapshot(ctx, q.snapshotQuery())
	if err != nil {
		return nil, err
	}
	return cut(s), nil
}

// prepare runs all user code that an answer needs. The function that it returns makes the bytes
// without running any.
func (h *handler[N]) prepare(q query[N], s *cutSnapshot[N]) (finish func() answer) {
	switch q.format {
	case formatJSON:
		return prepareJSON(q, s)
	case formatDOT:
		return prepareDOT(q, s)
	default:
		v := h.buildView(q, s)
		return func() answer { return htmlAnswer(http.StatusOK, v) }
	}
}

// prepareStopped is like prepare, for a manager that has stopped. It shows the final statistics.
func (h *handler[N]) prepareStopped(q query[N], err error) (finish func() answer) {
	stats, reason := h.m.Stats(), errorText(err)
	return func() answer {
		switch q.format {
		case formatJSON:
			return jsonAnswer(http.StatusServiceUnavailable, struct {
				Error string        `json:"error"`
				Stats manager.Stats `json:"stats"`
			}{reason, stats})
		case formatDOT:
			return plainAnswer(q.format, http.StatusServiceUnavailable, reason)
		default:
			return htmlAnswer(http.StatusServiceUnavailable, h.stoppedView(q, reason, stats))
		}
	}
}

// finish calls build when a place of renderSem is free. That is soon, since build waits for
// nothing.
func (h *handler[N]) finish(ctx context.Context, q query[N], build func() answer) answer {
	select {
	case h.renderSem <- struct{}{}:
		defer func() { <-h.renderSem }()
		return build()
	case <-ctx.Done(): // the client has left
		const text = "treelock: the request has ended"
		return plainAnswer(q.format, http.StatusServiceUnavailable, text)
	}
}

// failure returns an answer that consists of an error, in the format of q.
func (h *handler[N]) failure(status int, q query[N], err error) answer {
	if q.format != formatHTML {
		return plainAnswer(q.format, status, errorText(err))
	}
	return htmlAnswer(status, h.failureView(q, errorText(err)))
}

// record adds the statistics of a snapshot to the history.
func (h *handler[N]) record(taken time.Time, stats *manager.Stats) {
	history := <-h.history
	defer func() { h.history <- history }()
	history.add(taken, stats)
}
