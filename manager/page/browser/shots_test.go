package browser

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestScenes looks at each scene on a desktop and on a phone.
func TestScenes(t *testing.T) {
	for name, play := range scenes {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(record(t, play))
			defer server.Close()
			tab := newTab(t)
			for device, size := range map[string][2]int64{"desktop": {1280, 900}, "phone": {390, 844}} {
				do(t, tab, chromedp.EmulateViewport(size[0], size[1]), chromedp.Navigate(server.URL), chromedp.WaitVisible(chromedp.CSS("#locks")))
				shoot(t, tab, name+"-"+device)
			}
		})
	}
}

// shoot writes a screenshot, if that was asked for.
func shoot(t *testing.T, tab context.Context, name string) {
	t.Helper()
	dir := os.Getenv("TREELOCK_SHOTS")
	if dir == "" {
		return
	}
	png := ask(t, tab, chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o666); err != nil {
		t.Fatal(err)
	}
}
