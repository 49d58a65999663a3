package trace

import (
	"github.com/treelock/treelock"
)

func (r *Replay[N]) revoke(n uint64) {
	if r.live[n] == nil {
		r.refuse(treelock.ErrNotHeld, RevokeOver)
		return
	}
	r.lose(n)
}

// lose ends a live request and all requests inside it.
func (r *Replay[N]) lose(n uint64) {
	q := r.live[n]
	if r.isWaiting(n) {
		saw(RevokeWaiting)
		r.fail(n, treelock.ErrLost)
		return
	}
	if q.widening != 0 {
		r.fail(q.widening, treelock.ErrLost)
	}
	r.failInside(n, treelock.ErrLost)
	for _, inner := range r.inside(n) {
		saw(RevokeInside)
		r.lose(inner)
	}
	if q.released {
		saw(RevokeReleased)
		return
	}
	saw(RevokeHeld)
	if r.lost = append(r.lost, n); len(r.lost) > maxLost {
		r.lost = r.lost[1:]
	}
	r.end(n)
}
