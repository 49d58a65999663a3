package page

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

type paths = manager.Manager[treelock.Path]

// A house has a manager, its page, and requests that are made by name.
type house struct {
	t       *testing.T
	manager *paths
	stop    context.CancelCauseFunc
	handler http.Handler
}

// inside runs a test in a bubble, where time passes at once, with a manager that ends with it.
func inside(t *testing.T, test func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		m := manager.Start(ctx, manager.WithMaxWaiting(5000))
		defer func() { cancel(nil); <-m.Done() }()
		test(&house{t, m, cancel, Handler(m)})
	})
}

// submit makes a request that holds, or waits, to the end of the test.
func (h *house) submit(label string, req treelock.Request[treelock.Path]) {
	h.t.Helper()
	if _, err := h.manager.Submit(h.t.Context(), req.Labeled(label)); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) get(target string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	h.handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, target, nil))
	return answer
}

var tags = regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>|<[^>]*>`)

// textIn returns what an HTML page says, in one line.
func textIn(page string) string {
	text := html.UnescapeString(tags.ReplaceAllString(page, " "))
	return strings.Join(strings.Fields(text), " ")
}

// wantText checks the status of a page, and what it says; what begins with "!" it must not say.
func (h *house) wantText(target string, status int, says ...string) {
	h.t.Helper()
	answer := h.get(target)
	if answer.Code != status {
		h.t.Errorf("GET %.100s: status %d, want %d", target, answer.Code, status)
	}
	text := textIn(answer.Body.String())
	for _, want := range says {
		if word, not := strings.CutPrefix(want, "!"); not == strings.Contains(text, word) {
			h.t.Errorf("GET %.100s: want %q in:\n%s", target, want, text)
		}
	}
}

func TestEveryAnswerHasTheHeaders(t *testing.T) {
	inside(t, func(h *house) {
		want := map[string]string{
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
			"Content-Security-Policy": fmt.Sprintf("default-src 'none'; script-src %s; style-src %s; img-src data:; connect-src 'self'; "+
				"form-action 'self'; base-uri 'none'; frame-ancestors 'none'", hashOf(pageJS), hashOf(pageCSS)),
		}
		check := func(target string, answer *httptest.ResponseRecorder, contentType string) {
			t.Helper()
			want["Content-Type"] = contentType
			got := make(map[string]string)
			for name := range want {
				got[name] = answer.Header().Get(name)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: headers: -want +got\n%s", target, diff)
			}
		}
		all := map[string]string{
			"/": typeHTML, "/?format=html": typeHTML, "/?format=json": typeJSON, "/?format=dot": typeDOT,
			"/?limit=x": typeHTML, "/?limit=x&format=json": typeJSON, "/?limit=x&format=dot": typeText, "/?format=x": typeHTML,
		}
		for target, contentType := range all {
			check(target, h.get(target), contentType)
		}
		answer := httptest.NewRecorder()
		h.handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/", nil))
		check("POST", answer, typeText)
		h.stop(nil)
		all["/?format=dot"] = typeText
		for target, contentType := range all {
			check("stopped, "+target, h.get(target), contentType)
		}
	})
}

// The hashes are of what stands in the page: else the browser would run nothing.
func TestPageHasTheScriptAndStyleThatItsPolicyAllows(t *testing.T) {
	inside(t, func(h *house) {
		body := h.get("/").Body.String()
		for _, part := range []string{"<style>" + pageCSS + "</style>", "<script>" + pageJS + "</script>"} {
			if !strings.Contains(body, part) {
				t.Errorf("the page does not have %.40s... as it is", part)
			}
		}
		if strings.Contains(body, "style=") || strings.Contains(pageHTML, " on") && regexp.MustCompile(` on[a-z]+=`).MatchString(pageHTML) {
			t.Error("the page has inline styles or handlers, which its policy forbids")
		}
	})
}

func TestPageCanOnlyBeRead(t *testing.T) {
	inside(t, func(h *house) {
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X"} {
			answer := httptest.NewRecorder()
			h.handler.ServeHTTP(answer, httptest.NewRequest(method, "/", nil))
			if answer.Code != http.StatusMethodNotAllowed || answer.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s: %d, Allow %q, want 405 and GET, HEAD", method, answer.Code, answer.Header().Get("Allow"))
			}
		}
		answer := httptest.NewRecorder()
		h.handler.ServeHTTP(answer, httptest.NewRequest(http.MethodHead, "/", nil))
		if answer.Code != http.StatusOK {
			t.Errorf("HEAD: %d, want 200", answer.Code)
		}
	})
}

func TestThreeStatesReadWell(t *testing.T) {
	inside(t, func(h *house) {
		zone, _ := time.Now().Zone()
		h.wantText("/", 200, "All quiet", "nothing is held, and nobody waits 00:00:00 "+zone, "As soon as there are requests", "!Tree", "granted 0")
		h.submit("rename 17", treelock.Write("/tenants/17"))
		h.wantText("/", 200, "Nobody waits", "1 request holds", "/tenants/17 1 holds write rename 17 #1 holds 0 ms", "!In the way")
		time.Sleep(3 * time.Second)
		h.submit("", treelock.ReadNode("/tenants/17/a"))
		time.Sleep(500 * time.Millisecond)
		h.wantText("/", 200, "1 request waits", "the longest for 500 ms; 1 holds", "holds up 1 rename 17 #1",
			"read-node #2 waits 500 ms waits for #1 “rename 17”", "!jammed")
		for i := range 22 {
			time.Sleep(time.Second)
			h.submit(fmt.Sprint("save ", i), treelock.Write("/tenants/17/a"))
		}
		time.Sleep(4 * time.Minute)
		h.wantText("/", 200, "23 requests wait", "the longest for 4 min 22 s; 1 holds", "23 held up", "rename 17 #1 holds for 4 min 25 s",
			"holding up 23 requests, the first for 4 min 22 s", "13 more wait, for less long",
			"write save 21 #24 waits 4 min 00 s waits for #1 “rename 17” and 22 more")
		if page := h.get("/").Body.String(); !strings.Contains(page, `class="summary jammed"`) {
			t.Error("the page of a stuck manager does not look so")
		}
	})
}

func TestFilterShowsWhatReachesTheNode(t *testing.T) {
	inside(t, func(h *house) {
		h.submit("one", treelock.Write("/t/1"))
		h.submit("seventeen", treelock.Write("/t/17/a"))
		h.submit("both", treelock.Write("/t/17/b", "/u"))
		h.submit("elsewhere", treelock.Write("/u"))
		h.submit("late", treelock.Write("/u/x", "/t/17/c"))
		h.wantText("/?below=/t/17", 200, "seventeen", "both", "!elsewhere", "!one", "1 request waits", "holding up 1 or more", "Locks below /t/17: 1 wait")
		h.wantText("/?below=%2Ft%2f17%2Fa", 200, "seventeen", "!both", "Nobody waits")
		h.wantText("/?below=/t/2", 200, "Nothing here", "!Tree")
		h.wantText("/?below=", 200, "seventeen", "one")
		h.wantText("/?below=/t/17/c", 200, "late", "waits for requests that are not shown here")
		if page := h.get("/?below=/t/17").Body.String(); !strings.Contains(page, `value="/t/17"`) || !strings.Contains(page, `href="?below=%2ft%2f17%2fa"`) {
			t.Errorf("the filter, or the link to a node, is not there:\n%s", page)
		}
	})
}

func TestBadQueryIsRefusedWithItsReason(t *testing.T) {
	inside(t, func(h *house) {
		for query, want := range map[string]string{
			"below=/" + strings.Repeat("a/", 8000) + "a": "too many ancestors",
			"below=/a&below=/b":                          "the query has more than one below",
			"limit=1&limit=x":                            "the query has more than one limit",
			"below=%zz":                                  "the query cannot be read",
			"limit=0":                                    `limit "0": use a number from 1 to 2000`,
			"limit=-1":                                   `limit "-1": use`,
			"limit=2001":                                 `limit "2001": use`,
			"limit=x%0ay":                                `limit "x\ny": use`,
			"format=xml":                                 `format "xml": use html, json or dot`,
		} {
			h.wantText("/?"+query, 400, "Nothing can be shown", want)
			if strings.HasPrefix(query, "format") {
				continue
			}
			answer := h.get("/?format=json&" + query)
			var got struct{ Error string }
			if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || answer.Code != 400 || !strings.Contains(got.Error, want) {
				t.Errorf("as JSON, %.40s: %d, %q, %v, want 400 and %q", query, answer.Code, got.Error, err, want)
			}
		}
	})
}

// A node that the manager refuses is the viewer's mistake, whatever is wrong with it.
func TestRefusedNodeIsABadQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := manager.Start(ctx, manager.WithMaxPath(100))
		defer func() { cancel(); <-m.Done() }()
		(&house{t: t, handler: Handler(m)}).wantText("/?below=/"+strings.Repeat("a", 200), 400, "a path is too long")
		raw := func(s string) (treelock.Path, error) { return treelock.Path(s), nil }
		(&house{t: t, handler: HandlerNodes(m, raw)}).wantText("/?below=a", 400, `it must start with "/"`)
	})
}

func TestWhatIsCutIsCounted(t *testing.T) {
	inside(t, func(h *house) {
		for i := range 300 {
			h.submit("", treelock.Write(treelock.PathOf("held", fmt.Sprint(i))))
		}
		for range 100 {
			h.submit("", treelock.Write("/held/299"))
		}
		h.wantText("/", 200, "200 more requests not shown", "#300 holds 0 ms holding up 100")
		h.wantText("/?limit=10", 200, "390 more requests not shown", "holding up 100")
		if page := h.get("/?limit=10&below=/held").Body.String(); !strings.Contains(page, `<input type="hidden" name="limit" value="10">`) ||
			!strings.Contains(page, `href="?format=json&amp;below=%2fheld&amp;limit=10"`) {
			t.Errorf("the form or the links forget the limit:\n%s", page)
		}
		h.wantText("/?limit=399", 200, "1 more request not shown")
		h.wantText("/?limit=400", 200, "!not shown")
		for i := range 2000 {
			h.submit("", treelock.Write(treelock.PathOf("more", fmt.Sprint(i))))
		}
		h.wantText("/?limit=1", 200, "2,399 more requests not shown", "2,300 hold")
		h.wantText("/?limit=2000", 200, "400 more requests not shown", "holds up 100+ #300")
		if got := strings.Count(h.get("/").Body.String(), `class="request`); got != 200 {
			t.Errorf("%d requests are shown, want 200", got)
		}
		h.wantText("/?below=/", 200, "100 requests or more wait", "1,900 or more hold")
		many := make([]treelock.Path, 1000)
		for i := range many {
			many[i] = treelock.PathOf("many", fmt.Sprint(i))
		}
		h.submit("big", treelock.Read(many...))
		h.wantText("/?below=/many", 200, "big #2401 and 992 more claims")
		if got := strings.Count(h.get("/?below=/many").Body.String(), `class="request`); got != mostClaims {
			t.Errorf("%d of the claims of a request are shown, want %d", got, mostClaims)
		}
	})
}
