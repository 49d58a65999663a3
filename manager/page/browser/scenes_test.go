package browser

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
	lockpage "github.com/treelock/treelock/manager/page"
)

// A scene has a manager and its clients, in a synctest bubble, where minutes pass at once.
type scene struct {
	t       *testing.T
	ctx     context.Context
	manager *manager.Manager[treelock.Path]
	handler http.Handler
	clients sync.WaitGroup
}

var scenes = map[string]func(s *scene){"idle": idle, "busy": busy, "stuck": stuck}

// play plays a scene and returns the page at its end. The bubble has ended by then, so the browser
// gets a recording.
func play(t *testing.T, script func(s *scene)) (recorded http.Handler) {
	t.Helper()
	answer := httptest.NewRecorder()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := manager.Start(ctx)
		s := &scene{t: t, ctx: ctx, manager: m, handler: lockpage.Handler(m)}
		defer func() { cancel(); <-m.Done(); s.clients.Wait() }()
		script(s)
		s.handler.ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// pass lets time pass while a viewer has the page open.
func (s *scene) pass(d time.Duration) {
	for ; d > 0; d -= 2 * time.Second {
		time.Sleep(min(d, 2*time.Second))
		s.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	}
}

// submit makes a request that holds, or waits, until the end of the scene.
func (s *scene) submit(label string, req treelock.Request[treelock.Path]) {
	s.t.Helper()
	submit(s.t, s.manager, label, req)
}

// work starts clients that write and read a few documents again and again.
func (s *scene) work(clients int) {
	for client := range clients {
		s.clients.Go(func() {
			for i := client; s.ctx.Err() == nil; i++ {
				document := treelock.PathOf("tenants", fmt.Sprint(1+i%3), "docs", fmt.Sprint("report-", i*7%5))
				req := treelock.Read(document).Labeled(fmt.Sprint("show ", i))
				if i%3 == 0 {
					req = treelock.Write(document).Labeled(fmt.Sprint("save ", i))
				}
				grant, err := s.manager.Acquire(s.ctx, req)
				if err != nil {
					return
				}
				time.Sleep(time.Duration(20+i*37%90) * time.Millisecond * time.Duration(1+i/400%3))
				grant.Release()
			}
		})
	}
}

func idle(s *scene) { s.pass(20 * time.Second) }

func busy(s *scene) {
	s.work(6)
	s.pass(30 * time.Second)
	s.work(12)
	s.pass(30 * time.Second)
	s.submit("rename 2024 → 2025", treelock.Write("/tenants/4/docs/2024", "/tenants/4/docs/2025"))
	s.submit("list tenant 4", treelock.Read("/tenants/4"))
	s.submit("settings", treelock.ReadNode("/config"))
	s.pass(1500 * time.Millisecond)
}

// stuck is the scene of the picture in the README.
func stuck(s *scene) {
	s.work(14)
	s.pass(70 * time.Second)
	s.submit("nightly export", treelock.Read("/tenants/17").Write("/exports/17"))
	s.pass(10 * time.Second)
	for i := range 23 {
		document := treelock.PathOf("tenants", "17", "docs", fmt.Sprint("invoice-", 100+i%3))
		s.submit(fmt.Sprint("save ", i), treelock.Write(document))
		s.pass(time.Duration(3+i%6) * time.Second)
	}
	s.pass(110 * time.Second)
}

// A device is a size of the window.
type device struct {
	name          string
	width, height int64
}

var devices = []device{{"desktop", 1280, 900}, {"phone", 390, 844}, {"small-phone", 360, 740}}

func TestScenesFitEveryDeviceAndColorScheme(t *testing.T) {
	for name, script := range scenes {
		t.Run(name, func(t *testing.T) {
			b, server := newTab(t), httptest.NewServer(play(t, script))
			defer server.Close()
			for _, d := range append(devices, device{"picture", 1200, 1300}) {
				b.do(chromedp.EmulateViewport(d.width, d.height), chromedp.Navigate(server.URL), visible("#locks h2"))
				b.wantFits(d)
				b.shoot(name + "-" + d.name)
			}
			b.wantScheme("dark", true)
			b.shoot(name + "-dark")
			b.wantScheme("light", false)
			b.wantClean(server.URL)
		})
	}
}

// wantFits checks that the page does not scroll sideways.
func (b *tab) wantFits(d device) {
	b.t.Helper()
	if width := eval[int64](b, `document.documentElement.scrollWidth`); width > d.width {
		b.t.Errorf("%s: the page is %d pixels wide in a window of %d", d.name, width, d.width)
	}
}

// wantScheme checks that the page follows the preferred color scheme, with readable text.
func (b *tab) wantScheme(scheme string, dark bool) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	const lightness = `((property) => {
		const [r, g, b] = getComputedStyle(document.body)[property].match(/[0-9]+/g).map(Number);
		return (r + g + b) / 3 / 255;
	})`
	ground := eval[float64](b, lightness+`("backgroundColor")`)
	text := eval[float64](b, lightness+`("color")`)
	if ground < 0.2 != dark || ground > 0.8 == dark || text > 0.8 != dark {
		b.t.Errorf("prefers-color-scheme: %s: the background is %.2f, the text %.2f", scheme, ground, text)
	}
}

// shoot writes a screenshot if TREELOCK_SHOTS is set.
func (b *tab) shoot(name string) {
	b.t.Helper()
	dir := os.Getenv("TREELOCK_SHOTS")
	if dir == "" {
		return
	}
	shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), shot, 0o666)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}
