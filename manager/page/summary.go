package page

import (
	"math"
	"strconv"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A tally says how many requests there are of those that were asked for.
type tally struct {
	holding, waiting int
	atLeast          bool          // there may be more
	longest          time.Duration // of the waits
	filtered         bool
}

func tallyOf[N treelock.Node[N]](asked query[N], s *manager.Snapshot[N]) tally {
	t := tally{holding: s.Stats.Live - s.Stats.Waiting, waiting: s.Stats.Waiting}
	if asked.below != "" {
		t = tally{holding: len(s.Holders), waiting: len(s.Waiters), atLeast: s.LeftOut > 0, filtered: true}
	}
	if len(s.Waiters) > 0 {
		t.longest = s.Taken.Sub(s.Waiters[0].Since)
	}
	return t
}

// summarize says in a few words what there is.
func (v *view) summarize(t tally) {
	more := ""
	if t.atLeast {
		more = " or more"
	}
	switch {
	case t.waiting > 0:
		v.Title = count(t.waiting) + " wait"
		v.Headline = some(t.waiting, "request") + more + verb(t.waiting, " wait")
		v.Detail = "the longest for " + ago(t.longest) + "; " + count(t.holding) + more + verb(t.holding, " hold")
	case t.holding > 0:
		v.Title = count(t.holding) + " hold"
		v.Headline, v.Detail = "Nobody waits", some(t.holding, "request")+more+verb(t.holding, " hold")
	case t.filtered:
		v.Title, v.Headline, v.Detail = "nothing here", "Nothing here", "no request reaches this node, or anything below it"
		v.Alone = "As soon as one does, it is shown here."
	default:
		v.Title, v.Headline, v.Detail = "idle", "All quiet", "nothing is held, and nobody waits"
		v.Alone = "As soon as there are requests, they are shown here: each node with who holds it and who queues for it, " +
			"the longest waits, and who holds up whom."
	}
}

// verb returns the form of a verb for n that act.
func verb(n int, word string) string {
	if n == 1 {
		return word + "s"
	}
	return word
}

// meters returns what changes from second to second, and how far back that goes.
func (h *handler[N]) meters(stats *manager.Stats, t tally) (meters []meter, span string) {
	history := <-h.history
	defer func() { h.history <- history }()
	last := history.latest()
	add := func(name, unit, value string, peak func(float64) string, of func(sample) float64) {
		drawn := history.draw(of)
		m := meter{Name: name, Value: value, Unit: unit, Line: drawn}
		if drawn.Peak > 0 {
			m.Peak = peak(drawn.Peak)
		}
		meters = append(meters, m)
	}
	whole := func(v float64) string { return count(uint64(math.Round(v))) }
	add("waiting", "", count(stats.Waiting), whole, func(s sample) float64 { return s.waiting })
	add("live", "", count(stats.Live), whole, func(s sample) float64 { return s.live })
	peakRate := func(v float64) string { return rate(v) + "/s" }
	if math.IsNaN(last.grants) { // there was no look shortly before this one
		add("granted so far", "", count(stats.Granted), peakRate, func(s sample) float64 { return s.grants })
	} else {
		add("grants", "/s", rate(last.grants), peakRate, func(s sample) float64 { return s.grants })
	}
	name, value := "p99 wait", "–"
	switch {
	case !math.IsNaN(last.wait):
		value = bound(last.wait)
	case t.waiting > 0: // no wait has ended lately: all is stuck
		name, value = "longest wait now", ago(t.longest)
	}
	add(name, "", value, func(v float64) string { return "p99 " + bound(v) }, func(s sample) float64 { return s.wait })
	return meters, ago(history.span())
}

// rate writes a number of things in a second.
func rate(v float64) string {
	if v > 0 && v < 9.95 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return count(uint64(math.Round(v)))
}

// bound writes a time in microseconds that is known to be below v, within a factor of two; or that it is long, if v is
// the largest number.
func bound(v float64) string {
	switch {
	case v < 1000:
		return "< 1 ms"
	case v >= math.MaxUint64:
		return "> 17 min"
	}
	d, unit := time.Duration(v)*time.Microsecond, time.Millisecond
	switch {
	case d >= 10*time.Second:
		unit = time.Second
	case d >= time.Second:
		unit = 100 * time.Millisecond
	}
	return "< " + ago((d+unit-1)/unit*unit) // rounded up
}

// totalsOf returns what was counted since the manager started, and some of what is.
func totalsOf(s *manager.Stats) []total {
	totals := []total{
		{"granted", count(s.Granted)},
		{"had to wait", count(s.Waited)},
		{"gave up", count(s.Withdrawn)},
		{"released", count(s.Released)},
		{"refused", count(s.Conflicts + s.Busy + s.Draining)},
	}
	for _, t := range []total{{"in conflict", count(s.Conflicts)}, {"too many wait", count(s.Busy)}, {"draining", count(s.Draining)}} {
		if t.Value != "0" {
			totals = append(totals, t)
		}
	}
	return append(totals,
		total{"median wait", quantile(&s.WaitTime, 0.5)}, total{"p99 wait", quantile(&s.WaitTime, 0.99)},
		total{"p99 hold", quantile(&s.HoldTime, 0.99)},
		total{"nodes known", count(s.Nodes)}, total{"in the inbox", count(s.Inbox)})
}

func quantile(h *manager.Histogram, q float64) string {
	if h.Count() == 0 {
		return "–"
	}
	return bound(float64(h.Quantile(q)))
}
