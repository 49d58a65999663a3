package page

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
)

func TestPeakIsRightWithinASecond(t *testing.T) {
	inside(t, func(h *house) {
		h.submit("", treelock.Write("/a"))
		h.submit("", treelock.Write("/a"))
		h.wantText("/", 200, "1 waiting peak 1", "2 live peak 2")
		time.Sleep(tick / 2)
		for range 5 {
			h.submit("", treelock.Write("/a"))
		}
		h.wantText("/", 200, "6 waiting peak 6", "7 live peak 7")
	})
}

func TestFilterTakesWhatAPersonTypes(t *testing.T) {
	inside(t, func(h *house) {
		h.submit("mine", treelock.Write("/photos/2024"))
		h.submit("other", treelock.Write("/videos"))
		for _, typed := range []string{"photos", "/photos/", "photos/", "//photos", "/x/../photos", "./photos"} {
			h.wantText("/?below="+typed, 200, "mine", "!other", "shown: below /photos", "Locks below /photos: 1 hold")
			if body := h.get("/?format=json&below=" + typed).Body.String(); !strings.Contains(body, `"below": "/photos"`) {
				t.Errorf("below=%s: the JSON does not say what it shows", typed)
			}
			if body := h.get("/?format=dot&below=" + typed).Body.String(); !strings.Contains(body, `label="below /photos"`) {
				t.Errorf("below=%s: the graph does not say what it shows", typed)
			}
		}
		h.wantText("/?below=/photos", 200, "mine", "!shown:")
	})
}

func TestStuckPageSaysHowLongTheLongestHasWaited(t *testing.T) {
	inside(t, func(h *house) {
		h.submit("", treelock.Write("/a"))
		h.submit("", treelock.Write("/a"))
		time.Sleep(3 * time.Minute)
		h.wantText("/", 200, "1 granted so far", "3 min 00 s longest wait now")
		time.Sleep(2 * time.Second)
		h.wantText("/", 200, "0 /s grants", "3 min 02 s longest wait now")
		h.submit("", treelock.Write("/b"))
		time.Sleep(2 * time.Second)
		h.wantText("/", 200, "0.5 /s grants peak 0.5/s")
		time.Sleep(time.Minute)
		h.wantText("/", 200, "2 granted so far peak 0.5/s")
	})
}

// Beside the longest wait there is the highest percentile of those that were over.
func TestPeakOfWaitsIsNamed(t *testing.T) {
	inside(t, func(h *house) {
		h.get("/")
		grant, err := h.manager.Acquire(h.t.Context(), treelock.Write("/a"))
		if err != nil {
			t.Fatal(err)
		}
		h.submit("", treelock.Write("/a"))
		h.submit("", treelock.Write("/a"))
		time.Sleep(3 * time.Second)
		grant.Release()
		synctest.Wait()
		h.wantText("/", 200, "< 4.2 s p99 wait peak p99 < 4.2 s")
		time.Sleep(3 * time.Second)
		h.wantText("/", 200, "6.0 s longest wait now peak p99 < 4.2 s")
	})
}

func TestLinksToOtherFormatsStandInTheHeader(t *testing.T) {
	inside(t, func(h *house) {
		page := h.get("/?below=/a&limit=7").Body.String()
		header := page[strings.Index(page, "<header>"):strings.Index(page, "</header>")]
		for _, want := range []string{`href="?format=json&amp;below=%2fa&amp;limit=7"`, `href="?format=dot&amp;below=%2fa&amp;limit=7"`} {
			if !strings.Contains(header, want) {
				t.Errorf("%s is not in the header:\n%s", want, header)
			}
		}
	})
}

// Whatever an error says, its answer is one line, and short.
func TestErrorsAreOneShortLine(t *testing.T) {
	inside(t, func(h *house) {
		h.stop(errors.New("line\nbreak\r" + strings.Repeat("long\u202e", 100_000)))
		<-h.manager.Done()
		text := h.get("/?format=dot").Body.String()
		if strings.Count(text, "\n") != 1 || strings.Contains(text, "\r") || len(text) > 6*longest || !strings.Contains(text, `line\nbreak\r`) {
			t.Errorf("the answer is %d bytes: %.200q", len(text), text)
		}
		for _, query := range []string{"/?format=json", "/"} {
			if body := h.get(query).Body.String(); len(body) > 60_000 || strings.Contains(body, "\u202e") {
				t.Errorf("GET %s: %d bytes", query, len(body))
			}
		}
	})
}
