package browser

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	lockpage "github.com/treelock/treelock/manager/page"
)

// A watch sees what happens in a tab.
type watch struct {
	mu         sync.Mutex
	complaints []string // of the browser, and in the console
	requests   []string // URLs
}

// on is told of each event.
func (w *watch) on(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		w.complaints = append(w.complaints, fmt.Sprintf("%s: %s", e.Entry.Level, e.Entry.Text))
	case *runtime.EventConsoleAPICalled:
		w.complaints = append(w.complaints, fmt.Sprintf("console: %s", e.Type))
	case *runtime.EventExceptionThrown:
		w.complaints = append(w.complaints, "exception: "+e.ExceptionDetails.Text)
	case *network.EventRequestWillBeSent:
		w.requests = append(w.requests, e.Request.URL)
	}
}

// listenForViolations lets each document of a tab note what its policy forbids.
func listenForViolations(t *testing.T, tab context.Context) {
	t.Helper()
	_, err := chromedp.Call(tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `window.violations = [];
			addEventListener("securitypolicyviolation", (e) => violations.push(e.violatedDirective + " " + e.blockedURI));`,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func violations(t *testing.T, tab context.Context) []string {
	t.Helper()
	return ask(t, tab, chromedp.Evaluate[[]string](`window.violations`))
}

// wantNothingBut checks that there were requests to one origin only, no complaints, and no violation of the page's policy.
func (w *watch) wantNothingBut(t *testing.T, tab context.Context, origin string) {
	t.Helper()
	for _, violation := range violations(t, tab) {
		t.Errorf("the page violates its policy: %s", violation)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, complaint := range w.complaints {
		t.Errorf("the browser complains: %s", complaint)
	}
	if len(w.requests) == 0 {
		t.Error("the watch has seen no request")
	}
	for _, url := range w.requests {
		if !strings.HasPrefix(url, origin+"/") && !strings.HasPrefix(url, "data:") {
			t.Errorf("the page asks %q", url)
		}
	}
}

// A watch that sees nothing would let everything pass.
func TestWatchSeesWhatThePolicyForbids(t *testing.T) {
	handler := lockpage.Handler(newManager(t))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		for name, values := range recorder.Header() {
			w.Header()[name] = values
		}
		w.Header().Del("Content-Length")
		fmt.Fprint(w, `<body><script>window.pwned = 1</script><img src="http://127.0.0.2/x" onerror="window.pwned = 1"><h2 style="color: red">x</h2>`)
	}))
	defer server.Close()
	tab, seen := newTab(t)
	do(t, tab, chromedp.Navigate(server.URL), visible("h2"))
	got := violations(t, tab)
	for _, want := range []string{"script-src-elem inline", "img-src http://127.0.0.2/x", "style-src-attr inline", "script-src-attr inline"} {
		if !slices.Contains(got, want) {
			t.Errorf("violations: %q, want %q among them", got, want)
		}
	}
	wantNotPwned(t, tab)
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if len(seen.complaints) == 0 {
		t.Error("the watch has heard no complaint")
	}
}

func wantNotPwned(t *testing.T, tab context.Context) {
	t.Helper()
	if got := ask(t, tab, chromedp.Evaluate[string](`String(window.pwned)`)); got != "undefined" {
		t.Errorf("window.pwned is %s: foreign code has run", got)
	}
}
