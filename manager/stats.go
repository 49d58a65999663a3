package manager

import (
	"encoding/json"

	"github.com/treelock/treelock"
)

// Stats is what a manager has counted. It is a plain value; in JSON its fields have the names in
// its tags.
type Stats struct {
	// Since the manager started.

	Granted   uint64 `json:"granted"`   // requests, at once or after they had waited
	Waited    uint64 `json:"waited"`    // requests that had to wait, however they ended
	Withdrawn uint64 `json:"withdrawn"` // requests that ended while they waited
	Released  uint64 `json:"released"`  // grants that ended
	Conflicts uint64 `json:"conflicts"` // refusals with ErrConflict
	Busy      uint64 `json:"busy"`      // refusals with ErrBusy
	Draining  uint64 `json:"draining"`  // refusals with ErrDraining
	Suspended uint64 `json:"suspended"` // refusals with ErrSuspended
	Deadlocks uint64 `json:"deadlocks"` // refusals with ErrDeadlock
	Widened   uint64 `json:"widened"`   // grants that came to hold more

	// Now.

	Live    int `json:"live"`    // requests that hold or wait
	Waiting int `json:"waiting"` // requests that wait
	Nodes   int `json:"nodes"`   // nodes in the table, idle ones included
	Inbox   int `json:"inbox"`   // messages that the manager has not handled yet

	// Distributions, since the manager started. Times are in microseconds, as exact as the
	// manager's clock, which is read when the manager was idle, and after every 64 messages.

	WaitTime Histogram `json:"wait_us"`      // of requests that were granted after they had waited
	HoldTime Histogram `json:"hold_us"`      // of grants that ended
	Queue    Histogram `json:"queue_length"` // waiting requests, at each arrival of one
}

// Stats returns what the manager has counted up to now, or until it stopped. It costs one message.
// The counting is always on, and costs a few nanoseconds for each request.
func (m *Manager[N]) Stats() Stats {
	var now statsInspector[N]
	if m.inspect(&now) {
		return now.Stats
	}
	<-m.done // the manager goroutine writes final before it closes done
	return m.final
}

// A statsInspector is the inspector that copies the statistics.
type statsInspector[N treelock.Node[N]] struct{ Stats }

func (s *statsInspector[N]) inspect(l *loop[N]) { s.Stats = l.currentStats() }

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

// currentStats returns the statistics up to now.
func (l *loop[N]) currentStats() Stats {
	// The sizes of now are computed here and not kept in l.stats, so that they cannot differ from
	// what they describe. Free scopes count, as their idle nodes take memory.
	s := l.stats
	s.Live, s.Waiting, s.Nodes = l.live, l.waiting, l.table.Nodes()
	for inner := l.inner; inner != nil; inner = inner.next {
		s.Nodes += inner.table.Nodes()
	}
	for _, free := range l.freeScopes {
		s.Nodes += free.table.Nodes()
	}
	s.Inbox = len(l.m.inbox)
	return s
}

// countArrival counts a request that has arrived and was not refused. A refused one was never live
// between messages, so it does not come here.
func (l *loop[N]) countArrival(r *request[N]) {
	l.live++
	if r.Granted() {
		l.stats.Granted++
		return
	}
	l.waiting++
	l.stats.Waited++
	l.stats.Queue.add(uint64(l.waiting))
}

// countGrant counts a request that is granted after it had to wait. It comes before since is set
// anew: until then since is the beginning of the wait.
func (l *loop[N]) countGrant(r *request[N]) {
	l.waiting--
	l.stats.Granted++
	l.stats.WaitTime.add(l.now.microsSince(r.Who.since))
}

// countEnd counts a request that is about to end. Afterwards it is too late: a request that has
// ended is neither waiting nor granted.
func (l *loop[N]) countEnd(r *request[N]) {
	l.live--
	if r.Waiting() {
		l.waiting--
		l.stats.Withdrawn++
		return
	}
	l.stats.Released++
	l.stats.HoldTime.add(l.now.microsSince(r.Who.since))
}
