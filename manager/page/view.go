package page

import (
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

const (
	maxTopBlockers = 5                // that are shown
	maxLongWaits   = 10               // waiters that are shown outside of the tree
	maxNamed       = 1                // blockers that are named for each waiter
	longWait       = 10 * time.Second // a wait that is highlighted
)

// A view is the data of the page.
type view struct {
	Form form

	Title    string
	Headline string
	Detail   string
	Read     string // how the filter is understood, if that is not what was typed
	Taken    string
	Stuck    bool // a holder has kept a request waiting for long

	Failure string // if it is set, nothing below is
	Stopped string // why the manager has stopped; if it is set, only Totals is
	Empty   string // the text that replaces the requests if there are none

	Meters       []meter
	Span         string // the time that their charts show
	Suspended    []suspension
	Circles      []string // that may exist, of requests that have waited for long
	Blockers     []*request
	MoreBlockers int // that are not in Blockers
	Waits        []*request
	MoreWaits    int // waiters that are not in Waits
	Rows         []row
	LeftOut      int    // rows that are not in Rows
	Hidden       string // how many requests are not in the tree
	Cut          string // what is left out because of maxAnswer
	Totals       []total
}

// A form is the filter as the viewer sees it.
type form struct {
	Possible bool
	Below    string // the filter as typed, in printable form
	Shown    name
	Limit    int // 0 if the query has none
}

// A suspension is a list of subtrees that admit no request.
type suspension struct {
	Nodes  []name
	More   int // nodes that are not in Nodes
	Reason name
	Age    string
	Live   string // how many requests are still live there, "" if none is
}

// A total is a number and its meaning.
type total struct{ Name, Value string }

// A meter is a number and its history.
type meter struct {
	Name, Value, Unit string
	Peak              string
	Chart             chart
}

// newView returns a view with the parts that all views have.
func (h *handler[N]) newView(q query[N]) view {
	v := view{Form: form{Possible: h.parse != nil}}
	if q.below != "" {
		v.Form.Below, v.Form.Shown = printable(q.below), q.shown.name()
	}
	if q.hasLimit {
		v.Form.Limit = q.limit
	}
	if q.shown != newText(q.below) {
		v.Read = "below " + v.Form.Shown.Short
	}
	return v
}

// buildView returns the view of a running manager.
func (h *handler[N]) buildView(q query[N], s *cutSnapshot[N]) view {
	v := h.newView(q)
	v.Taken = s.Taken.Format("15:04:05 MST")
	v.Totals = totalsOf(&s.Stats)
	summary := newSummary(q, &s.Snapshot)
	v.Meters, v.Span = h.meters(&s.Stats, summary)

	v.Suspended = suspensionsIn(s)
	b := newViewBuilder(s, q.below != "")
	v.Circles = b.longCircles()
	for _, top := range b.blockers[:min(maxTopBlockers, len(b.blockers))] {
		v.Blockers = append(v.Blockers, b.withClaims(top.RequestInfo))
		v.Stuck = v.Stuck || b.requests[top.Number].Long
	}
	v.MoreBlockers = len(b.blockers) - len(v.Blockers)
	for _, w := range s.Waiters[:min(maxLongWaits, len(s.Waiters))] { // the earliest wait longest
		v.Waits = append(v.Waits, b.withClaims(w))
	}
	v.MoreWaits = len(s.Waiters) - len(v.Waits)

	chosen := b.choose(q.limit)
	v.Rows, v.LeftOut = b.tree(chosen).rows(h.filterFor)
	if hidden := s.LeftOut + s.count() - len(chosen); hidden > 0 {
		v.Hidden = plural(hidden, "more request")
	}
	summary.write(&v)
	return v
}

// suspensionsIn returns the suspensions of s. It runs user code.
func suspensionsIn[N treelock.Node[N]](s *cutSnapshot[N]) (all []suspension) {
	for _, suspended := range s.Suspended {
		shown := min(len(suspended.Claims), maxClaims)
		v := suspension{
			More: len(suspended.Claims) - shown, Reason: nameOf(suspended.Reason), Age: age(s.Taken.Sub(suspended.Since)),
		}
		if suspended.Live > 0 {
			v.Live = plural(suspended.Live, "request")
		}
		for _, c := range suspended.Claims[:shown] {
			v.Nodes = append(v.Nodes, textOf(c.Node).name())
		}
		all = append(all, v)
	}
	return all
}

// stoppedView returns the view of a manager that has stopped.
func (h *handler[N]) stoppedView(q query[N], reason string, stats manager.Stats) view {
	v := h.newView(q)
	v.Title, v.Headline, v.Stopped = "stopped", "The manager has stopped", reason
	v.Detail = number(stats.Live-stats.Waiting) + " held and " + number(stats.Waiting) +
		" waited when it did"
	v.Totals = totalsOf(&stats)
	return v
}

// failureView returns a view that says only what is wrong.
func (h *handler[N]) failureView(q query[N], reason string) view {
	v := h.newView(q)
	v.Title, v.Headline, v.Failure = "not shown", "Nothing can be shown", reason
	return v
}

// filterFor returns the text for the filter that names node, whose text is t, or "" if there
// is none.
func (h *handler[N]) filterFor(node N, t text) string {
	if h.parse == nil || t.size > maxFull {
		return ""
	}
	if parsed, err := h.parse(t.kept); err != nil || parsed != node {
		return ""
	}
	return printable(t.kept)
}
