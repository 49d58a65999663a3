package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience is how long a tab has for what a test does with it.
const patience = 30 * time.Second

// The browser that all tests share; each has a tab of its own.
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

// find returns where Chromium is.
func find() (string, error) {
	names := []string{"chromium", "chromium-browser", "google-chrome"}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no browser: none of %q is in PATH: install one (in Debian: chromium, fonts-dejavu-core)", names)
}

func launch() {
	path, err := find()
	if err != nil {
		browser.err = err
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to run as root with one
	}
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, endBrowser := chromedp.NewContext(allocator)
	browser.ctx, browser.end = ctx, func() { endBrowser(); endAllocator() }
	if err := chromedp.Do(ctx); err != nil {
		browser.err = fmt.Errorf("%s does not start: %w", path, err)
	}
}

// newTab returns a tab that ends with the test, and a watch over it.
func newTab(t *testing.T) (context.Context, *watch) {
	t.Helper()
	browser.once.Do(launch)
	if browser.err != nil {
		if os.Getenv("TREELOCK_BROWSER") == "require" {
			t.Fatal(browser.err)
		}
		if browser.end == nil {
			t.Skip(browser.err)
		}
		t.Fatal(browser.err)
	}
	seen := new(watch)
	tab, end := chromedp.NewContext(browser.ctx, chromedp.WithListener(seen.on))
	t.Cleanup(end)
	do(t, tab) // the tab lives as long as the context of the first call
	tab, cancel := context.WithTimeout(tab, patience)
	t.Cleanup(cancel)
	listenForViolations(t, tab)
	return tab, seen
}

// do runs actions in a tab.
func do(t *testing.T, tab context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(tab, actions...); err != nil {
		t.Fatal(err)
	}
}

// ask returns what an action returns.
func ask[T any](t *testing.T, tab context.Context, action chromedp.Action[T]) T {
	t.Helper()
	answer, err := chromedp.Run(tab, action)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}
