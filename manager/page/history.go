package page

import (
	"math"
	"time"

	"github.com/treelock/treelock/manager"
)

const (
	sampleInterval = time.Second      // the least time between two samples
	maxSampleAge   = 5 * time.Minute  // older samples are dropped
	maxSamples     = 300              // with more, the oldest are dropped
	maxGap         = 10 * time.Second // between samples that belong together
	minSpan        = 20 * time.Second // the least time that a chart shows
)

// A history has samples of the statistics, taken when viewers ask for the page. Its owner is the
// goroutine that received it from the channel of its handler.
type history struct {
	samples []sample // by time
	last    manager.Stats
}

// A sample has the statistics of a moment, or since the sample before it. Live and waiting are the
// largest values within a sampleInterval. An unknown value is NaN.
type sample struct {
	at      time.Time
	live    float64
	waiting float64
	grants  float64 // per second
	wait    float64 // the 99th percentile of the waits that ended in a grant, in microseconds
}

// add adds a sample. Within a sampleInterval it updates the last one instead, so that no peak
// is lost.
func (h *history) add(at time.Time, stats *manager.Stats) {
	s := sample{at, float64(stats.Live), float64(stats.Waiting), math.NaN(), math.NaN()}
	if n := len(h.samples); n > 0 {
		passed := at.Sub(h.samples[n-1].at)
		if passed < sampleInterval {
			latest := &h.samples[n-1]
			latest.live, latest.waiting = max(latest.live, s.live), max(latest.waiting, s.waiting)
			return
		}
		if passed <= maxGap {
			s.grants = float64(stats.Granted-h.last.Granted) / passed.Seconds()
			if waits := difference(&stats.WaitTime, &h.last.WaitTime); waits.Count() > 0 {
				s.wait = float64(waits.Quantile(0.99))
			}
		}
	}
	h.last = *stats
	h.samples = append(h.samples, s)
	old := max(0, len(h.samples)-maxSamples)
	for at.Sub(h.samples[old].at) > maxSampleAge {
		old++
	}
	h.samples = append(h.samples[:0], h.samples[old:]...)
}

// difference returns the values in now that are not in before.
func difference(now, before *manager.Histogram) manager.Histogram {
	var h manager.Histogram
	for i := range h.Counts {
		h.Counts[i] = now.Counts[i] - before.Counts[i]
	}
	return h
}

// latest returns the last sample, or one of unknown values if there is none.
func (h *history) latest() sample {
	if len(h.samples) == 0 {
		return sample{grants: math.NaN(), wait: math.NaN()}
	}
	return h.samples[len(h.samples)-1]
}

// span returns the time that a chart shows.
func (h *history) span() time.Duration {
	if len(h.samples) == 0 {
		return minSpan
	}
	return max(minSpan, h.latest().at.Sub(h.samples[0].at))
}
