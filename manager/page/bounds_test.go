package page

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
)

func TestEveryAnswerIsBounded(t *testing.T) {
	inBubble(t, func(h *harness) {
		submitWide(h.t, h.manager, 5, 1000, "")
		submitWide(h.t, h.manager, 200, 8, strings.Repeat(`"&<`, 600)+"\u202e")
		for range 1500 {
			h.submit(strings.Repeat(`"`, 100), treelock.Write("/wide"))
		}
		for _, query := range []string{
			"", "limit=2000", "format=json", "format=json&limit=1", "format=dot&limit=2000",
			"below=/wide&limit=2000",
		} {
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
	})
}

// The graph is written even when the buffer is full: a small write must not follow one that
// is missing.
func TestFullBufferStaysFull(t *testing.T) {
	var b limitedBuffer
	for _, size := range []int{maxAnswer - 1, 2, 1, 0} {
		n, err := b.Write(make([]byte, size))
		if full := size <= 2; (err != nil) != full || b.full != full || n != size && !full {
			t.Errorf("Write of %d bytes: %d, %v, full is %t", size, n, err, b.full)
		}
	}
	if b.Len() != maxAnswer-1 {
		t.Errorf("the buffer has %d bytes, want %d", b.Len(), maxAnswer-1)
	}
}

func TestBoundedJSONSaysWhatIsLeftOut(t *testing.T) {
	inBubble(t, func(h *harness) {
		submitWide(h.t, h.manager, 1000, 10, strings.Repeat(`"`, 900))
		for range 500 {
			h.submit("", treelock.Write("/wide"))
		}
		got := h.json("")
		shown := len(got.Holders) + len(got.Waiters)
		if got.LeftOut+shown != 1500 || shown < 50 || got.MaxBytes != maxAnswer {
			t.Errorf("of 1,500 requests %d are shown and %d left out, max_bytes is %d",
				shown, got.LeftOut, got.MaxBytes)
		}
		numbers := make(map[uint64]bool)
		for _, r := range slices.Concat(got.Holders, got.Waiters) { // a blocker comes first
			numbers[r.Number] = true
			for _, blocker := range r.BlockedBy {
				if !numbers[blocker] {
					t.Fatalf("#%d is blocked by #%d, which is left out", r.Number, blocker)
				}
			}
		}
	})
}

// Near the bound, line breaks and tabs matter.
func TestIndentedJSONIsBounded(t *testing.T) {
	inBubble(t, func(h *harness) {
		for i := range maxLimit {
			claims := make([]treelock.Path, 5)
			for j := range claims {
				claims[j] = treelock.PathOf("a", fmt.Sprint(i), fmt.Sprint(j))
			}
			h.submit("", treelock.Read(claims...))
		}
		if got := h.get("/?format=json").Body.Len(); got > maxAnswer || got < maxAnswer/4 {
			t.Errorf("the answer has %d bytes, want at most %d", got, maxAnswer)
		}
	})
}

func TestCutSnapshotHasItsOwnMemoryAndNamesOnlyItsRequests(t *testing.T) {
	inBubble(t, func(h *harness) {
		for range 3 {
			h.submit("", treelock.Read("/b")) // #1 to #3
		}
		for range 3 {
			h.submit("", treelock.Write("/b")) // #4 waits for these, #5 for #4 as well, and so on
		}
		submitWide(h.t, h.manager, 1, 100, "")
		whole := cut(h.snapshot())
		if claims := whole.Holders[3].Claims; len(claims) != maxClaims || cap(claims) > 2*maxClaims {
			t.Errorf("of 100 claims %d are kept, in memory for %d", len(claims), cap(claims))
		}
		for n, want := range map[int][2]int{7: {4, 3}, 6: {3, 3}, 5: {2, 3}, 4: {2, 2}, 3: {1, 2}, 1: {0, 1}} {
			part := whole.first(n)
			if got := [2]int{len(part.Holders), len(part.Waiters)}; got != want || part.LeftOut != 7-n {
				t.Errorf("first(%d) has %v holders and waiters, %d left out; want %v", n, got, part.LeftOut, want)
			}
		}
		for i, want := range [][]uint64{{1, 2}, {1, 2, 4}} {
			if got := whole.first(4).Waiters[i].BlockedBy; !slices.Equal(got, want) {
				t.Errorf("waiter %d is blocked by %v, want %v", i, got, want)
			}
		}
		if got, want := whole.Waiters[1].BlockedBy, []uint64{1, 2, 3, 4}; !slices.Equal(got, want) {
			t.Errorf("first has changed the whole: #5 is blocked by %v, want %v", got, want)
		}
	})
}

func TestFormatsCutAlike(t *testing.T) {
	inBubble(t, func(h *harness) {
		long := treelock.PathOf("long", strings.Repeat("x", 3000)+"y")
		h.submit("", treelock.Read(long))
		submitWide(h.t, h.manager, 1, 100, "")
		h.submit("", treelock.ReadNode("/long")) // the long name is not relative to it
		got := h.json("").Holders
		full, short := newText(string(long)).kept, newText(string(long)).name().Short
		if c := got[0].Claims[0]; c.Node != full || c.NodeBytes != len(long) {
			t.Errorf("in JSON the long name is %q, with node_bytes %d", c.Node, c.NodeBytes)
		}
		if r := got[1]; len(r.Claims) != maxClaims || r.MoreClaims != 92 {
			t.Errorf("of 100 claims the JSON has %d and %d more, want 8 and 92", len(r.Claims), r.MoreClaims)
		}
		h.wantText("/", 200, "and 92 more claims", short)
		h.wantRaw("/?format=dot", "and 92 more claims", `label="`+short+`"`, `tooltip="`+full+`"`)
		if strings.Contains(h.get("/?format=dot").Body.String(), strings.Repeat("x", maxFull)) {
			t.Error("a name in the graph is not cut")
		}
	})
}

func TestPageCountsWhatItDoesNotShow(t *testing.T) {
	inBubble(t, func(h *harness) {
		for i := range 300 {
			h.submit("", treelock.Write(treelock.PathOf("held", fmt.Sprint(i))))
		}
		for range 100 {
			h.submit("", treelock.Write("/held/299"))
		}
		h.wantText("/", 200, "200 more requests not shown", "#300 holds 0 ms blocks 100")
		h.wantText("/?limit=10", 200, "390 more requests not shown", "blocks 100")
		h.wantText("/?limit=399", 200, "1 more request not shown")
		h.wantText("/?limit=400", 200, "!not shown")
		page := h.get("/?limit=10&below=/held").Body.String()
		header := page[strings.Index(page, "<header>"):strings.Index(page, "</header>")]
		for _, want := range []string{
			`<input type="hidden" name="limit" value="10">`,
			`href="?format=json&amp;below=%2fheld&amp;limit=10"`,
			`href="?format=dot&amp;below=%2fheld&amp;limit=10"`,
		} {
			if !strings.Contains(header, want) {
				t.Errorf("the header lacks %s:\n%s", want, header)
			}
		}
		for i := range 2000 {
			h.submit("", treelock.Write(treelock.PathOf("more", fmt.Sprint(i))))
		}
		h.wantText("/?limit=1", 200, "2,399 more requests not shown", "2,300 hold")
		h.wantText("/?limit=2000", 200, "400 more requests not shown", "blocks 100+ #300")
		if got := strings.Count(h.get("/").Body.String(), `class="request`); got != defaultLimit {
			t.Errorf("%d requests are shown, want %d", got, defaultLimit)
		}
		h.wantText("/?below=/", 200, "100 requests or more wait", "1,900 or more hold")
		submitWide(h.t, h.manager, 1, 1000, "")
		h.wantText("/?below=/wide", 200, "wide #2401 and 992 more claims")
		if got := strings.Count(h.get("/?below=/wide").Body.String(), `class="request`); got != maxClaims {
			t.Errorf("%d claims of a request are shown, want %d", got, maxClaims)
		}
	})
}

func TestAnswerThatIsNotFinishedKeepsLittleMemory(t *testing.T) {
	inBubble(t, func(h *harness) {
		submitWide(h.t, h.manager, 200, 8, strings.Repeat("\x01", 900))
		for _, text := range []string{"format=json", "format=dot&limit=2000", "limit=2000"} {
			q, err := h.page.readQuery(text)
			if err != nil {
				t.Fatal(err)
			}
			s, err := h.page.snapshot(h.t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			var prepared [2]func() answer
			before := heap()
			for i := range prepared {
				prepared[i] = h.page.prepare(q, s)
			}
			if kept := (heap() - before) / float64(len(prepared)); kept > 2*maxAnswer {
				t.Errorf("%s: %.1f MB are kept for an answer, want at most 2 MiB", text, kept/1e6)
			}
			for _, finish := range prepared {
				if body := finish().body; len(body) < maxAnswer/8 {
					t.Errorf("%s: the answer has %d bytes only", text, len(body))
				}
			}
		}
		const lines = 1 + 200 + 1600 + 1600 // /wide, its children, their children, and claims
		shown := strings.Count(h.get("/?limit=2000").Body.String(), `<li class="`)
		h.wantText("/?limit=2000", 200, number(lines-shown)+" more lines left out")
	})
}

func TestAnswersAreRenderedAFewAtATime(t *testing.T) {
	inBubble(t, func(h *harness) {
		q := query[treelock.Path]{format: formatJSON}
		rendering, finished := make(chan struct{}), make(chan int)
		for range maxRenders + 1 {
			go func() {
				finished <- h.page.finish(h.t.Context(), q, func() answer { <-rendering; return answer{} }).status
			}()
		}
		synctest.Wait()
		ctx, leave := context.WithCancel(h.t.Context())
		go func() { finished <- h.page.finish(ctx, q, func() answer { panic("the client has left") }).status }()
		leave()
		if status := <-finished; status != http.StatusServiceUnavailable {
			t.Errorf("the answer for a client that has left is %d, want 503", status)
		}
		if got := len(h.page.renderSem); got != maxRenders {
			t.Errorf("%d answers are being rendered, want %d", got, maxRenders)
		}
		rendering <- struct{}{}
		<-finished
		synctest.Wait()
		if got := len(h.page.renderSem); got != maxRenders {
			t.Errorf("when one has ended %d are being rendered, want the next one too", got)
		}
		close(rendering)
		for range maxRenders {
			<-finished
		}
		if got := len(h.page.renderSem); got != 0 {
			t.Errorf("%d places are taken at the end, want 0", got)
		}
	})
}
