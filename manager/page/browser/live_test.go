package browser

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
	lockpage "github.com/treelock/treelock/manager/page"
)

// newManager starts a manager that ends with the test.
func newManager(t *testing.T) *manager.Manager[treelock.Path] {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	m := manager.Start(ctx)
	t.Cleanup(func() { cancel(); <-m.Done() })
	return m
}

// mount serves the page of m where pprof's neighbours live.
func mount(t *testing.T, m *manager.Manager[treelock.Path]) (server *httptest.Server, url string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/debug/locks", lockpage.Handler(m))
	server = httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server, server.URL + "/debug/locks"
}

// submit makes a request that holds, or waits, until the manager stops.
func submit(t *testing.T, m *manager.Manager[treelock.Path], label string, req treelock.Request[treelock.Path]) {
	t.Helper()
	if _, err := m.Submit(t.Context(), req.Labeled(label)); err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition in JavaScript.
func until(condition string) chromedp.Action[chromedp.Void] {
	return chromedp.Poll[chromedp.Void](condition)
}

// says waits until the main part has a text in it.
func says(text string) chromedp.Action[chromedp.Void] {
	return until(fmt.Sprintf(`document.querySelector("#locks").innerText.includes(%q)`, text))
}

func TestPageShowsANewWaiterByItselfAndKeepsWhatIsTyped(t *testing.T) {
	m := newManager(t)
	for i := range 40 { // more than fits into the window
		submit(t, m, fmt.Sprint("holder ", i), treelock.Write(treelock.PathOf("a", fmt.Sprint(i))))
	}
	server, url := mount(t, m)
	tab, seen := newTab(t)
	do(t, tab, chromedp.EmulateViewport(800, 600), chromedp.Navigate(url), says("Nobody waits"),
		chromedp.SendKeys(chromedp.CSS("#below"), "/a/unfinished"),
		chromedp.Evaluate[chromedp.Void](`window.mark = "same document"; scrollTo(0, 300)`))
	submit(t, m, "rename 17", treelock.Write("/a/3"))
	do(t, tab, says("waits for #4 “holder 3”"), says("rename 17"))
	for expression, want := range map[string]string{
		`document.querySelector("#below").value`:        "/a/unfinished",
		`document.activeElement.id`:                     "below",
		`window.mark`:                                   "same document",
		`String(scrollY)`:                               "300",
		`document.title`:                                "Locks: 1 wait",
		`document.querySelector("#status").textContent`: "live",
	} {
		if got := ask(t, tab, chromedp.Evaluate[string](expression)); got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}
	seen.wantNothingBut(t, tab, server.URL)
}

func TestPageSaysSinceWhenItIsStaleAndComesBack(t *testing.T) {
	m := newManager(t)
	var gone atomic.Bool
	page := lockpage.Handler(m)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if gone.Load() {
			panic(http.ErrAbortHandler) // as if there were no server
		}
		page.ServeHTTP(w, r)
	}))
	defer server.Close()
	tab, _ := newTab(t)
	do(t, tab, chromedp.Navigate(server.URL), says("All quiet"))
	gone.Store(true)
	do(t, tab, until(`document.querySelector("#status.stale")?.textContent.startsWith("stale since ")`), visible("main.stale"))
	gone.Store(false)
	do(t, tab, visible("#status.live"), until(`!document.querySelector("main.stale")`))
}

func TestHiddenPageRests(t *testing.T) {
	m := newManager(t)
	var looks atomic.Int64
	page := lockpage.Handler(m)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		looks.Add(1)
		page.ServeHTTP(w, r)
	}))
	defer server.Close()
	tab, _ := newTab(t)
	do(t, tab, chromedp.Navigate(server.URL), says("All quiet"),
		chromedp.Evaluate[chromedp.Void](`window.pending = new Set();
			const start = setTimeout, stop = clearTimeout;
			window.setTimeout = (f, ms) => {
				const id = start(() => { pending.delete(id); f(); }, ms);
				if (ms === 2000) { // others are the test's own
					pending.add(id);
				}
				return id;
			};
			window.clearTimeout = (id) => { pending.delete(id); stop(id); };
			window.hide = (hidden) => {
				Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
				document.dispatchEvent(new Event("visibilitychange"));
			};`),
		// Between two looks.
		until(`pending.size === 1 && (hide(true), window.left = pending.size, true)`), visible("#status.paused"))
	if left := ask(t, tab, chromedp.Evaluate[int](`window.left`)); left != 0 {
		t.Error("a hidden page goes on to look")
	}
	before := looks.Load()
	submit(t, m, "holder", treelock.Write("/a"))
	do(t, tab, chromedp.Evaluate[chromedp.Void](`hide(false)`), says("holder"), visible("#status.live"))
	if after := looks.Load(); after != before+1 {
		t.Errorf("the page looked %d times, want once, when it could be seen again", after-before)
	}
}

