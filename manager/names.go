package manager

import (
	"cmp"
	"slices"
	"time"

	"github.com/treelock/treelock"
)

// namingTimeout bounds how long a call whose context has ended looks for the requests that its
// error names.
const namingTimeout = 200 * time.Millisecond

// names are the earliest requests that a survey has found, for an error. Drain and Suspend wait in
// no queue, so explain cannot find what blocks them.
type names[N treelock.Node[N]] struct {
	blockers []treelock.Blocker[N]
	more     int
	atLeast  bool // the survey was not complete
}

// namesOf runs the survey s, and returns the earliest requests that it finds, as many as errors
// name. It takes bounded time, also if the manager is busy or stops. It is for calls whose context
// has ended, so it has a time-out of its own. On the client's goroutine.
func (m *Manager[N]) namesOf(s *survey[N]) (found names[N]) {
	s.limit = m.maxBlockers
	if s.limit == 0 { // WithBlockers(0) costs nothing
		return found
	}
	// runSurvey takes a channel like the Done channel of a context. A timer closes this one, so no
	// context is made.
	timeout := make(chan struct{})
	defer time.AfterFunc(namingTimeout, func() { close(timeout) }).Stop()
	// An incomplete survey may have missed the earliest requests, so none of its rows is named.
	if m.runSurvey(timeout, s) != outcomeSent {
		return names[N]{atLeast: true}
	}
	// Each of the lists has its earliest requests, up to the limit. So the earliest of both
	// together are among them.
	rows := append(s.waiters.sorted(), s.holders.sorted()...)
	slices.SortFunc(rows, func(a, b *row[N]) int { return cmp.Compare(a.seq, b.seq) })
	rows = rows[:min(len(rows), s.limit)]
	for _, row := range rows {
		found.blockers = append(found.blockers, blockerOf(row, s.began))
	}
	found.more = s.matches - len(rows)
	return found
}

// blockerOf returns what an error says of a request, with the first of its claims.
func blockerOf[N treelock.Node[N]](row *row[N], now instant) treelock.Blocker[N] {
	b := treelock.Blocker[N]{
		Number: row.seq,
		Label:  row.meta.labelOf(),
		State:  row.state,
		For:    row.meta.ageOf(now, row.since),
		Tag:    row.meta.tagOf(),

		Process: row.meta.processOf(),
	}
	// The empty request has no claim. It is live all the same, so Drain waits for it.
	if claims := row.claims(); len(claims) > 0 {
		b.Claim = claims[0]
	}
	return b
}

// blockedErr returns an error of op that names the requests. It returns nil if the last of them
// ended before the survey began, or if errors name none.
func (n names[N]) blockedErr(op string) error {
	if len(n.blockers) == 0 && !n.atLeast {
		return nil
	}
	return &treelock.BlockedError[N]{Op: op, Blockers: n.blockers, More: n.more, AtLeast: n.atLeast}
}
