package page

import (
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

func TestHistoryIsBounded(t *testing.T) {
	var h history
	at := time.Unix(0, 0)
	for range 10_000 {
		at = at.Add(sampleInterval)
		h.add(at, &manager.Stats{})
		if len(h.samples) > maxSamples || at.Sub(h.samples[0].at) > maxSampleAge {
			t.Fatalf("%d samples of %v", len(h.samples), at.Sub(h.samples[0].at))
		}
	}
	if len(h.samples) != maxSamples || cap(h.samples) > 2*maxSamples {
		t.Errorf("%d samples in memory for %d, want %d", len(h.samples), cap(h.samples), maxSamples)
	}
	h.add(at.Add(maxSampleAge), &manager.Stats{})
	if len(h.samples) != 2 {
		t.Errorf("after 5 minutes %d samples are left, want the last one and a new one", len(h.samples))
	}
	h.add(at.Add(time.Hour), &manager.Stats{})
	if len(h.samples) != 1 {
		t.Errorf("after an hour %d samples are left, want a new one", len(h.samples))
	}
}

func TestHistoryHasOneSampleASecondWhileThePageIsViewed(t *testing.T) {
	inBubble(t, func(h *harness) {
		want := func(samples int) {
			t.Helper()
			history := <-h.page.history
			if got := len(history.samples); got != samples {
				t.Errorf("%d samples, want %d", got, samples)
			}
			h.page.history <- history
		}
		for range 100 {
			h.get("/")
			h.get("/?format=json")
			time.Sleep(100 * time.Millisecond)
		}
		want(10)
		time.Sleep(time.Hour)
		want(10)
	})
}

func TestRatesAndWaitsAreThoseSinceTheLastSample(t *testing.T) {
	var h history
	at := time.Unix(0, 0)
	want := func(grants, wait float64) {
		t.Helper()
		got := h.latest()
		same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
		if !same(got.grants, grants) || !same(got.wait, wait) {
			t.Errorf("%v grants/s, wait %v, want %v and %v", got.grants, got.wait, grants, wait)
		}
	}
	unknown := math.NaN()
	want(unknown, unknown)
	stats := manager.Stats{Granted: 100}
	stats.WaitTime.Counts[20] = 5
	h.add(at, &stats)
	want(unknown, unknown)

	stats.Granted += 60
	stats.WaitTime.Counts[4]++
	h.add(at.Add(2*time.Second), &stats)
	want(30, 16)

	h.add(at.Add(3*time.Second), &stats)
	want(0, unknown)

	stats.Granted += 100
	h.add(at.Add(3*time.Second+maxGap), &stats)
	want(10, unknown)

	stats.Granted += 1000
	h.add(at.Add(time.Minute), &stats) // after a gap an average would be meaningless
	want(unknown, unknown)
}

func TestChartHasGapsWhereSamplesAreMissing(t *testing.T) {
	var h history
	if c := h.draw(func(sample) float64 { return 1 }); c != (chart{}) {
		t.Errorf("the chart of an empty history is %+v, want none", c)
	}
	at := time.Unix(0, 0)
	for _, second := range []int{0, 10, 20, 60, 70, 100} {
		h.add(at.Add(time.Duration(second)*time.Second), &manager.Stats{Live: second})
	}
	c := h.draw(func(s sample) float64 { return s.live })
	if c.Peak != 100 {
		t.Errorf("the peak is %v, want 100", c.Peak)
	}
	const want = "M0.0 26.0 h0.1L0.0 26.0L12.0 23.6L24.0 21.2M72.0 11.6 h0.1L72.0 11.6L84.0 9.2" +
		"M120.0 2.0 h0.1L120.0 2.0"
	if c.Stroke != want {
		t.Errorf("the line is\n%s\nwant\n%s", c.Stroke, want)
	}
	if strings.Count(c.Area, "M") != 3 || strings.Count(c.Area, "Z") != 3 {
		t.Errorf("the area is %s, want three parts", c.Area)
	}
	if c := h.draw(func(sample) float64 { return 0 }); strings.Contains(c.Stroke, "NaN") {
		t.Errorf("the chart of zeros is %s", c.Stroke)
	}
}

func TestMetersAreTrue(t *testing.T) {
	inBubble(t, func(h *harness) {
		grant, err := h.manager.Acquire(h.t.Context(), treelock.Write("/a"))
		if err != nil {
			t.Fatal(err)
		}
		h.submit("", treelock.Write("/a"))
		h.wantText("/", 200, "1 waiting peak 1", "2 live peak 2", "1 granted so far")
		time.Sleep(sampleInterval / 2) // within one sample, too, no peak is lost
		for range 5 {
			h.submit("", treelock.Write("/a"))
		}
		h.wantText("/", 200, "6 waiting peak 6", "7 live peak 7")
		time.Sleep(3*time.Second - sampleInterval/2)
		h.wantText("/", 200, "3.0 s longest wait now", "0 /s grants")
		grant.Release()
		synctest.Wait()
		time.Sleep(2 * time.Second)
		h.wantText("/", 200, "< 4.2 s p99 wait peak p99 < 4.2 s", "0.5 /s grants peak 0.5/s")
		time.Sleep(3 * time.Second)
		h.wantText("/", 200, "7.5 s longest wait now peak p99 < 4.2 s", "0 /s grants peak 0.5/s")
		time.Sleep(time.Minute)
		h.wantText("/", 200, "2 granted so far peak 0.5/s")
	})
}
