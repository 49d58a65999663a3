package page

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A dated writer knows the deadline of its connection, and what that was as it was written to.
type dated struct {
	httptest.ResponseRecorder
	deadline, atWrite time.Time
}

func (d *dated) SetWriteDeadline(t time.Time) error { d.deadline = t; return nil }

func (d *dated) Write(p []byte) (int, error) {
	d.atWrite = d.deadline
	return d.ResponseRecorder.Write(p)
}

// A reader has 30 seconds, unless the server has a shorter limit. The next request on the connection has no deadline of
// ours: a server with a limit sets it anew, and one without keeps what it finds.
func TestReaderHasADeadlineThatEndsWithTheAnswer(t *testing.T) {
	inside(t, func(h *house) {
		for limit, want := range map[time.Duration]struct{ write, after time.Duration }{
			0: {30 * time.Second, 0}, 5 * time.Second: {}, time.Hour: {30 * time.Second, 30 * time.Second},
		} {
			w := &dated{ResponseRecorder: *httptest.NewRecorder()}
			ctx := context.WithValue(h.t.Context(), http.ServerContextKey, &http.Server{WriteTimeout: limit})
			h.handler.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/", nil))
			at := func(d time.Duration) time.Time {
				if d == 0 {
					return time.Time{}
				}
				return time.Now().Add(d)
			}
			if !w.atWrite.Equal(at(want.write)) || !w.deadline.Equal(at(want.after)) {
				t.Errorf("under a limit of %v the deadline is %v, then %v; want %v", limit, w.atWrite, w.deadline, want)
			}
		}
	})
}
