package page

import (
	"time"

	"github.com/treelock/treelock/manager"
)

const (
	mostCulprits = 5                // are shown
	mostWaits    = 10               // of the longest ones are shown apart from the tree
	mostNamed    = 1                // of those that a request waits for is named
	long         = 10 * time.Second // a wait that calls for attention
)

// A view is what the page shows.
type view struct {
	Form form

	Title    string
	Headline string
	Detail   string
	Read     string // what the filter is taken for, if that is not what was typed
	Taken    string
	Jammed   bool

	Failure string // then nothing else is shown
	Stopped string // why the manager has stopped; then there are only totals
	Alone   string // what is said if there is no request in sight

	Meters   []meter
	Span     string // how far back they go
	Culprits []*request
	Others   int // culprits that are not among them
	Waits    []*request
	Later    int // those that wait and are not among Waits
	Rows     []row
	LeftOut  int    // rows that are not among them
	Hidden   string // how many more requests the tree leaves out
	Cut      string // what the bound of a page leaves out
	Totals   []total
}

// A form is the filter, as somebody has filled it in.
type form struct {
	Possible bool
	Below    string // as it was typed
	Shown    name
	Limit    int // 0 unless it was asked for
}

// A total is a number and what it counts.
type total struct{ Name, Value string }

// A meter is a number and how it has changed.
type meter struct {
	Name, Value, Unit string
	Peak              string
	Line              line
}

func (h *handler[N]) viewFor(asked query[N]) view {
	v := view{Form: form{Possible: h.parse != nil, Below: visible(asked.below)}}
	if asked.below != "" {
		v.Form.Shown = asked.shown.name()
	}
	if asked.given {
		v.Form.Limit = asked.limit
	}
	if asked.shown != newText(asked.below) {
		v.Read = "below " + v.Form.Shown.Short
	}
	return v
}

// viewOf makes the view of a manager that runs.
func (h *handler[N]) viewOf(asked query[N], s *picture[N]) view {
	v := h.viewFor(asked)
	v.Taken = s.Taken.Format("15:04:05 MST")
	v.Totals = totalsOf(&s.Stats)
	summary := tallyOf(asked, &s.Snapshot)
	v.Meters, v.Span = h.meters(&s.Stats, summary)

	d := newDesk(s, asked.below != "")
	for _, c := range d.culprits[:min(mostCulprits, len(d.culprits))] {
		v.Culprits = append(v.Culprits, d.inFull(c.Live))
		v.Jammed = v.Jammed || d.requests[c.Number].Long
	}
	v.Others = len(d.culprits) - len(v.Culprits)
	for _, w := range s.Waiters[:min(mostWaits, len(s.Waiters))] { // the earliest has waited for longest
		v.Waits = append(v.Waits, d.inFull(w))
	}
	v.Later = len(s.Waiters) - len(v.Waits)

	shown := d.choose(asked.limit)
	v.Rows, v.LeftOut = d.tree(shown).rows(h.filterFor)
	if hidden := s.LeftOut + len(d.requests) - len(shown); hidden > 0 {
		v.Hidden = some(hidden, "more request")
	}
	v.summarize(summary)
	return v
}

// viewStopped makes the view of a manager that has stopped.
func (h *handler[N]) viewStopped(asked query[N], why string, stats manager.Stats) view {
	v := h.viewFor(asked)
	v.Title, v.Headline, v.Stopped = "stopped", "The manager has stopped", why
	v.Detail = count(stats.Live-stats.Waiting) + " held and " + count(stats.Waiting) + " waited when it did"
	v.Totals = totalsOf(&stats)
	return v
}

// viewFailure makes the view that says only what is wrong.
func (h *handler[N]) viewFailure(asked query[N], why string) view {
	v := h.viewFor(asked)
	v.Title, v.Headline, v.Failure = "not shown", "Nothing can be shown", why
	return v
}

// filterFor returns what to type into the filter for node, whose text is t, or "" if nothing names it.
func (h *handler[N]) filterFor(node N, t text) string {
	if h.parse == nil || t.size > longest {
		return ""
	}
	if parsed, err := h.parse(t.kept); err != nil || parsed != node {
		return ""
	}
	return visible(t.kept)
}
