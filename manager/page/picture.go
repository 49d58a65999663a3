package page

import (
	"slices"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A picture is a snapshot that is cut to what any format shows: of each request the first few claims.
type picture[N treelock.Node[N]] struct {
	manager.Snapshot[N]
	moreClaims map[uint64]int // by the number of the request: how many claims were cut
}

// pictureOf cuts s. The picture refers to none of the memory that it cuts.
func pictureOf[N treelock.Node[N]](s *manager.Snapshot[N]) *picture[N] {
	p := &picture[N]{*s, make(map[uint64]int)}
	for _, requests := range [][]manager.Live[N]{p.Holders, p.Waiters} {
		for i := range requests {
			r := &requests[i]
			if more := len(r.Claims) - mostClaims; more > 0 {
				p.moreClaims[r.Number] = more
				r.Claims = slices.Clone(r.Claims[:mostClaims])
			}
		}
	}
	return p
}

// count returns how many requests there are.
func (p *picture[N]) count() int { return len(p.Waiters) + len(p.Holders) }

// first returns a picture of n requests, half of them those that have waited for longest. What one half does not need is
// for the other, as in a snapshot.
func (p *picture[N]) first(n int) *picture[N] {
	if n >= p.count() {
		return p
	}
	waiters := min(len(p.Waiters), max(n-len(p.Holders), n-n/2))
	q := *p
	q.Holders, q.LeftOut = p.Holders[:n-waiters], p.LeftOut+p.count()-n
	there := make(map[uint64]bool, n)
	for _, r := range q.Holders {
		there[r.Number] = true
	}
	q.Waiters = slices.Clone(p.Waiters[:waiters])
	for i := range q.Waiters {
		r := &q.Waiters[i]
		r.BlockedBy = slices.DeleteFunc(slices.Clone(r.BlockedBy), func(seq uint64) bool { return !there[seq] })
		there[r.Number] = true
	}
	return &q
}

// fit makes something of as many requests as fit, at least half of what would.
func fit[N treelock.Node[N], T any](p *picture[N], try func(*picture[N]) (made T, fits bool)) T {
	for n := p.count(); ; n /= 2 {
		if made, fits := try(p.first(n)); fits || n == 0 {
			return made
		}
	}
}
