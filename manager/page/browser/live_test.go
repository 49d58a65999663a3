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

// newManager starts a manager that stops at the end of the test.
func newManager(t *testing.T) *manager.Manager[treelock.Path] {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	m := manager.Start(ctx)
	t.Cleanup(func() { cancel(); <-m.Done() })
	return m
}

// serve serves the page of m at an address like that of pprof. It calls before, if there is one,
// before each answer.
func serve(t *testing.T, m *manager.Manager[treelock.Path], before func()) (origin, url string) {
	t.Helper()
	handler := lockpage.Handler(m)
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/locks", func(w http.ResponseWriter, r *http.Request) {
		if before != nil {
			before()
		}
		handler.ServeHTTP(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL, server.URL + "/debug/locks"
}

// submit makes a request that holds, or waits, until the manager stops.
func submit(
	t *testing.T, m *manager.Manager[treelock.Path], label string, req treelock.Request[treelock.Path],
) {
	t.Helper()
	if _, err := m.Submit(t.Context(), req.Labeled(label)); err != nil {
		t.Fatal(err)
	}
}

func TestPageShowsANewWaiterAndKeepsWhatIsTyped(t *testing.T) {
	b, m := newTab(t), newManager(t)
	for i := range 40 { // more than fits into the window
		submit(t, m, fmt.Sprint("holder ", i), treelock.Write(treelock.PathOf("a", fmt.Sprint(i))))
	}
	origin, url := serve(t, m, nil)
	b.do(chromedp.EmulateViewport(800, 600), chromedp.Navigate(url), says("No request waits"),
		chromedp.SendKeys(chromedp.CSS("#below"), "/a/unfinished"),
		chromedp.Evaluate[chromedp.Void](`window.mark = "same document"; scrollTo(0, 300)`))
	submit(t, m, "rename 17", treelock.Write("/a/3"))
	b.do(says("waits for #4 “holder 3”"), says("rename 17"))
	for expression, want := range map[string]string{
		`document.querySelector("#below").value`: "/a/unfinished", `document.activeElement.id`: "below",
		`window.mark`: "same document", `String(scrollY)`: "300", `document.title`: "Locks: 1 wait",
		`document.querySelector("#status").textContent`: "live",
	} {
		b.wantString(expression, want)
	}
	b.wantClean(origin)
}

func TestPageSaysWhenItIsStaleAndRecovers(t *testing.T) {
	b := newTab(t)
	var down atomic.Bool
	_, url := serve(t, newManager(t), func() {
		if down.Load() {
			panic(http.ErrAbortHandler) // as if there were no server
		}
	})
	b.do(chromedp.Navigate(url), says("All quiet"))
	down.Store(true)
	b.do(until(`document.querySelector("#status.stale")?.textContent.startsWith("stale since ")`),
		visible("main.stale"))
	down.Store(false)
	b.do(visible("#status.live"), until(`!document.querySelector("main.stale")`))
}

func TestHiddenPageDoesNotRefresh(t *testing.T) {
	b, m := newTab(t), newManager(t)
	var fetches atomic.Int64
	_, url := serve(t, m, func() { fetches.Add(1) })
	b.do(chromedp.Navigate(url), says("All quiet"),
		chromedp.Evaluate[chromedp.Void](`window.pending = new Set();
			const start = setTimeout, stop = clearTimeout;
			window.setTimeout = (f, ms) => {
				const id = start(() => { pending.delete(id); f(); }, ms);
				if (ms === 2000) { // the test has other timers
					pending.add(id);
				}
				return id;
			};
			window.clearTimeout = (id) => { pending.delete(id); stop(id); };
			window.hide = (hidden) => {
				Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
				document.dispatchEvent(new Event("visibilitychange"));
			};`),
		until(`pending.size === 1 && (hide(true), window.left = pending.size, true)`),
		visible("#status.paused"))
	if left := eval[int](b, `window.left`); left != 0 {
		t.Error("a hidden page has a timer")
	}
	before := fetches.Load()
	submit(t, m, "holder", treelock.Write("/a"))
	b.do(chromedp.Evaluate[chromedp.Void](`hide(false)`), says("holder"), visible("#status.live"))
	if after := fetches.Load(); after != before+1 {
		t.Errorf("the page was fetched %d times, want once, when it became visible", after-before)
	}
}

func TestPageRefreshesWithoutScripts(t *testing.T) {
	b, fetches := newTab(t), make(chan struct{}, 100)
	_, url := serve(t, newManager(t), func() { fetches <- struct{}{} })
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled,
		emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(url))
	for fetch := range 3 {
		select {
		case <-fetches:
		case <-b.ctx.Done():
			t.Fatalf("the page was fetched %d times only: %v", fetch, context.Cause(b.ctx))
		}
	}
}

func TestFilterShowsAPartAndSaysWhatItRefuses(t *testing.T) {
	b, m := newTab(t), newManager(t)
	submit(t, m, "one", treelock.Write("/tenants/1/docs"))
	submit(t, m, "seventeen", treelock.Write("/tenants/17/docs"))
	origin, url := serve(t, m, nil)
	only := until(`!document.querySelector("#locks").innerText.includes("one")`)
	b.do(chromedp.Navigate(url), says("one"), says("seventeen"))
	b.follow(chromedp.SendKeys(chromedp.CSS("#below"), "/tenants/17\r"))
	b.do(says("seventeen"), only)
	b.follow(chromedp.Click(chromedp.CSS(".all")))
	b.do(says("one"), says("seventeen"))
	b.follow(chromedp.Click(chromedp.CSS(`.node a[href*="17"]`)))
	b.do(says("seventeen"), only)
	b.wantClean(origin)

	b.do(chromedp.Navigate(url+"?limit=0&below=tenants/17"), visible(".failure"), says(`limit "0": use a number`))
	b.do(chromedp.Navigate(url+"?below=tenants/17"), says("seventeen"), says("shown: below /tenants/17"), only)
	b.wantString(`document.querySelector("#below").value`, "tenants/17")
}

// hostile has labels and names that try to run code or to leave their place.
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
	b, m := newTab(t), newManager(t)
	for i, text := range hostile {
		node := treelock.PathOf("hostile", text, fmt.Sprint(i))
		submit(t, m, text, treelock.Write(node))
		submit(t, m, text, treelock.Write(node))
	}
	long := treelock.PathOf("long", strings.Repeat("<b>", 3_333))
	submit(t, m, strings.Repeat("ع", 50), treelock.Write(long))
	submit(t, m, strings.Repeat(`"`, 100), treelock.Write(long))

	origin, url := serve(t, m, nil)
	for _, d := range devices {
		b.do(chromedp.EmulateViewport(d.width, d.height), chromedp.Navigate(url), says("<script>window.pwned = 1</script>"))
		b.wantFits(d)
	}
	submit(t, m, "<b>one more</b>", treelock.Read("/other")) // shown by the script that refreshes
	b.do(says("<b>one more</b>"))
	b.wantString(`String(window.pwned)`, "undefined")
	for _, selector := range []string{
		"main script", "main img", "main b[onload]", "main svg[onload]", "main [onmouseover]", `a[href^="javascript"]`,
	} {
		if eval[bool](b, fmt.Sprintf(`document.querySelector(%q) !== null`, selector)) {
			t.Errorf("the page has a %s", selector)
		}
	}
	b.follow(chromedp.Click(chromedp.CSS(`.node a[href*="%3cscript"]`)))
	b.do(says("<script>window.pwned = 1</script>"))
	b.wantString(`String(window.pwned)`, "undefined")
	b.wantClean(origin)
}
