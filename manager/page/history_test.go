package page

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

func TestHistoryIsBounded(t *testing.T) {
	var h history
	at := time.Unix(0, 0)
	for range 10_000 {
		at = at.Add(tick)
		h.add(at, &manager.Stats{})
		if len(h.samples) > mostKept || at.Sub(h.samples[0].at) > window {
			t.Fatalf("%d samples of %v", len(h.samples), at.Sub(h.samples[0].at))
		}
	}
	if len(h.samples) != mostKept || cap(h.samples) > 2*mostKept {
		t.Errorf("%d samples in room for %d, want %d", len(h.samples), cap(h.samples), mostKept)
	}
	h.add(at.Add(time.Hour), &manager.Stats{})
	if len(h.samples) != 1 {
		t.Errorf("after an hour there are %d samples, want the one of now", len(h.samples))
	}
}

func TestHistoryTakesOneSampleASecond(t *testing.T) {
	inside(t, func(h *house) {
		samples := func() int {
			history := <-h.handler.(*handler[treelock.Path]).history
			defer func() { h.handler.(*handler[treelock.Path]).history <- history }()
			return len(history.samples)
		}
		for range 100 {
			h.get("/")
			h.get("/?format=json")
			time.Sleep(100 * time.Millisecond)
		}
		if got := samples(); got != 10 {
			t.Errorf("in ten seconds %d samples were taken, want 10", got)
		}
		time.Sleep(time.Hour)
		if got := samples(); got != 10 {
			t.Errorf("while nobody looked there became %d samples of 10", got)
		}
	})
}

func TestHistoryKnowsRatesAndWaitsSinceTheLastSample(t *testing.T) {
	var h history
	at := time.Unix(0, 0)
	want := func(grants, wait float64) {
		t.Helper()
		got := h.latest()
		same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
		if !same(got.grants, grants) || !same(got.wait, wait) {
			t.Errorf("%v grants a second, waits %v, want %v and %v", got.grants, got.wait, grants, wait)
		}
	}
	want(math.NaN(), math.NaN())
	stats := manager.Stats{Granted: 100}
	stats.WaitTime.Counts[20] = 5
	h.add(at, &stats)
	want(math.NaN(), math.NaN())

	stats.Granted += 60
	stats.WaitTime.Counts[4]++
	h.add(at.Add(2*time.Second), &stats)
	want(30, 16)

	h.add(at.Add(3*time.Second), &stats)
	want(0, math.NaN())

	stats.Granted += 1000
	h.add(at.Add(time.Minute), &stats) // nobody looked: an average would be of another time
	want(math.NaN(), math.NaN())
}

func TestLineIsBrokenWhereNobodyLooked(t *testing.T) {
	var h history
	if l := h.draw(func(sample) float64 { return 1 }); l != (line{}) {
		t.Errorf("an empty history draws %+v", l)
	}
	at := time.Unix(0, 0)
	for _, second := range []int{0, 10, 20, 60, 70, 100} {
		h.add(at.Add(time.Duration(second)*time.Second), &manager.Stats{Live: second})
	}
	l := h.draw(func(s sample) float64 { return s.live })
	if l.Peak != 100 {
		t.Errorf("the peak is %v, want 100", l.Peak)
	}
	if want := "M0.0 26.0 h0.1L0.0 26.0L12.0 23.6L24.0 21.2M72.0 11.6 h0.1L72.0 11.6L84.0 9.2M120.0 2.0 h0.1L120.0 2.0"; l.Stroke != want {
		t.Errorf("the line is\n%s\nwant\n%s", l.Stroke, want)
	}
	if strings.Count(l.Area, "M") != 3 || strings.Count(l.Area, "Z") != 3 {
		t.Errorf("the area is %s, want three parts", l.Area)
	}
}
