package trace

import (
	"slices"

	"github.com/treelock/treelock"
)

func (r *Replay[N]) waitUnder(s *Step[N]) {
	if r.closesCircle(s.Number, s.Under) {
		r.refuse(treelock.ErrDeadlock, WaitDeadlock)
		return
	}
	saw(WaitUnderGrants)
}

// closesCircle reports whether the waiting request n is on a circle, now that its caller holds the
// grants in under. If not, the request keeps under.
func (r *Replay[N]) closesCircle(n uint64, under []uint64) bool {
	q := r.live[n]
	before := q.under
	q.under = append(slices.Clip(before), under...)
	start := r.vertex(n)
	seen, next := map[uint64]bool{}, r.lastUntil(start)
	for len(next) > 0 {
		a := next[0]
		next = next[1:]
		if a == start {
			q.under = before
			return true
		}
		if !seen[a] {
			seen[a] = true
			next = append(next, r.lastUntil(a)...)
		}
	}
	return false
}

// vertex returns the grant if a request is a widening, otherwise n.
func (r *Replay[N]) vertex(n uint64) uint64 {
	if grant := r.live[n].widens; grant != 0 {
		return grant
	}
	return n
}

// lastUntil returns the requests until whose ends a request lasts: what it or its widening waits
// for, what its holder waits for, in a Suspend too, and the grants inside it.
func (r *Replay[N]) lastUntil(n uint64) (until []uint64) {
	for _, part := range []uint64{n, r.live[n].widening} {
		if part != 0 && r.isWaiting(part) {
			for _, blocker := range r.scopeOf(part).Blockers(name(part)) {
				until = append(until, r.vertex(number(blocker)))
			}
		}
	}
	for m, q := range r.live {
		switch {
		case q.inside == n && r.granted(m), r.isWaiting(m) && r.isHeld(n) && slices.Contains(q.under, n):
			// A holder that widens its grant under the context with that grant waits for no more.
			if v := r.vertex(m); v != n {
				until = append(until, v)
			}
		}
	}
	for _, s := range r.suspends {
		for _, m := range s.Live {
			if slices.Contains(s.Under, n) && r.isHeld(n) && r.live[m] != nil && r.vertex(m) != n {
				until = append(until, r.vertex(m))
			}
		}
	}
	return until
}
