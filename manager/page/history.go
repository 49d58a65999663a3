package page

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/treelock/treelock/manager"
)

const (
	tick       = time.Second      // samples are that far apart at least
	window     = 5 * time.Minute  // how far back they go
	mostKept   = 300              // so many samples are kept at most
	longestGap = 10 * time.Second // samples further apart are not joined: nobody looked
	leastShown = 20 * time.Second // a time line is that long at least
)

// A history has samples of what a manager has counted, taken when somebody looked. Its owner is whoever has received it from
// its handler's channel.
type history struct {
	samples []sample // by time
	last    manager.Stats
}

// A sample is what was counted at one moment, or since the one before it. Of live and waiting it is the most that was seen
// within a tick. What is not known is not a number.
type sample struct {
	at      time.Time
	live    float64
	waiting float64
	grants  float64 // in a second
	wait    float64 // the 99th percentile, in microseconds, of those that were granted after they had waited
}

// add takes a sample. If there is one of the last second it becomes a part of that, so that no peak is lost.
func (h *history) add(at time.Time, stats *manager.Stats) {
	s := sample{at, float64(stats.Live), float64(stats.Waiting), math.NaN(), math.NaN()}
	if n := len(h.samples); n > 0 {
		passed := at.Sub(h.samples[n-1].at)
		if passed < tick {
			latest := &h.samples[n-1]
			latest.live, latest.waiting = max(latest.live, s.live), max(latest.waiting, s.waiting)
			return
		}
		if passed <= longestGap {
			s.grants = float64(stats.Granted-h.last.Granted) / passed.Seconds()
			if waits := since(&stats.WaitTime, &h.last.WaitTime); waits.Count() > 0 {
				s.wait = float64(waits.Quantile(0.99))
			}
		}
	}
	h.last = *stats
	h.samples = append(h.samples, s)
	old := max(0, len(h.samples)-mostKept)
	for at.Sub(h.samples[old].at) > window {
		old++
	}
	h.samples = append(h.samples[:0], h.samples[old:]...)
}

// since returns the values that are in now and were not in before.
func since(now, before *manager.Histogram) manager.Histogram {
	var h manager.Histogram
	for i := range h.Counts {
		h.Counts[i] = now.Counts[i] - before.Counts[i]
	}
	return h
}

// latest returns the last sample; nothing is known in that of an empty history.
func (h *history) latest() sample {
	if len(h.samples) == 0 {
		return sample{grants: math.NaN(), wait: math.NaN()}
	}
	return h.samples[len(h.samples)-1]
}

// span returns how much time the time lines show.
func (h *history) span() time.Duration {
	if len(h.samples) == 0 {
		return leastShown
	}
	return max(leastShown, h.latest().at.Sub(h.samples[0].at))
}

// A line is a time line, drawn into a box of lineWidth by lineHeight.
type line struct {
	Stroke string  // the d of an SVG path
	Area   string  // below it
	Peak   float64 // the largest value
}

const (
	lineWidth  = 120
	lineHeight = 28
	lineMargin = 2 // above and below, for half of the stroke
)

// draw draws one value of all samples. The line is broken where the value is not known, and where nobody looked.
func (h *history) draw(value func(sample) float64) line {
	var l line
	for _, s := range h.samples {
		if v := value(s); v > l.Peak { // so it is a number
			l.Peak = v
		}
	}
	var stroke, area strings.Builder
	end, span := h.latest().at, h.span().Seconds()
	open, x := false, 0.0
	var before time.Time
	closeArea := func() {
		if open {
			fmt.Fprintf(&area, "L%.1f %d Z", x, lineHeight)
		}
		open = false
	}
	for _, s := range h.samples {
		v := value(s)
		if math.IsNaN(v) || s.at.Sub(before) > longestGap {
			closeArea()
		}
		before = s.at
		if math.IsNaN(v) {
			continue
		}
		x = lineWidth * (1 - end.Sub(s.at).Seconds()/span)
		y := lineHeight - lineMargin - v/max(l.Peak, 1)*(lineHeight-2*lineMargin)
		if !open {
			fmt.Fprintf(&stroke, "M%.1f %.1f h0.1", x, y) // a point can be seen too
			fmt.Fprintf(&area, "M%.1f %d ", x, lineHeight)
			open = true
		}
		fmt.Fprintf(&stroke, "L%.1f %.1f", x, y)
		fmt.Fprintf(&area, "L%.1f %.1f", x, y)
	}
	closeArea()
	l.Stroke, l.Area = stroke.String(), area.String()
	return l
}
