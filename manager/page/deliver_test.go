package page

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSlowReadersKeepABoundedNumberOfBytes(t *testing.T) {
	inBubble(t, func(h *harness) {
		submitWide(h.t, h.manager, 110, 8, strings.Repeat("n", 900))
		size := h.get("/?format=json").Body.Len()
		if size < maxAnswer*3/4 {
			t.Fatalf("an answer of %d bytes is too small for this test", size)
		}
		readers, done := make([]*stuckReader, 12), make(chan struct{}, 12)
		for i := range readers {
			readers[i] = newStuckReader()
			go func() {
				defer func() { _ = recover(); done <- struct{}{} }() // as net/http does
				h.handler.ServeHTTP(readers[i], httptest.NewRequest("GET", "/?format=json", nil))
			}()
			synctest.Wait()
		}
		served := 0
		for _, r := range readers {
			if r.status == 200 {
				served++
			}
		}
		if want := maxUnread / size; served != want {
			t.Errorf("%d answers of %d bytes wait for their readers, want %d", served, size, want)
		}
		answer := h.get("/?format=json")
		if answer.Code != 503 || !strings.Contains(answer.Body.String(), "slow readers") ||
			answer.Header().Get("Retry-After") == "" {
			t.Errorf("the next reader gets %d, %s, want 503 and why", answer.Code, answer.Body)
		}
		if head := h.do(h.t.Context(), "HEAD", "/?format=json"); head.Code != 200 {
			t.Errorf("HEAD, which has no body, gets %d, want 200", head.Code)
		}
		for i, r := range readers {
			r.fails, r.panics = i%2 == 0, i%4 == 0
			close(r.read)
			<-done
		}
		h.wantText("/", 200, "110 requests hold")
		if unread := <-h.page.unread; unread != 0 {
			t.Errorf("when all readers have left, %d bytes are unread, want 0", unread)
		}
	})
}

// A deadlineWriter records the write deadline of its connection.
type deadlineWriter struct {
	httptest.ResponseRecorder
	deadline, atWrite, atFlush time.Time
}

func (w *deadlineWriter) SetWriteDeadline(t time.Time) error { w.deadline = t; return nil }

func (w *deadlineWriter) FlushError() error { w.atFlush = w.deadline; return nil }

func (w *deadlineWriter) Write(p []byte) (int, error) {
	w.atWrite = w.deadline
	return w.ResponseRecorder.Write(p)
}

// A server with a limit sets the deadline for each request. Without one the next request on the
// connection must find no deadline.
func TestReaderHasADeadlineUntilTheAnswerIsFlushed(t *testing.T) {
	inBubble(t, func(h *harness) {
		for limit, want := range map[time.Duration]struct{ write, after time.Duration }{
			0: {30 * time.Second, 0}, 5 * time.Second: {}, time.Hour: {30 * time.Second, 30 * time.Second},
		} {
			w := &deadlineWriter{ResponseRecorder: *httptest.NewRecorder()}
			server := &http.Server{WriteTimeout: limit}
			ctx := context.WithValue(h.t.Context(), http.ServerContextKey, server)
			h.handler.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/", nil))
			at := func(d time.Duration) time.Time {
				if d == 0 {
					return time.Time{}
				}
				return time.Now().Add(d)
			}
			if !w.atWrite.Equal(at(want.write)) || !w.atFlush.Equal(at(want.write)) ||
				!w.deadline.Equal(at(want.after)) {
				t.Errorf("with a limit of %v the deadline is %v, %v at the flush, then %v; want %v",
					limit, w.atWrite, w.atFlush, w.deadline, want)
			}
		}
	})
}
