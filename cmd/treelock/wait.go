package main

import (
	"fmt"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// shownBlockers is how many blockers of a request are shown. The others are counted.
const shownBlockers = 4

// A waiting is what a request waits for at one moment.
type waiting struct {
	what     string                            // it claims
	age      time.Duration                     // how long it has waited
	blockers []treelock.Blocker[treelock.Path] // the earliest ones
	before   int                               // how many requests it waits for: its place
	atLeast  bool                              // there may be more of them
}

// waitingOf finds the request with a tag in a snapshot. ok is false if it does not wait.
func waitingOf(s *manager.Snapshot[treelock.Path], tag any) (w waiting, ok bool) {
	known := make(map[uint64]manager.RequestInfo[treelock.Path])
	for info := range s.All() {
		known[info.Number] = info
	}
	for _, info := range s.Waiters {
		if info.Tag != tag {
			continue
		}
		w.what = treelock.Request[treelock.Path]{}.With(info.Claims...).String()
		w.age = seconds(s.Taken.Sub(info.Since))
		w.before, w.atLeast = len(info.BlockedBy)+info.More, info.AtLeast
		for _, number := range info.BlockedBy {
			if b, ok := known[number]; ok && len(w.blockers) < shownBlockers {
				w.blockers = append(w.blockers, blocker(b, info.Claims, s.Taken))
			}
		}
		return w, true
	}
	return w, false
}

// blocker describes a request that another one waits for, by a claim that conflicts with one of the
// other's.
func blocker(b manager.RequestInfo[treelock.Path], wanted []treelock.Claim[treelock.Path], now time.Time) treelock.Blocker[treelock.Path] {
	found := treelock.Blocker[treelock.Path]{
		Number: b.Number, Label: b.Label, Process: b.Process, State: b.State, For: seconds(now.Sub(b.Since)),
	}
	if b.Older {
		found.For = -1 // it is not known
	}
	for _, c := range b.Claims {
		for _, w := range wanted {
			if c.Conflicts(w) {
				found.Claim, found.Wanted = c, w
				return found
			}
		}
	}
	return found
}

func seconds(d time.Duration) time.Duration { return max(d, 0).Truncate(time.Second) }

// line says on one line what is waited for.
func (w waiting) line() string {
	text := fmt.Sprintf("treelock: waiting for %s", w.what)
	if len(w.blockers) > 0 {
		text += fmt.Sprintf(", blocked by %v", w.blockers[0])
	}
	if more := w.before - 1; more > 0 {
		text += fmt.Sprintf(" and %s", w.others(more))
	}
	return text
}

// others returns a count of requests.
func (w waiting) others(n int) string {
	if w.atLeast {
		return fmt.Sprintf("at least %d others", n)
	} else if n == 1 {
		return "1 other"
	}
	return fmt.Sprintf("%d others", n)
}

// key is the same while only time has passed.
func (w waiting) key() string {
	if len(w.blockers) == 0 {
		return w.what
	}
	return fmt.Sprint(w.what, w.blockers[0].Number, w.blockers[0].State, w.before, w.atLeast)
}

// lines says on several lines what is waited for, for a terminal. The first one is a heading.
func (w waiting) lines() []string {
	place := ""
	switch {
	case w.atLeast:
		place = fmt.Sprintf(", at least %d requests before it", w.before)
	case w.before == 1:
		place = ", 1 request before it"
	case w.before > 1:
		place = fmt.Sprintf(", %d requests before it", w.before)
	}
	all := []string{fmt.Sprintf("treelock: waiting for %s for %v%s", w.what, w.age, place)}
	for _, b := range w.blockers {
		all = append(all, "  "+b.String())
	}
	if more := w.before - len(w.blockers); more > 0 {
		all = append(all, "  and "+w.others(more))
	}
	return all
}
