package manager

import (
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

// A survey collects the live requests that a query selects, as they are at its first step. It is an
// inspector that its client sends once for each step. The manager goroutine owns it until it is
// over, between the steps as well: changes of the table call record.
type survey[N treelock.Node[N]] struct {
	// The query, immutable once the survey is sent.

	minAge time.Duration
	limit  int                  // of each list of rows; zero and negative mean no limit
	reach  *locktable.Region[N] // what requests must reach; nil means all
	own    bool                 // leaves out the requests of other processes

	// due, if set, selects requests by state and age.
	due func(seq uint64, state treelock.State, age time.Duration) bool

	// collect, if set, gets the selected requests on the manager goroutine, instead of the rows.
	collect func(r *locktable.Request[N, client[N]])

	// How far the survey has come.

	records *locktable.Survey[N, client[N]] // nil before the first step
	at      *scope[N]                       // the scope that is visited next
	over    bool
	began   instant // the first step
	matches int     // requests that the query selects

	// What the survey has found. The client's once over is set, or never.

	stats            Stats
	suspended        []Suspension[N]
	waiters, holders rows[N]
}

// stepWork is how many requests a step visits. So other messages wait for some 10 µs at most, even
// if no request is in the processor's cache. A request at many nodes counts as one more for each
// usesPerVisit of them, or for each of them if they are looked up.
const (
	stepWork     = 128
	usesPerVisit = 16
)

// runSurvey waits for the surveys before s, and then sends s for one step at a time until it is
// over. Its client has a token meanwhile, so no user code runs here: ended is the Done channel of
// the client's context.
func (m *Manager[N]) runSurvey(ended <-chan struct{}, s *survey[N]) outcome {
	select {
	case m.snapshotSem <- struct{}{}:
		defer func() { <-m.snapshotSem }()
	case <-ended:
		return outcomeCanceled
	case <-m.done:
		return outcomeStopped
	}
	// One call serves all steps: it is the client's again after each reply.
	c := m.emptyCall()
	c.inspector = s
	for !s.over {
		if o := m.sendWithin(ended, message[N]{kind: kindInspect, call: c}); o != outcomeSent {
			m.recycle(c)
			m.abandonSurvey(s)
			return o
		}
		select {
		case v := <-c.replies:
			if v != verdictDone { // the manager has refused the step, as it stops
				return outcomeStopped
			}
		case <-ended: // the manager may still write to c and s, so neither is used again
			m.abandonSurvey(s)
			return outcomeCanceled
		}
	}
	m.recycle(c)
	return outcomeSent
}

// abandonSurvey ends a survey that is not over. The table records requests for the survey until
// then. No client receives the reply, as the client of the survey returns at once.
//
// The next survey may begin before this message is handled. Then the table has abandoned s already.
func (m *Manager[N]) abandonSurvey(s *survey[N]) {
	c := &call[N]{inspector: surveyEnd[N]{s}, replies: make(chan verdict, 1)}
	m.post(message[N]{kind: kindInspect, call: c})
}

// inspect does one step of the survey.
func (s *survey[N]) inspect(l *loop[N]) {
	// The first step fixes the moment that the survey shows. From then on the table records a
	// request before it changes.
	if s.records == nil {
		l.readClock()
		s.began, s.stats, s.suspended = l.now, l.currentStats(), l.suspended()
		s.records, s.at = l.table.BeginSurvey(s.record), l.root
		l.survey = s
	}
	// A step goes on in the next scope with the work that is left. So many small scopes do not take
	// a message each.
	for work := stepWork; work > 0 && !s.over; {
		if work = s.at.table.StepSurvey(s.records, work); work > 0 {
			s.goOn(l)
		}
	}
}

// goOn goes on to the next scope. A scope that is made during the survey comes first in the list,
// and has no request for the survey. A scope that ends meanwhile is passed over by loop.remove.
func (s *survey[N]) goOn(l *loop[N]) {
	if s.at == l.root {
		s.at = l.inner
	} else {
		s.at = s.at.next
	}
	if s.over = s.at == nil; s.over {
		s.end(l)
	}
}

// A surveyEnd is the inspector that ends a survey before it is over.
type surveyEnd[N treelock.Node[N]] struct{ *survey[N] }

// inspect ends s, unless its first step was never handled.
func (s surveyEnd[N]) inspect(l *loop[N]) {
	if s.records != nil {
		s.end(l)
	}
}

// end ends the survey, complete or not. It does not affect a later one.
func (s *survey[N]) end(l *loop[N]) {
	l.table.EndSurvey(s.records)
	if l.survey == s {
		l.survey = nil
	}
}

// record adds r to the rows if the query selects it, and returns the work beyond that of one visit.
// The table calls it on the manager goroutine, in a step or before r changes.
func (s *survey[N]) record(r *locktable.Request[N, client[N]], waiting bool) (work int) {
	// The work of a step is bounded by nodes, not by requests, so that a wide request does not make
	// a step long.
	work = r.NodeUses() / usesPerVisit
	if s.reach != nil {
		work += r.NodeUses()
	}
	state, list := treelock.Holding, &s.holders
	if waiting {
		state, list = treelock.Waiting, &s.waiters
	}
	if !s.selects(r, state) {
		return work
	}
	if s.collect != nil {
		s.collect(r)
		return work
	}
	// matches counts all, also beyond the limit, so the client knows how many are left out.
	s.matches++
	// A row copies the node uses of a request, so none is made for a request that the limit would
	// drop.
	if s.limit <= 0 || list.len() < s.limit || list.keeps(r.Seq()) {
		row := &row[N]{req: r, seq: r.Seq(), state: state, since: r.Who.since, meta: r.Who.meta, uses: r.Uses()}
		if owner := r.Who.scope.owner; owner != nil {
			row.inside = owner.Seq()
		} else if e := entryOf(r); e != nil {
			row.token = e.Token
		}
		if grant := r.Widens(); grant != nil {
			row.widens = grant.Seq()
		}
		list.add(row, s.limit)
	}
	return work
}

// selects reports whether the query selects r.
func (s *survey[N]) selects(r *locktable.Request[N, client[N]], state treelock.State) bool {
	age := s.began.since(r.Who.since)
	return age >= s.minAge && !(s.own && foreign(r)) &&
		(s.due == nil || s.due(r.Seq(), state, age)) &&
		(s.reach == nil || r.Reaches(s.reach))
}
