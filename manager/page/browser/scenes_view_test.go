package browser

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A device is a size of the window.
type device struct {
	name          string
	width, height int64
}

var devices = []device{{"desktop", 1280, 900}, {"phone", 390, 844}, {"small-phone", 360, 740}}

// Each scene fits every device, in the light and in the dark, and asks for nothing that the page does not allow itself.
func TestScenes(t *testing.T) {
	for name, play := range scenes {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(record(t, play))
			defer server.Close()
			tab, seen := newTab(t)
			for _, d := range devices {
				do(t, tab, chromedp.EmulateViewport(d.width, d.height), chromedp.Navigate(server.URL), visible("#locks h2"))
				wantNoScrollSideways(t, tab, d)
				shoot(t, tab, name+"-"+d.name)
			}
			wantScheme(t, tab, "dark", true)
			shoot(t, tab, name+"-dark")
			wantScheme(t, tab, "light", false)
			seen.wantNothingBut(t, tab, server.URL)
		})
	}
}

// The picture in the README.
func TestPicture(t *testing.T) {
	if os.Getenv("TREELOCK_SHOTS") == "" {
		t.Skip("TREELOCK_SHOTS=DIR makes the picture")
	}
	server := httptest.NewServer(record(t, picture))
	defer server.Close()
	tab, _ := newTab(t)
	do(t, tab, chromedp.EmulateViewport(1200, 1300), chromedp.Navigate(server.URL), visible("#locks h2"))
	shoot(t, tab, "page")
}

func visible(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.WaitVisible(chromedp.CSS(selector))
}

func wantNoScrollSideways(t *testing.T, tab context.Context, d device) {
	t.Helper()
	if width := ask(t, tab, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); width > d.width {
		t.Errorf("the page is %d pixels wide in a window of %d", width, d.width)
	}
}

// wantScheme lets the device prefer a colour scheme, and checks that the page follows, with text that can be read.
func wantScheme(t *testing.T, tab context.Context, scheme string, dark bool) {
	t.Helper()
	_, err := chromedp.Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		t.Fatal(err)
	}
	const light = `(property) => {
		const [r, g, b] = getComputedStyle(document.body)[property].match(/[0-9]+/g).map(Number);
		return (r + g + b) / 3 / 255;
	}`
	ground := ask(t, tab, chromedp.Evaluate[float64](`(`+light+`)("backgroundColor")`))
	ink := ask(t, tab, chromedp.Evaluate[float64](`(`+light+`)("color")`))
	if ground < 0.2 != dark || ground > 0.8 == dark || ink > 0.8 != dark {
		t.Errorf("prefers-color-scheme: %s: the ground is %.2f, the text %.2f", scheme, ground, ink)
	}
}

// shoot writes a screenshot, if that was asked for.
func shoot(t *testing.T, tab context.Context, name string) {
	t.Helper()
	dir := os.Getenv("TREELOCK_SHOTS")
	if dir == "" {
		return
	}
	shot, err := png.Decode(bytes.NewReader(ask(t, tab, chromedp.CaptureScreenshot())))
	if err != nil {
		t.Fatal(err)
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, reduce(shot)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), small.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// reduce returns shot with its 256 most frequent colours, which makes a file of a third of the size.
func reduce(shot image.Image) image.Image {
	area := shot.Bounds()
	counts := make(map[color.Color]int)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			counts[shot.At(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(counts), func(a, b color.Color) int { return counts[b] - counts[a] })
	reduced := image.NewPaletted(area, color.Palette(colours[:min(256, len(colours))]))
	nearest := make(map[color.Color]uint8)
	for _, c := range colours {
		nearest[c] = uint8(reduced.Palette.Index(c))
	}
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			reduced.SetColorIndex(x, y, nearest[shot.At(x, y)])
		}
	}
	return reduced
}
