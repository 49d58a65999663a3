package dav

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/net/webdav"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/webdav/internal/davlock"
	"github.com/treelock/treelock/examples/webdav/internal/files"
)

// Path is a resource.
type Path = treelock.Path

// A Config says what a Handler serves, and how.
type Config struct {
	Files   files.System
	Locker  treelock.Locker[Path] // the methods' requests
	Locks   *davlock.Table        // with the same locker
	Logger  *slog.Logger          // nil for the default
	MaxBody int64                 // bytes of a file; 0 for 1 GiB
	Patient time.Duration         // how long a method waits for others; 0 for a minute
}

// A Handler is a WebDAV server for one tree. Make it with [New].
type Handler struct {
	Config
	inner *webdav.Handler
}

// New returns a handler.
func New(c Config) *Handler {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.MaxBody == 0 {
		c.MaxBody = 1 << 30
	}
	if c.Patient == 0 {
		c.Patient = time.Minute
	}
	return &Handler{c, &webdav.Handler{FileSystem: c.Files, LockSystem: noLocks{}}}
}

// methods has all methods, in the order in which OPTIONS names them.
var methods = map[string]func(*Handler, *call) error{
	"OPTIONS": (*Handler).options, "GET": (*Handler).get, "HEAD": (*Handler).get, "PUT": (*Handler).put,
	"DELETE": (*Handler).delete, "MKCOL": (*Handler).mkcol, "COPY": (*Handler).copy, "MOVE": (*Handler).move,
	"PROPFIND": (*Handler).propfind, "PROPPATCH": (*Handler).proppatch,
	"LOCK": (*Handler).lock, "UNLOCK": (*Handler).unlock,
}

const allow = "OPTIONS, GET, HEAD, PUT, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK"

// A call is one request of a client.
type call struct {
	*http.Request
	path    Path
	slash   bool   // the URL ends with a slash
	user    string // "" if there is no authentication
	cond    conditions
	body    []byte // that of a method that takes XML
	answer  answer
	control *http.ResponseController
}

// ServeHTTP handles a request. It writes the answer when nothing is held any more.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{Request: r, control: http.NewResponseController(w)}
	c.answer.header = http.Header{}
	method, ok := methods[r.Method]
	err := error(refuse(http.StatusMethodNotAllowed, ""))
	if ok {
		if err = h.prepare(c); err == nil {
			err = method(h, c)
		}
	}
	if err != nil {
		h.fail(c, err)
	}
	c.answer.send(&patientWriter{w, c.control}, r)
}

// An answer is what a client gets, once nothing is held for it. It is an [http.ResponseWriter] for
// x/net/webdav.
type answer struct {
	header  http.Header
	status  int
	body    bytes.Buffer
	content webdav.File // for GET; the answer closes it
	changed time.Time
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// xml sets the body.
func (a *answer) xml(status int, body string) {
	a.header.Set("Content-Type", "application/xml; charset=utf-8")
	a.status = status
	a.body.Reset()
	a.body.WriteString(body)
}

// send writes the answer.
func (a *answer) send(w http.ResponseWriter, r *http.Request) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.content != nil {
		defer a.content.Close()
		http.ServeContent(w, r, r.URL.Path, a.changed, a.content)
		return
	}
	w.WriteHeader(a.status)
	if a.status != http.StatusNoContent {
		_, _ = w.Write(a.body.Bytes()) // the client has gone if it fails
	}
}

// A patientWriter sends to a client that must go on reading.
type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (w *patientWriter) Write(p []byte) (int, error) {
	for total := 0; ; {
		_ = w.control.SetWriteDeadline(time.Now().Add(bodyTime)) // not all connections have deadlines
		n, err := w.ResponseWriter.Write(p[total:min(len(p), total+mostWrite)])
		if total += n; err != nil || total == len(p) {
			return total, err
		}
	}
}

// mostWrite is how many bytes a client must take in bodyTime.
const mostWrite = 64 << 10

// A refusal is an answer that refuses a request. Its text says why.
type refusal struct {
	status int
	text   string
	body   string // XML; "" for text
}

func (r *refusal) Error() string {
	if r.text == "" {
		return webdav.StatusText(r.status)
	}
	return r.text
}

func refuse(status int, format string, args ...any) *refusal {
	return &refusal{status: status, text: fmt.Sprintf(format, args...)}
}

// fail makes the answer of a call that failed.
func (h *Handler) fail(c *call, err error) {
	var r *refusal
	switch {
	case errors.As(err, &r):
	case errors.Is(err, treelock.ErrGaveUp), errors.Is(err, treelock.ErrStopped), errors.Is(err, treelock.ErrLost),
		errors.Is(err, treelock.ErrDraining), errors.Is(err, treelock.ErrSuspended), errors.Is(err, treelock.ErrBusy),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		r = refuse(http.StatusServiceUnavailable, "%v", err)
		c.answer.header.Set("Retry-After", "1")
	default:
		r = refuse(statusOf(err), "%s", webdav.StatusText(statusOf(err)))
		h.Logger.Error("webdav", "method", c.Method, "path", c.path, "err", err)
	}
	if r.status == http.StatusMethodNotAllowed {
		c.answer.header.Set("Allow", allow)
	}
	if r.body != "" {
		c.answer.xml(r.status, r.body)
		return
	}
	c.answer.header.Set("Content-Type", "text/plain; charset=utf-8")
	c.answer.status = r.status
	c.answer.body.Reset()
	fmt.Fprintln(&c.answer.body, r.Error())
}

// noLocks is the lock system of x/net/webdav, which is switched off.
type noLocks struct{}

func (noLocks) Confirm(time.Time, string, string, ...webdav.Condition) (func(), error) {
	return func() {}, nil
}
func (noLocks) Create(time.Time, webdav.LockDetails) (string, error) { return "none", nil }
func (noLocks) Refresh(time.Time, string, time.Duration) (webdav.LockDetails, error) {
	return webdav.LockDetails{}, webdav.ErrNoSuchLock
}
func (noLocks) Unlock(time.Time, string) error { return nil }
