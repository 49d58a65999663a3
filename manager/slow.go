package manager

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/treelock/treelock"
)

// SlowLog says what [WithSlowLog] reports, and where to.
type SlowLog struct {
	Wait time.Duration // requests that wait for as long as this; 0: none
	Hold time.Duration // and those that hold for as long: a grant that is never released is one of these. 0: none

	// Sites makes each request note where it was made, to be told with it. That costs about a microsecond and an allocation for
	// each request.
	Sites bool

	Logger *slog.Logger // nil: slog.Default() at each report
}

// WithSlowLog reports requests that wait or hold for long, as warnings, with their label, claims and age, where they
// were made, and what keeps those that wait. A request is reported when it has reached the threshold, and again whenever its age has
// doubled since. That is up to a quarter of the threshold late, and more if there are so many requests that looking at them takes a while;
// of very many at a time, the earliest ones come first.
//
// A goroutine of its own does that: it takes snapshots (see [Manager.Snapshot]), and writes the log. It ends soon after the manager.
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

const (
	shortestRound  = 5 * time.Millisecond
	longestRound   = time.Second
	maxReported    = 200 // requests in one round
	shareOfWatcher = 20  // it rests for so many times as long as a round took
)

// A watcher reports slow requests.
type watcher[N treelock.Node[N]] struct {
	m    *Manager[N]
	slow SlowLog
	next map[uint64]time.Duration // by keyOf, for those that were reported, the age from which on they are again
}

// watch is the goroutine of a watcher.
func (m *Manager[N]) watch() {
	w := watcher[N]{m: m, slow: m.slow, next: map[uint64]time.Duration{}}
	pause := min(max(m.slow.threshold()/4, shortestRound), longestRound)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-m.ctx.Done():
			return
		}
		start := time.Now()
		w.round()
		timer.Reset(max(pause, shareOfWatcher*time.Since(start)))
	}
}

// round reports those that are due. If there are too many for one round, the others still are in the next.
func (w *watcher[N]) round() {
	next := make(map[uint64]time.Duration, len(w.next)) // what is not live any more, or not slow, is forgotten
	s := &survey[N]{limit: maxReported}
	s.due = func(seq uint64, state treelock.State, age time.Duration) bool { // on the manager goroutine, while this one waits
		if again, reported := w.next[keyOf(seq, state)]; reported && age < again {
			next[keyOf(seq, state)] = again
			return false
		}
		limit := w.slow.limit(state)
		return limit > 0 && age >= limit
	}
	if err := w.m.conduct(w.m.ctx, s); err != nil {
		return // the manager has stopped
	}
	for _, row := range append(s.waiters.sorted(), s.holders.sorted()...) {
		age := s.at.since(row.since)
		w.report(row, age)
		next[keyOf(row.seq, row.state)] = 2 * age
	}
	w.next = next
}

// keyOf tells requests apart, and the wait of one from its hold.
func keyOf(seq uint64, state treelock.State) uint64 { return seq<<1 | uint64(state) }

// limit returns the threshold for requests in state.
func (s SlowLog) limit(state treelock.State) time.Duration {
	if state == treelock.Waiting {
		return s.Wait
	}
	return s.Hold
}

// report writes one line.
func (w *watcher[N]) report(row *sighting[N], age time.Duration) {
	live := w.m.describe(row)
	attrs := []slog.Attr{slog.Uint64("number", live.Number), slog.Duration("for_ns", age), slog.String("claims", namesOf(live.Claims))}
	if live.Label != "" {
		attrs = append(attrs, slog.String("label", live.Label))
	}
	if live.Site != "" {
		attrs = append(attrs, slog.String("site", live.Site))
	}
	message := "treelock: slow hold"
	if row.state == treelock.Waiting {
		message = "treelock: slow wait"
		blocked := w.m.why(row)
		if blocked == nil {
			return // it waits no longer
		}
		attrs = append(attrs, slog.Any("blocked_by", namesOfBlockers(blocked)))
	}
	logger := w.slow.Logger
	if logger == nil {
		logger = slog.Default()
	}
	logger.LogAttrs(context.Background(), slog.LevelWarn, message, attrs...)
}

// namesOf names claims in one string, of bounded length.
func namesOf[N treelock.Node[N]](claims []treelock.Claim[N]) string {
	const most = 8
	var names []string
	for _, claim := range claims[:min(most, len(claims))] {
		names = append(names, brief(claim))
	}
	if len(claims) > most {
		names = append(names, fmt.Sprintf("and %d more", len(claims)-most))
	}
	return strings.Join(names, ", ")
}

func namesOfBlockers[N treelock.Node[N]](e *treelock.BlockedError[N]) (names []string) {
	for _, b := range e.Blockers {
		names = append(names, b.String())
	}
	switch {
	case e.AtLeast && len(names) == 0:
		names = append(names, "some among too many to be looked through")
	case e.AtLeast:
		names = append(names, fmt.Sprintf("and at least %d more", e.More))
	case e.More > 0:
		names = append(names, fmt.Sprintf("and %d more", e.More))
	}
	return names
}
