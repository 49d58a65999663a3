package dav

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/treelock/treelock/examples/webdav/internal/davlock"
	"github.com/treelock/treelock/examples/webdav/internal/files"
	"github.com/treelock/treelock/manager"
)

// A rig is a handler over a temporary directory, with the folders /a and /b and the file /a/f.
type rig struct {
	*testing.T
	handler *Handler
	locks   *manager.Manager[Path]
	name    string // of the directory
}

func newRig(t *testing.T, limits davlock.Limits) *rig {
	m := manager.Start(t.Context())
	name := t.TempDir()
	dir, err := files.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	h := New(Config{Files: dir, Locker: m, Locks: davlock.Start(t.Context(), m, limits, nil), MaxBody: 1 << 20})
	r := &rig{t, h, m, name}
	r.do(201, "MKCOL /a")
	r.do(201, "MKCOL /b")
	r.do(201, "PUT /a/f", "=old")
	return r
}

// do sends a request of the anonymous user, and fails unless its status is want. Each of more is a
// header, or a body behind "=".
func (r *rig) do(want int, line string, more ...string) *httptest.ResponseRecorder {
	r.Helper()
	return r.as("", want, line, more...)
}

// as is do for a user.
func (r *rig) as(user string, want int, line string, more ...string) *httptest.ResponseRecorder {
	r.Helper()
	method, target, _ := strings.Cut(line, " ")
	body := ""
	header := http.Header{}
	for _, m := range more {
		if text, ok := strings.CutPrefix(m, "="); ok {
			body = text
			continue
		}
		name, value, _ := strings.Cut(m, ": ")
		header.Add(name, value)
	}
	req := httptest.NewRequest(method, target, strings.NewReader(body))
	req.Header = header
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req.WithContext(WithUser(req.Context(), user)))
	if w.Code != want {
		r.Fatalf("%s %v = %d, want %d\n%s", line, more, w.Code, want, w.Body)
	}
	return w
}

// lockBody returns the body of a LOCK.
func lockBody(scope string) string {
	return `=<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:` + scope +
		`/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner><D:href>http://me/</D:href></D:owner></D:lockinfo>`
}

// lock makes a lock and returns its token in angle brackets.
func (r *rig) lock(target, scope, depth string) string {
	r.Helper()
	return r.do(200, "LOCK "+target, "Depth: "+depth, lockBody(scope)).Header().Get("Lock-Token")
}

// holds fails unless a file has this content.
func (r *rig) holds(target, want string) {
	r.Helper()
	if got := r.do(200, "GET "+target).Body.String(); got != want {
		r.Errorf("GET %s = %q, want %q", target, got, want)
	}
}

// says fails unless an answer has all these texts.
func (r *rig) says(w *httptest.ResponseRecorder, texts ...string) {
	r.Helper()
	for _, text := range texts {
		if !strings.Contains(w.Body.String(), text) {
			r.Errorf("no %q in %s", text, w.Body)
		}
	}
}

// idle fails if a request is live, but for those of n locks.
func (r *rig) idle(n int) {
	r.Helper()
	s, err := r.locks.Snapshot(r.Context(), manager.Query[Path]{})
	if err != nil || len(s.Holders) != n || len(s.Waiters) != 0 {
		r.Errorf("live at the end: %v, %v, want the grants of %d locks", s.Holders, err, n)
	}
}
