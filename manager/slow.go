package manager

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/nodetext"
)

// SlowLog says what [WithSlowLog] reports, and where to.
type SlowLog struct {
	// Wait is how long a request waits before it is reported, and Hold how long it holds: a grant
	// that is never released is reported, too. Zero and negative report none.
	Wait, Hold time.Duration

	// Sites records where each request was made, for its report. It costs about a microsecond and
	// two allocations for each request.
	Sites bool

	// Logger gets the reports; nil means slog.Default() at each report. A handler that panics or
	// ends its goroutine loses that report. The next report waits for a handler for a second at
	// most. While four handlers have not returned, there are no reports.
	Logger *slog.Logger
}

// WithSlowLog reports requests that wait or hold for long, as warnings with their label, claims,
// age and site, and the blockers of those that wait, with a [PossibleCircle] that they are on. A
// request is reported when it has reached the threshold, and again whenever its age has doubled
// since. Of very many slow requests at a time the earliest come first, 200 that wait and 200 that
// hold in a round.
//
// A goroutine takes surveys for that, as [Manager.Snapshot] does, and writes the log. It ends soon
// after the manager. It looks four times in the shortest threshold, but at most every 5 ms, and at
// least once a second. After each round it rests for at least 20 times as long as it kept the
// manager busy.
//
// The String or MarshalText methods of nodes run on yet another goroutine, within 100 ms. A node
// whose method takes longer, panics or ends its goroutine is named by its type and address.
func WithSlowLog(s SlowLog) Option {
	return func(o *options) { o.slow = s }
}

// threshold returns the age from which on a request may be slow, or 0 if none ever is.
func (s SlowLog) threshold() time.Duration {
	if s.Wait <= 0 || s.Hold > 0 && s.Hold < s.Wait {
		return max(s.Hold, 0)
	}
	return s.Wait
}

// limit returns the threshold for requests in state.
func (s SlowLog) limit(state treelock.State) time.Duration {
	if state == treelock.Waiting {
		return s.Wait
	}
	return s.Hold
}

const (
	shortestRound = 5 * time.Millisecond
	longestRound  = time.Second
	maxReported   = 200 // requests of each state in one round
	restFactor    = 20  // how many times longer the watcher rests than it kept the manager busy
)

// A watcher reports slow requests. It belongs to one goroutine, that of Manager.watch. It learns of
// requests only by surveys and inspectors, so requests themselves cost nothing more.
type watcher[N treelock.Node[N]] struct {
	m    *Manager[N]
	slow SlowLog

	// next has, by keyOf, the age from which on a reported request is reported again.
	next map[uint64]time.Duration

	// busy is how long this round kept the manager busy, at most. It is measured on this side,
	// around each survey and each search, so it includes the time in the inbox.
	busy time.Duration

	strings  isolator // for the methods of nodes
	handlers isolator // for the logger
}

// watch is the goroutine of a watcher. A goroutine of its own takes surveys at a pace that depends
// on their cost, and the manager goroutine needs no timer.
func (m *Manager[N]) watch() {
	w := watcher[N]{
		m:        m,
		slow:     m.slow,
		next:     map[uint64]time.Duration{},
		strings:  newIsolator(maxStuck, textTimeout),
		handlers: newIsolator(maxStuck, handlerTimeout),
	}
	// Within these bounds, a report is late by a quarter of the threshold at most.
	pause := min(max(m.slow.threshold()/4, shortestRound), longestRound)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-m.stopBegun:
			return
		}
		// The timer starts anew after the round, so a slow round is not followed by another at
		// once.
		w.busy = 0
		w.round()
		timer.Reset(w.pauseAfter(pause))
	}
}

// pauseAfter returns the time until the next round. A slow handler does not make it longer, since
// the manager does not wait for the handler.
func (w *watcher[N]) pauseAfter(pause time.Duration) time.Duration {
	return max(pause, restFactor*w.busy)
}

