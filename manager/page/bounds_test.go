package page

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

func TestEveryAnswerIsBounded(t *testing.T) {
	long := strings.Repeat(`"&<`, 600) + "\u202e"
	inside(t, func(h *house) {
		submitWide(h.t, h.manager, 5, 1000, "")
		submitWide(h.t, h.manager, 200, 8, long)
		for range 1500 {
			h.submit(strings.Repeat(`"`, 100), treelock.Write("/wide"))
		}
		for _, query := range []string{"", "limit=2000", "format=json", "format=json&limit=1", "format=dot&limit=2000", "below=/wide&limit=2000"} {
			answer := h.get("/?" + query)
			if got := answer.Body.Len(); got > maxAnswer || answer.Code != 200 {
				t.Errorf("GET %s: %d, %d bytes, want at most %d", query, answer.Code, got, maxAnswer)
			}
			if got := answer.Header().Get("Content-Length"); got != fmt.Sprint(answer.Body.Len()) {
				t.Errorf("GET %s: Content-Length %s of %d bytes", query, got, answer.Body.Len())
			}
		}
		h.wantText("/?limit=2000", 200, "left out: this page has at most 1 MiB")
		graph := h.get("/?format=dot&limit=2000").Body.String()
		if err := checkDOT(graph); err != nil || !strings.Contains(graph, `left out\nat most 1 MiB"`) {
			t.Errorf("the graph is no graph, or does not say that it is cut: %v\n%.300s", err, graph)
		}
		for _, bad := range []string{"below=/" + strings.Repeat("x", maxBelow), strings.Repeat("a=b&", maxQuery/4) + "c", "format=json&below=" + strings.Repeat("x", maxBelow+1)} {
			if answer := h.get("/?" + bad); answer.Code != http.StatusRequestURITooLong || answer.Body.Len() > 40_000 {
				t.Errorf("GET %.20s...: %d, %d bytes, want 414 and a short answer", bad, answer.Code, answer.Body.Len())
			}
		}
	})
}

// The graph is written on when it is full: nothing that is smaller than the rest of it comes after a hole.
func TestFullSinkTakesNoMore(t *testing.T) {
	var s sink
	for _, size := range []int{maxAnswer - 1, 2, 1, 0} {
		n, err := s.Write(make([]byte, size))
		if full := size <= 2; (err != nil) != full || s.full != full || n != size && !full {
			t.Errorf("after Write of %d bytes: %d, %v, full is %t", size, n, err, s.full)
		}
	}
	if s.Len() != maxAnswer-1 {
		t.Errorf("the sink has %d bytes, want %d", s.Len(), maxAnswer-1)
	}
}