func TestWithoutScriptsThePageRefreshesToo(t *testing.T) {
	m := newManager(t)
	looks := make(chan struct{}, 100)
	page := lockpage.Handler(m)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page.ServeHTTP(w, r)
		looks <- struct{}{}
	}))
	defer server.Close()
	tab, _ := newTab(t)
	if _, err := chromedp.Call(tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	do(t, tab, chromedp.Navigate(server.URL))
	for look := range 3 {
		select {
		case <-looks:
		case <-tab.Done():
			t.Fatalf("the page was looked at %d times only: %v", look, context.Cause(tab))
		}
	}
}

func TestFilterShowsAPartAndSaysWhatItRefuses(t *testing.T) {
	m := newManager(t)
	submit(t, m, "one", treelock.Write("/tenants/1/docs"))
	submit(t, m, "seventeen", treelock.Write("/tenants/17/docs"))
	server, url := mount(t, m)
	tab, seen := newTab(t)
	only := until(`!document.querySelector("#locks").innerText.includes("one")`)
	do(t, tab, chromedp.Navigate(url), says("one"), says("seventeen"))
	follow(t, tab, chromedp.SendKeys(chromedp.CSS("#below"), "/tenants/17\r"))
	do(t, tab, says("seventeen"), only)
	follow(t, tab, chromedp.Click(chromedp.CSS(".all")))
	do(t, tab, says("one"), says("seventeen"))
	follow(t, tab, chromedp.Click(chromedp.CSS(`.node a[href*="17"]`)))
	do(t, tab, says("seventeen"), only)
	seen.wantNothingBut(t, tab, server.URL)

	do(t, tab, chromedp.Navigate(url+"?below=tenants/17"), says("seventeen"), says("shown: below /tenants/17"), only)
	do(t, tab, chromedp.Navigate(url+"?limit=0&below=tenants/17"), visible(".failure"), says(`limit "0": use a number`))
	do(t, tab, chromedp.Navigate(url+"?below=tenants/17"), says("shown: below /tenants/17"))
	if got := ask(t, tab, chromedp.Value(chromedp.CSS("#below"))); got != "tenants/17" {
		t.Errorf("the filter holds %q, want what was typed", got)
	}
}

// follow does what leads to another page, and waits for that.
func follow(t *testing.T, tab context.Context, step chromedp.Action[chromedp.Void]) {
	t.Helper()
	if _, err := chromedp.RunResponse(tab, step); err != nil {
		t.Fatal(err)
	}
}

// hostile is what people may try with labels and names.
var hostile = []string{
	`<script>window.pwned = 1</script>`,
	`</script><script>window.pwned = 1</script>`,
	`<img src=x onerror="window.pwned = 1">`,
	`"><svg onload=window.pwned=1>`,
	`' onmouseover='window.pwned = 1' x='`,
	`</title></style></main><script>window.pwned=1</script>`,
	`javascript:window.pwned=1`,
	"line\nbreak\r\n\x00\x1b[31m",
	"\u202egnp.exe \u2066\u200b",
	"not UTF-8: \xff\xfe\xc0\x80",
	"{{.Label}}${window.pwned=1}",
	strings.Repeat("W", 100),
}

func TestHostileNamesDoNothing(t *testing.T) {
	m := newManager(t)
	for i, text := range hostile {
		node := treelock.PathOf("hostile", text, fmt.Sprint(i))
		submit(t, m, text, treelock.Write(node))
		submit(t, m, text, treelock.Write(node))
	}
	long := treelock.PathOf("long", strings.Repeat("<b>", 3_333))
	submit(t, m, strings.Repeat("ع", 50), treelock.Write(long))
	submit(t, m, strings.Repeat(`"`, 100), treelock.Write(long))

	server, url := mount(t, m)
	tab, seen := newTab(t)
	for _, d := range devices {
		do(t, tab, chromedp.EmulateViewport(d.width, d.height), chromedp.Navigate(url), says("<script>window.pwned = 1</script>"))
		wantNoScrollSideways(t, tab, d)
	}
	shoot(t, tab, "hostile")
	// Through the script that refreshes the page, and through the filter.
	submit(t, m, "<b>one more</b>", treelock.Read("/other"))
	do(t, tab, says("<b>one more</b>"))
	wantNotPwned(t, tab)
	for _, selector := range []string{"main script", "main img", "main b[onload]", "main svg[onload]", "main [onmouseover]", `a[href^="javascript"]`} {
		if found := ask(t, tab, chromedp.Evaluate[bool](fmt.Sprintf(`document.querySelector(%q) !== null`, selector))); found {
			t.Errorf("there is a %s in the page", selector)
		}
	}
	follow(t, tab, chromedp.Click(chromedp.CSS(`.node a[href*="%3cscript"]`)))
	do(t, tab, says("<script>window.pwned = 1</script>"))
	wantNotPwned(t, tab)
	seen.wantNothingBut(t, tab, server.URL)
}