// round reports the requests that are due. Those beyond maxReported stay due for the next round.
func (w *watcher[N]) round() {
	// next is a new map, which forgets requests that are no longer live or slow.
	next := make(map[uint64]time.Duration, len(w.next))
	s := &survey[N]{limit: maxReported}
	// due runs on the manager goroutine, while this one waits. So both may use the maps, one after
	// the other. If the manager stops before the last reply, neither uses them again.
	s.due = func(seq uint64, state treelock.State, age time.Duration) bool {
		key := keyOf(seq, state)
		if again, reported := w.next[key]; reported && age < again {
			next[key] = again
			return false
		}
		limit := w.slow.limit(state)
		return limit > 0 && age >= limit
	}
	start := time.Now()
	if w.m.runSurvey(w.m.stopBegun, s) != outcomeSent {
		return // the manager has stopped
	}
	w.busy += time.Since(start)
	waiters := s.waiters.sorted()
	circles := w.circles(waiters)
	for _, row := range append(waiters, s.holders.sorted()...) {
		if w.m.stopping() {
			return
		}
		age := s.began.since(row.since)
		w.report(row, age, circles[row.seq])
		next[keyOf(row.seq, row.state)] = 2 * age
	}
	w.next = next
}

// circles returns the possible circles of the requests that wait for long, by number. It takes a
// survey if one of due, which are to be reported, has a label.
//
// That survey selects by age, not only what is due: a circle may go through a request that was
// reported before.
func (w *watcher[N]) circles(due []*row[N]) map[uint64]PossibleCircle {
	if !slices.ContainsFunc(due, func(r *row[N]) bool { return r.meta.labelOf() != "" }) {
		return nil
	}
	s := &survey[N]{minAge: w.slow.Wait, limit: maxReported}
	start := time.Now()
	if w.m.runSurvey(w.m.stopBegun, s) != outcomeSent {
		return nil
	}
	w.busy += time.Since(start)
	snapshot, _ := w.m.buildSnapshot(context.Background(), s)
	circles := make(map[uint64]PossibleCircle)
	for _, circle := range snapshot.PossibleCircles {
		for _, step := range circle {
			circles[step.Number] = circle
		}
	}
	return circles
}

// keyOf tells requests apart, and the wait of one from its hold. So a request that was reported
// while it waited is reported anew when it holds for long.
func keyOf(seq uint64, state treelock.State) uint64 { return seq<<1 | uint64(state) }

// report logs one line about a request, which may be on a circle.
func (w *watcher[N]) report(row *row[N], age time.Duration, circle PossibleCircle) {
	r := &report[N]{info: w.m.infoOf(row)}
	message := "treelock: slow hold"
	// The blockers are asked for after the survey, one request at a time. A survey that explained
	// each request would keep the manager goroutine busy for too long.
	if row.state == treelock.Waiting {
		message = "treelock: slow wait"
		start := time.Now()
		r.blocked = w.m.explain(row)
		w.busy += time.Since(start)
		if r.blocked == nil {
			return // it no longer waits
		}
	}
	attrs := w.attrsOf(r, age)
	if circle != nil && r.blocked != nil {
		attrs = append(attrs, slog.String("possible_circle", circle.String()))
	}
	logger := w.slow.Logger
	if logger == nil {
		logger = slog.Default()
	}
	w.handlers.run(func() {
		logger.LogAttrs(context.Background(), slog.LevelWarn, message, attrs...)
	})
}

// attrsOf returns the attributes of the line about a request.
func (w *watcher[N]) attrsOf(r *report[N], age time.Duration) []slog.Attr {
	t := w.textsOf(r)
	attrs := []slog.Attr{
		slog.Uint64("number", r.info.Number),
		slog.Duration("for_ns", age),
		slog.String("claims", t.claims),
	}
	if r.info.Label != "" {
		attrs = append(attrs, slog.String("label", r.info.Label))
	}
	if r.info.Process != "" {
		attrs = append(attrs, slog.String("process", nodetext.Escaped(r.info.Process, treelock.MaxLabel)))
	}
	if r.info.Inside != 0 {
		attrs = append(attrs, slog.Uint64("inside", r.info.Inside))
	}
	if r.info.Widens != 0 {
		attrs = append(attrs, slog.Uint64("widens", r.info.Widens))
	}
	if r.info.Site != "" {
		attrs = append(attrs, slog.String("site", r.info.Site))
	}
	if r.blocked != nil {
		attrs = append(attrs, slog.Any("blocked_by", t.blockers))
	}
	return attrs
}
