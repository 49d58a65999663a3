package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

func TestEveryAnswerHasTheHeaders(t *testing.T) {
	inBubble(t, func(h *harness) {
		want := map[string]string{
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Referrer-Policy": "no-referrer",
			"Content-Security-Policy": fmt.Sprintf("default-src 'none'; script-src %s; "+
				"style-src %s; img-src data:; connect-src 'self'; form-action 'self'; "+
				"base-uri 'none'; frame-ancestors 'none'", hashOf(pageJS), hashOf(pageCSS)),
		}
		check := func(what string, answer *httptest.ResponseRecorder, contentType string) {
			t.Helper()
			want["Content-Type"] = contentType
			got := make(map[string]string)
			for name := range want {
				got[name] = answer.Header().Get(name)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: headers: -want +got\n%s", what, diff)
			}
		}
		all := map[string]string{
			"/": typeHTML, "/?format=html": typeHTML, "/?format=x": typeHTML, "/?limit=x": typeHTML,
			"/?format=json": typeJSON, "/?limit=x&format=json": typeJSON,
			"/?format=dot": typeDOT, "/?limit=x&format=dot": typeText,
		}
		checkAll := func(state string) {
			for target, contentType := range all {
				answer, head := h.get(target), h.do(h.t.Context(), "HEAD", target)
				check(state+" GET "+target, answer, contentType)
				check(state+" HEAD "+target, head, contentType)
				length := head.Header().Get("Content-Length")
				if head.Code != answer.Code || head.Body.Len() > 0 || length != strconv.Itoa(answer.Body.Len()) {
					t.Errorf("%s HEAD %s: %d, %d bytes, Content-Length %s of %d bytes",
						state, target, head.Code, head.Body.Len(), length, answer.Body.Len())
				}
			}
		}
		checkAll("running")
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X"} {
			answer := h.do(h.t.Context(), method, "/")
			check(method, answer, typeText)
			if answer.Code != http.StatusMethodNotAllowed || answer.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s: %d, Allow %q, want 405", method, answer.Code, answer.Header().Get("Allow"))
			}
		}
		h.stop(nil)
		all["/?format=dot"] = typeText
		checkAll("stopped")
	})
}

// Otherwise the hashes in the headers would forbid the script and the style.
func TestPageContainsItsScriptAndStyleUnchanged(t *testing.T) {
	inBubble(t, func(h *harness) {
		h.wantRaw("/", "<style>"+pageCSS+"</style>", "<script>"+pageJS+"</script>")
		if inline := regexp.MustCompile(` on[a-z]+=| style=`).FindString(pageHTML); inline != "" {
			t.Errorf("the page has an inline%s, which its policy forbids", inline)
		}
	})
}

func TestPageTellsIdleHeldAndStuckApart(t *testing.T) {
	inBubble(t, func(h *harness) {
		zone, _ := time.Now().Zone()
		h.wantText("/", 200, "All quiet", "no request holds or waits 00:00:00 "+zone,
			"Requests appear here as soon", "!Tree", "!everything", "granted 0")
		h.wantRaw("/", `name="below" value=""`, `href="?format=json"`)
		h.submit("rename 17", treelock.Write("/tenants/17"))
		h.wantText("/", 200, "No request waits", "1 request holds",
			"/tenants/17 1 holds write rename 17 #1 holds 0 ms", "!Blocking")
		time.Sleep(3 * time.Second)
		h.submit("", treelock.ReadNode("/tenants/17/a"))
		time.Sleep(500 * time.Millisecond)
		h.wantText("/", 200, "1 request waits", "the longest for 500 ms; 1 holds",
			"blocks 1 rename 17 #1", "read-node #2 waits 500 ms waits for #1 “rename 17”", "!blocked")
		for i := range 22 {
			time.Sleep(time.Second)
			h.submit(fmt.Sprint("save ", i), treelock.Write("/tenants/17/a"))
		}
		h.submit("", treelock.Write("/short"))
		h.submit("", treelock.Write("/short"))
		time.Sleep(4 * time.Minute)
		h.submit("", treelock.Write("/shorter"))
		h.submit("", treelock.Write("/shorter"))
		h.wantText("/", 200, "25 requests wait", "the longest for 4 min 22 s; 3 hold", "23 blocked",
			"rename 17 #1 holds for 4 min 25 s", "blocks 23 requests, the first for 4 min 22 s",
			"15 more wait", "write save 21 #24 waits 4 min 00 s waits for #1 “rename 17” and 22 more")
		h.wantRaw("/", `class="summary stuck"`)
	})
}

func TestStoppedManagerIsShownWithItsFinalStatistics(t *testing.T) {
	inBubble(t, func(h *harness) {
		h.submit("holder", treelock.Write("/a"))
		h.submit("waiter", treelock.Write("/a"))
		h.stop(errors.New("<shutting down>"))
		<-h.manager.Done()
		h.wantText("/", 503, "The manager has stopped", "the manager has stopped: <shutting down>",
			"1 held and 1 waited when it did", "granted 1", "in the inbox 0", "!Tree")
		h.wantText("/?below=/x", 503, "The manager has stopped")
		h.wantText("/?format=dot", 503, "stopped")
		var got struct {
			Error string
			Stats manager.Stats
		}
		answer := h.get("/?format=json")
		err := json.Unmarshal(answer.Body.Bytes(), &got)
		if err != nil || answer.Code != 503 || !strings.Contains(got.Error, "stopped") ||
			got.Stats.Granted != 1 || got.Stats.Waited != 1 {
			t.Errorf("as JSON: %d, %+v, %v, want 503 and the statistics", answer.Code, got, err)
		}
	})
}

func TestErrorsAreOneShortLine(t *testing.T) {
	inBubble(t, func(h *harness) {
		h.stop(errors.New("line\nbreak\r" + strings.Repeat("long\u202e", 100_000)))
		<-h.manager.Done()
		for _, query := range []string{"/?format=dot", "/?format=json", "/"} {
			body := h.get(query).Body.String()
			if len(body) > 60_000 || strings.ContainsAny(body, "\u202e\r") {
				t.Errorf("GET %s: %d bytes, want a short printable answer", query, len(body))
			}
		}
		text := h.get("/?format=dot").Body.String()
		if strings.Count(text, "\n") != 1 || !strings.Contains(text, `line\nbreak\r`) || len(text) > 6*maxFull {
			t.Errorf("the answer is %d bytes: %.200q, want one short line", len(text), text)
		}
	})
}

func TestManyViewersAreAnsweredAtOnce(t *testing.T) {
	inBubble(t, func(h *harness) {
		h.submit("", treelock.Write("/a"))
		h.submit("", treelock.Write("/a"))
		var viewers sync.WaitGroup
		for i := range 8 {
			viewers.Go(func() {
				for range 4 {
					h.submit("", treelock.Write("/a"))
					h.wantText("/?limit="+strconv.Itoa(i+1), 200, "the longest for")
					h.get("/?format=json")
					time.Sleep(time.Second)
				}
			})
		}
		viewers.Wait()
		h.wantText("/", 200, "33 requests wait")
	})
}

func TestRequestWhoseClientHasLeftIsNoPanic(t *testing.T) {
	inBubble(t, func(h *harness) {
		ctx, cancel := context.WithCancel(h.t.Context())
		cancel()
		answer := h.do(ctx, http.MethodGet, "/")
		text := textIn(answer.Body.String())
		if answer.Code != 503 || !strings.Contains(text, "no answer from the manager") {
			t.Errorf("%d, %s, want 503 and why", answer.Code, text)
		}
	})
}
