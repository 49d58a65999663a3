package manager

import (
	"encoding/json"
	"time"

	"github.com/treelock/treelock"
)

// Stats is what a manager has counted. The struct is a plain value; in JSON its fields have the names in its tags.
type Stats struct {
	// Since the manager started.

	Granted   uint64 `json:"granted"`   // requests, at once or after they had waited
	Waited    uint64 `json:"waited"`    // requests that had to wait, whatever became of them
	Withdrawn uint64 `json:"withdrawn"` // requests that ended while they waited: withdrawn, or their context ended
	Released  uint64 `json:"released"`  // grants that ended
	Conflicts uint64 `json:"conflicts"` // refusals with ErrConflict
	Busy      uint64 `json:"busy"`      // refusals with ErrBusy
	Draining  uint64 `json:"draining"`  // refusals with ErrDraining

	// Now.

	Live    int `json:"live"`    // requests that hold or wait
	Waiting int `json:"waiting"` // requests that wait
	Nodes   int `json:"nodes"`   // nodes that are known, idle ones included
	Inbox   int `json:"inbox"`   // messages that the manager has not dealt with yet

	// Distributions, since the manager started. Times are in microseconds, as exact as the manager's clock: it looks at the time when
	// it has been idle, and after every 64 messages.

	WaitTime Histogram `json:"wait_us"`      // of those that were granted after they had waited
	HoldTime Histogram `json:"hold_us"`      // of those that were released
	Queue    Histogram `json:"queue_length"` // how many waited, at each arrival of one that had to
}

// Stats returns what the manager has counted up to now or, if it has stopped, until then. It costs one message. The
// counting itself costs a few nanoseconds for each request; there is nothing to be turned on.
func (m *Manager[N]) Stats() Stats {
	var now statsInspector[N]
	if m.inspect(&now) {
		return now.Stats
	}
	<-m.done
	return m.final
}

// counters is the inspector of Stats.
type statsInspector[N treelock.Node[N]] struct{ Stats }

func (c *statsInspector[N]) inspect(l *loop[N]) { c.Stats = l.currentStats() }

// Var returns a variable for package expvar, which shows Stats as JSON:
//
//	expvar.Publish("locks", m.Var())
func (m *Manager[N]) Var() Var { return Var{m.Stats} }

// A Var is an expvar.Var. Get one from [Manager.Var]; the zero Var is of no use. (This package does
// not import expvar, which imports a web server.)
type Var struct{ stats func() Stats }

// String returns the statistics as JSON.
func (v Var) String() string {
	text, err := json.Marshal(v.stats())
	if err != nil {
		panic("BUG: treelock: " + err.Error())
	}
	return string(text)
}

// counted returns the statistics up to now.
func (l *loop[N]) currentStats() Stats {
	s := l.stats
	s.Live, s.Waiting, s.Nodes, s.Inbox = l.table.Live(), l.table.Waiting(), l.table.Nodes(), len(l.m.inbox)
	return s
}

// countArrival counts that r has arrived, and was not refused.
func (l *loop[N]) countArrival(r *request[N]) {
	if r.Granted() {
		l.stats.Granted++
		return
	}
	l.stats.Waited++
	l.stats.Queue.add(uint64(l.table.Waiting()))
}

// countGrant counts that r, which had to wait, is granted.
func (l *loop[N]) countGrant(r *request[N]) {
	l.stats.Granted++
	l.stats.WaitTime.add(l.now.microsSince(r.Who.since))
}

// countEnd counts that r is about to end.
func (l *loop[N]) countEnd(r *request[N]) {
	if r.Waiting() {
		l.stats.Withdrawn++
		return
	}
	l.stats.Released++
	l.stats.HoldTime.add(l.now.microsSince(r.Who.since))
}

// An instant is a time as the manager knows it: what has passed since it started.
type instant time.Duration

func (i instant) since(earlier instant) time.Duration { return time.Duration(i - earlier) }

func (i instant) microsSince(earlier instant) uint64 { return uint64(i-earlier) / 1000 }

// time returns what a clock shows at i.
func (m *Manager[N]) time(i instant) time.Time { return m.started.Add(time.Duration(i)) }

// readClock looks at the clock. That costs as much as a tenth of a request, so it is not done for each.
func (l *loop[N]) readClock() { l.now = instant(time.Since(l.m.started)) }