// What is left out of the JSON is counted, and the rest is a snapshot: no request names one that is not there.
func TestBoundedJSONIsASnapshotThatSaysWhatIsLeftOut(t *testing.T) {
	inside(t, func(h *house) {
		submitWide(h.t, h.manager, 1000, 10, strings.Repeat(`"`, 900))
		for range 500 {
			h.submit("", treelock.Write("/wide"))
		}
		var got struct {
			manager.Snapshot[treelock.Path]
			MaxBytes int `json:"max_bytes"`
		}
		if err := json.Unmarshal(h.get("/?format=json").Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		shown := len(got.Holders) + len(got.Waiters)
		if got.LeftOut+shown != 1500 || shown < 50 || got.MaxBytes != maxAnswer {
			t.Errorf("%d requests are shown and %d left out of 1,500, max_bytes is %d", shown, got.LeftOut, got.MaxBytes)
		}
		there := make(map[uint64]bool)
		for r := range got.All() {
			there[r.Number] = true
		}
		for r := range got.All() {
			for _, seq := range r.BlockedBy {
				if !there[seq] {
					t.Fatalf("#%d is blocked by #%d, which is left out", r.Number, seq)
				}
			}
		}
	})
}

// All formats cut alike: eight claims of a request, and names in the same way.
func TestFormatsCutAlike(t *testing.T) {
	inside(t, func(h *house) {
		long := treelock.PathOf("long", strings.Repeat("x", 3000)+"y")
		h.submit("", treelock.Read(long))
		submitWide(h.t, h.manager, 1, 100, "")
		var got struct {
			Holders []struct {
				Claims []struct {
					Node  treelock.Path
					Bytes int `json:"node_bytes"`
				}
				More int `json:"more_claims"`
			}
		}
		if err := json.Unmarshal(h.get("/?format=json").Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if c := got.Holders[0].Claims[0]; string(c.Node) != newText(string(long)).kept || c.Bytes != len(long) {
			t.Errorf("the long name is %q in JSON, with node_bytes %d", c.Node, c.Bytes)
		}
		if r := got.Holders[1]; len(r.Claims) != mostClaims || r.More != 92 {
			t.Errorf("of 100 claims the JSON has %d and %d more, want 8 and 92", len(r.Claims), r.More)
		}
		h.wantText("/", 200, "and 92 more claims", newText(string(long)).name().Short)
		graph := h.get("/?format=dot").Body.String()
		for _, want := range []string{"and 92 more claims", `label="` + newText(string(long)).name().Short + `"`, `tooltip="` + newText(string(long)).kept + `"`} {
			if !strings.Contains(graph, want) {
				t.Errorf("%.60q is not in the graph:\n%.3000s", want, graph)
			}
		}
		if strings.Contains(graph, strings.Repeat("x", longest)) {
			t.Error("a name in the graph is not cut")
		}
	})
}

// Readers that never read keep no more than maxKept; the next one is refused until one of them has read.
func TestSlowReadersKeepABoundedAmount(t *testing.T) {
	inside(t, func(h *house) {
		submitWide(h.t, h.manager, 110, 8, strings.Repeat("n", 900))
		size := h.get("/?format=json").Body.Len()
		if size < maxAnswer*3/4 {
			t.Fatalf("an answer of %d bytes is too small for this test", size)
		}
		readers := make([]*stuckReader, 12)
		done := make(chan struct{}, len(readers))
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
		if want := maxKept / size; served != want {
			t.Errorf("%d readers that do not read are served %d bytes each, want %d", served, size, want)
		}
		if answer := h.get("/?format=json"); answer.Code != 503 || !strings.Contains(answer.Body.String(), "slow readers") || answer.Header().Get("Retry-After") == "" {
			t.Errorf("the next reader gets %d, %s, want 503 and why", answer.Code, answer.Body)
		}
		head := httptest.NewRecorder()
		h.handler.ServeHTTP(head, httptest.NewRequest("HEAD", "/?format=json", nil))
		if head.Code != 200 || head.Body.Len() > 0 || head.Header().Get("Content-Length") != fmt.Sprint(size) {
			t.Errorf("HEAD: %d, %d bytes, Content-Length %s", head.Code, head.Body.Len(), head.Header().Get("Content-Length"))
		}
		for i, r := range readers {
			r.fails, r.panics = i%2 == 0, i%4 == 0
			close(r.read)
			<-done
		}
		h.wantText("/", 200, "110 requests hold")
		if kept := <-h.handler.(*handlerOfPaths).kept; kept != 0 {
			t.Errorf("when all readers have gone, %d bytes are kept", kept)
		}
	})
}

// Many viewers may wait for their answers to be made. Each keeps what an answer has room for, not all names.
func TestAnswerThatIsNotMadeYetKeepsLittle(t *testing.T) {
	inside(t, func(h *house) {
		submitWide(h.t, h.manager, 200, 8, strings.Repeat("\x01", 900))
		page := h.handler.(*handlerOfPaths)
		for _, text := range []string{"format=json", "format=dot&limit=2000", "limit=2000"} {
			asked, err := page.readQuery(text)
			if err != nil {
				t.Fatal(err)
			}
			s, err := page.take(h.t.Context(), asked)
			if err != nil {
				t.Fatal(err)
			}
			var prepared [2]func() answer
			before := heap()
			for i := range prepared {
				prepared[i] = page.prepare(asked, s)
			}
			if kept := (heap() - before) / float64(len(prepared)); kept > 2*maxAnswer {
				t.Errorf("%s: %.1f MB are kept for an answer, want at most 2 MiB", text, kept/1e6)
			}
			for _, render := range prepared {
				if body := render().body; len(body) < maxAnswer/8 {
					t.Errorf("%s: the answer has %d bytes only", text, len(body))
				}
			}
		}
	})
}
