package page

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// A chart is a time line in a box of chartWidth by chartHeight.
type chart struct {
	Stroke string  // the d attribute of an SVG path
	Area   string  // the same for the area below it
	Peak   float64 // the largest value
}

const (
	chartWidth  = 120
	chartHeight = 28
	chartMargin = 2 // above and below, for half of the stroke
)

// draw returns the chart of one value of the samples. The line has gaps where the value is unknown
// and where samples are missing.
func (h *history) draw(value func(sample) float64) chart {
	var c chart
	for _, s := range h.samples {
		if v := value(s); v > c.Peak { // false for NaN
			c.Peak = v
		}
	}
	var stroke, area strings.Builder
	end, span := h.latest().at, h.span().Seconds()
	open, x := false, 0.0
	closeArea := func() {
		if open {
			fmt.Fprintf(&area, "L%.1f %d Z", x, chartHeight)
		}
		open = false
	}
	var before time.Time
	for _, s := range h.samples {
		v := value(s)
		if math.IsNaN(v) || s.at.Sub(before) > maxGap {
			closeArea()
		}
		before = s.at
		if math.IsNaN(v) {
			continue
		}
		x = chartWidth * (1 - end.Sub(s.at).Seconds()/span)
		y := chartHeight - chartMargin - v/max(c.Peak, 1)*(chartHeight-2*chartMargin)
		if !open {
			fmt.Fprintf(&stroke, "M%.1f %.1f h0.1", x, y) // makes a single point visible
			fmt.Fprintf(&area, "M%.1f %d ", x, chartHeight)
			open = true
		}
		fmt.Fprintf(&stroke, "L%.1f %.1f", x, y)
		fmt.Fprintf(&area, "L%.1f %.1f", x, y)
	}
	closeArea()
	c.Stroke, c.Area = stroke.String(), area.String()
	return c
}
