package browser

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	lockpage "github.com/treelock/treelock/manager/page"
)

// tabTimeout is how long a test may use its tab.
const tabTimeout = 30 * time.Second

// browser is shared by all tests. Each test has a tab of its own.
var browser struct {
	once sync.Once
	ctx  context.Context
	end  func()
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if browser.end != nil {
		browser.end()
	}
	os.Exit(code)
}

func launch() {
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		browser.err = errors.New("no browser in PATH: install one (in Debian: chromium, fonts-dejavu-core)")
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium has no sandbox for root
	}
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, endBrowser := chromedp.NewContext(allocator)
	browser.ctx, browser.end = ctx, func() { endBrowser(); endAllocator() }
	if err := chromedp.Do(ctx); err != nil {
		browser.err = fmt.Errorf("%s does not start: %w", path, err)
	}
}

// A tab is a tab of the browser, with the events in it.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	errors   []string // of the browser and in the console
	requests []string // URLs
}

// newTab returns a tab that ends with the test. It skips the test unless the browser is required.
func newTab(t *testing.T) *tab {
	t.Helper()
	if os.Getenv("TREELOCK_BROWSER") != "require" {
		t.Skip("the tests in a browser run only with TREELOCK_BROWSER=require, as in .ci/run")
	}
	browser.once.Do(launch)
	if browser.err != nil {
		t.Fatal(browser.err)
	}
	b := &tab{t: t}
	ctx, end := chromedp.NewContext(browser.ctx, chromedp.WithListener(b.on))
	t.Cleanup(end)
	b.ctx = ctx
	b.do() // the first call decides how long the tab lives
	ctx, cancel := context.WithTimeout(ctx, tabTimeout)
	t.Cleanup(cancel)
	b.ctx = ctx
	const source = `window.violations = []; addEventListener("securitypolicyviolation",
		(e) => violations.push(e.violatedDirective + " " + e.blockedURI));`
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument,
		page.AddScriptToEvaluateOnNewDocumentParams{Source: source}); err != nil {
		t.Fatal(err)
	}
	return b
}

// on records an event.
func (b *tab) on(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		b.errors = append(b.errors, fmt.Sprintf("%s: %s", e.Entry.Level, e.Entry.Text))
	case *runtime.EventConsoleAPICalled:
		b.errors = append(b.errors, fmt.Sprintf("console: %s", e.Type))
	case *runtime.EventExceptionThrown:
		b.errors = append(b.errors, "exception: "+e.ExceptionDetails.Text)
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

// do runs actions.
func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// follow runs an action that leads to another page, and waits for that page.
func (b *tab) follow(action chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.ctx, action); err != nil {
		b.t.Fatal(err)
	}
}

// eval returns the value of an expression in JavaScript.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatal(err)
	}
	return value
}

// wantString checks the value of an expression.
func (b *tab) wantString(expression, want string) {
	b.t.Helper()
	if got := eval[string](b, expression); got != want {
		b.t.Errorf("%s is %q, want %q", expression, got, want)
	}
}

// wantClean checks that the tab has requests to one origin only, no errors, and no violation of the
// page's policy.
func (b *tab) wantClean(origin string) {
	b.t.Helper()
	for _, violation := range eval[[]string](b, `violations`) {
		b.t.Errorf("the page violates its policy: %s", violation)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, text := range b.errors {
		b.t.Errorf("the browser reports: %s", text)
	}
	if len(b.requests) == 0 {
		b.t.Error("the tab has recorded no request")
	}
	for _, url := range b.requests {
		if !strings.HasPrefix(url, origin+"/") && !strings.HasPrefix(url, "data:") {
			b.t.Errorf("the page requests %q", url)
		}
	}
}

// until waits for a condition in JavaScript.
func until(condition string) chromedp.Action[chromedp.Void] {
	return chromedp.Poll[chromedp.Void](condition)
}

// says waits until the main part of the page contains text.
func says(text string) chromedp.Action[chromedp.Void] {
	return until(fmt.Sprintf(`document.querySelector("#locks").innerText.includes(%q)`, text))
}

func visible(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.WaitVisible(chromedp.CSS(selector))
}

// Otherwise wantClean could pass for any page.
func TestTabRecordsWhatThePolicyForbids(t *testing.T) {
	b := newTab(t)
	handler := lockpage.Handler(newManager(t))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		for name, values := range recorder.Header() {
			w.Header()[name] = values
		}
		w.Header().Del("Content-Length")
		fmt.Fprint(w, `<body><script>window.pwned = 1</script>`+
			`<img src="http://127.0.0.2/x" onerror="window.pwned = 1"><h2 style="color: red">x</h2>`)
	}))
	defer server.Close()
	b.do(chromedp.Navigate(server.URL), visible("h2"))
	got := eval[[]string](b, `violations`)
	for _, want := range []string{
		"script-src-elem inline", "img-src http://127.0.0.2/x", "style-src-attr inline", "script-src-attr inline",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("violations: %q, want %q among them", got, want)
		}
	}
	b.wantString(`String(window.pwned)`, "undefined")
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.errors) == 0 {
		t.Error("the tab has recorded no error")
	}
}
