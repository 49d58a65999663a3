package page

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A harness has a manager, its page, and requests that stay live to the end of the test.
type harness struct {
	nodesHarness
	manager *manager.Manager[treelock.Path]
	stop    context.CancelCauseFunc
	page    *handler[treelock.Path]
}

// A nodesHarness is the part of a harness that does not depend on the type of the nodes.
type nodesHarness struct {
	t       *testing.T
	handler http.Handler
}

// inBubble runs a test in a synctest bubble, with a manager that stops at the end.
func inBubble(t *testing.T, test func(h *harness), opts ...manager.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		m := manager.Start(ctx, append(opts, manager.WithMaxWaiting(5000))...)
		defer func() { stop(nil); <-m.Done() }()
		page := Handler(m)
		test(&harness{nodesHarness{t, page}, m, stop, page.(*handler[treelock.Path])})
	})
}

// withNodes is like inBubble, with nodes of any type. Each node is claimed by a request.
func withNodes[N treelock.Node[N]](
	t *testing.T, parse func(string) (N, error), test func(h nodesHarness), nodes ...N,
) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := manager.StartNodes[N](ctx)
		defer func() { cancel(); <-m.Done() }()
		for _, n := range nodes {
			if _, err := m.Submit(ctx, treelock.Request[N]{}.Write(n)); err != nil {
				t.Fatal(err)
			}
		}
		test(nodesHarness{t, HandlerNodes(m, parse)})
	})
}

// submit makes a request.
func (h *harness) submit(label string, req treelock.Request[treelock.Path]) {
	h.t.Helper()
	if _, err := h.manager.Submit(h.t.Context(), req.Labeled(label)); err != nil {
		h.t.Fatal(err)
	}
}

// submitWide makes holders with many claims each.
func submitWide(
	t testing.TB, m *manager.Manager[treelock.Path], requests, claims int, suffix string,
) {
	t.Helper()
	for i := range requests {
		nodes := make([]treelock.Path, claims)
		for j := range nodes {
			nodes[j] = treelock.PathOf("wide", fmt.Sprint(i), fmt.Sprint(j)+suffix)
		}
		if _, err := m.Submit(t.Context(), treelock.Read(nodes...).Labeled("wide")); err != nil {
			t.Fatal(err)
		}
	}
}

func (h *harness) snapshot() *manager.Snapshot[treelock.Path] {
	h.t.Helper()
	s, err := h.manager.Snapshot(h.t.Context(), manager.Query[treelock.Path]{})
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func (h nodesHarness) get(target string) *httptest.ResponseRecorder {
	return h.do(context.Background(), http.MethodGet, target)
}

func (h nodesHarness) do(
	ctx context.Context, method, target string,
) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	h.handler.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, method, target, nil))
	return answer
}

var tags = regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>|<[^>]*>`)

// textIn returns the text of an HTML page, in one line.
func textIn(page string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(page, " "))), " ")
}

// wantText checks the status and the text of a page. The text must not contain a string that begins
// with "!".
func (h nodesHarness) wantText(target string, status int, contains ...string) {
	h.t.Helper()
	answer := h.get(target)
	if answer.Code != status {
		h.t.Errorf("GET %.100s: status %d, want %d", target, answer.Code, status)
	}
	text := textIn(answer.Body.String())
	for _, want := range contains {
		if absent, not := strings.CutPrefix(want, "!"); not == strings.Contains(text, absent) {
			h.t.Errorf("GET %.100s: want %q in:\n%s", target, want, text)
		}
	}
}

// wantRaw checks that the answer contains these strings as they are.
func (h nodesHarness) wantRaw(target string, contains ...string) {
	h.t.Helper()
	body := h.get(target).Body.String()
	for _, want := range contains {
		if !strings.Contains(body, want) {
			h.t.Errorf("GET %.100s: %q is not in:\n%.3000s", target, want, body)
		}
	}
}

// A stuckReader reads nothing of the body of an answer until read is closed. Then Write returns,
// fails or panics.
type stuckReader struct {
	httptest.ResponseRecorder
	status        int
	read          chan struct{}
	fails, panics bool
}

func newStuckReader() *stuckReader {
	return &stuckReader{ResponseRecorder: *httptest.NewRecorder(), read: make(chan struct{})}
}

func (s *stuckReader) WriteHeader(status int) { s.status = status }

func (s *stuckReader) Write(p []byte) (int, error) {
	<-s.read
	switch {
	case s.panics:
		panic("the reader has left")
	case s.fails:
		return len(p) / 2, errors.New("the reader has left")
	}
	return len(p), nil
}

// heap returns the bytes of the heap that are in use.
func heap() float64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}
