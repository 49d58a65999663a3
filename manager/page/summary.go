package page

import (
	"math"
	"strconv"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A summary has the numbers of the requests that a query selects.
type summary struct {
	holding, waiting int
	atLeast          bool          // there may be more
	longest          time.Duration // the longest wait
	filtered         bool
}

func newSummary[N treelock.Node[N]](q query[N], s *manager.Snapshot[N]) summary {
	c := summary{holding: s.Stats.Live - s.Stats.Waiting, waiting: s.Stats.Waiting}
	if q.below != "" {
		c = summary{holding: len(s.Holders), waiting: len(s.Waiters), atLeast: s.LeftOut > 0, filtered: true}
	}
	if len(s.Waiters) > 0 {
		c.longest = s.Taken.Sub(s.Waiters[0].Since)
	}
	return c
}

// write sets the title and the headline of v.
func (c summary) write(v *view) {
	more := ""
	if c.atLeast {
		more = " or more"
	}
	holding := number(c.holding) + more + verb(c.holding, " hold")
	switch {
	case c.waiting > 0:
		v.Title = number(c.waiting) + " wait"
		v.Headline = plural(c.waiting, "request") + more + verb(c.waiting, " wait")
		v.Detail = "the longest for " + age(c.longest) + "; " + holding
	case c.holding > 0:
		v.Title = number(c.holding) + " hold"
		v.Headline = "No request waits"
		v.Detail = plural(c.holding, "request") + more + verb(c.holding, " hold")
	case c.filtered:
		v.Title, v.Headline = "nothing here", "Nothing here"
		v.Detail = "no request reaches this node or a node below it"
		v.Empty = "A request appears here as soon as there is one."
	default:
		v.Title, v.Headline, v.Detail = "idle", "All quiet", "no request holds or waits"
		v.Empty = "Requests appear here as soon as there are any: each node with the requests that " +
			"hold it and wait for it, the longest waits, and what blocks them."
	}
}

// verb returns the form of a verb for n subjects.
func verb(n int, word string) string {
	if n == 1 {
		return word + "s"
	}
	return word
}

// meters returns the meters of the page, and the time that their charts show.
func (h *handler[N]) meters(stats *manager.Stats, c summary) (meters []meter, span string) {
	history := <-h.history
	defer func() { h.history <- history }()
	add := func(name, value, unit string, of func(sample) float64, peak func(float64) string) {
		m := meter{Name: name, Value: value, Unit: unit, Chart: history.draw(of)}
		if m.Chart.Peak > 0 {
			m.Peak = peak(m.Chart.Peak)
		}
		meters = append(meters, m)
	}
	last := history.latest()
	whole := func(v float64) string { return number(uint64(math.Round(v))) }
	add("waiting", number(stats.Waiting), "", func(s sample) float64 { return s.waiting }, whole)
	add("live", number(stats.Live), "", func(s sample) float64 { return s.live }, whole)

	name, value, unit := "grants", rate(last.grants), "/s"
	if math.IsNaN(last.grants) { // there is no recent sample to compare with
		name, value, unit = "granted so far", number(stats.Granted), ""
	}
	add(name, value, unit, func(s sample) float64 { return s.grants },
		func(v float64) string { return rate(v) + "/s" })

	name, value = "p99 wait", "–"
	switch {
	case !math.IsNaN(last.wait):
		value = upperBound(last.wait)
	case c.waiting > 0: // no wait has ended lately
		name, value = "longest wait now", age(c.longest)
	}
	add(name, value, "", func(s sample) float64 { return s.wait },
		func(v float64) string { return "p99 " + upperBound(v) })
	return meters, age(history.span())
}

// rate returns a number per second.
func rate(v float64) string {
	if v > 0 && v < 9.95 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	if math.IsNaN(v) {
		return "–"
	}
	return number(uint64(math.Round(v)))
}

// upperBound returns the text of a time that is less than v microseconds, rounded up. If v is the
// largest uint64, the time is in the last bucket of a histogram, which has no bound.
func upperBound(v float64) string {
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
	return "< " + age((d+unit-1)/unit*unit)
}

// totalsOf returns the counts since the manager started, and the sizes that no meter shows.
func totalsOf(s *manager.Stats) []total {
	totals := []total{
		{"granted", number(s.Granted)},
		{"had to wait", number(s.Waited)},
		{"canceled", number(s.Withdrawn)},
		{"released", number(s.Released)},
		{"refused", number(s.Conflicts + s.Busy + s.Draining)},
	}
	for _, t := range []total{
		{"in conflict", number(s.Conflicts)},
		{"too many waiting", number(s.Busy)},
		{"draining", number(s.Draining)},
	} {
		if t.Value != "0" {
			totals = append(totals, t)
		}
	}
	return append(totals,
		total{"median wait", quantile(&s.WaitTime, 0.5)},
		total{"p99 wait", quantile(&s.WaitTime, 0.99)},
		total{"p99 hold", quantile(&s.HoldTime, 0.99)},
		total{"nodes known", number(s.Nodes)},
		total{"in the inbox", number(s.Inbox)})
}

func quantile(h *manager.Histogram, q float64) string {
	if h.Count() == 0 {
		return "–"
	}
	return upperBound(float64(h.Quantile(q)))
}
