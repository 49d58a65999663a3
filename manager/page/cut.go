package page

import (
	"slices"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// What is shown at most, in any format.
const (
	maxClaims     = 8  // of a request, or nodes of a suspension
	maxSuspended  = 8  // suspensions
	maxCircleSize = 32 // requests of a possible circle
)

// A cutSnapshot is a snapshot with the first maxClaims claims of each request.
type cutSnapshot[N treelock.Node[N]] struct {
	manager.Snapshot[N]
	moreClaims map[uint64]int // by the number of the request: how many claims are cut
}

// cut changes s. The result keeps none of the memory that it cuts, but for suspensions.
func cut[N treelock.Node[N]](s *manager.Snapshot[N]) *cutSnapshot[N] {
	c := &cutSnapshot[N]{*s, make(map[uint64]int)}
	for _, requests := range [][]manager.RequestInfo[N]{c.Holders, c.Waiters} {
		for i := range requests {
			r := &requests[i]
			if more := len(r.Claims) - maxClaims; more > 0 {
				c.moreClaims[r.Number] = more
				r.Claims = slices.Clone(r.Claims[:maxClaims])
			}
		}
	}
	c.Suspended = c.Suspended[:min(len(c.Suspended), maxSuspended)]
	c.PossibleCircles = slices.DeleteFunc(c.PossibleCircles, func(circle manager.PossibleCircle) bool {
		return len(circle) > maxCircleSize
	})
	return c
}

func (c *cutSnapshot[N]) count() int { return len(c.Waiters) + len(c.Holders) }

// first returns n requests of c: half of them the longest waiters, half the earliest holders. A
// place that one half does not need goes to the other, as in a snapshot.
func (c *cutSnapshot[N]) first(n int) *cutSnapshot[N] {
	if n >= c.count() {
		return c
	}
	waiters := min(len(c.Waiters), max(n-len(c.Holders), n-n/2))
	part := *c
	part.Holders, part.LeftOut = c.Holders[:n-waiters], c.LeftOut+c.count()-n
	included := make(map[uint64]bool, n)
	for _, r := range part.Holders {
		included[r.Number] = true
	}
	part.Waiters = slices.Clone(c.Waiters[:waiters])
	for i := range part.Waiters {
		r := &part.Waiters[i]
		r.BlockedBy = slices.DeleteFunc(slices.Clone(r.BlockedBy),
			func(number uint64) bool { return !included[number] })
		included[r.Number] = true
	}
	return &part
}

// fit calls try with fewer and fewer requests until the result fits. The result has at least half
// of the requests that would fit.
func fit[N treelock.Node[N], T any](c *cutSnapshot[N], try func(*cutSnapshot[N]) (T, bool)) T {
	for n := c.count(); ; n /= 2 {
		if result, fits := try(c.first(n)); fits || n == 0 {
			return result
		}
	}
}

// prepareClaims calls prepare, which may run user code and returns a value and its size, for all
// claims of a part of s. The part has at least half of the requests whose values fit into an
// answer.
func prepareClaims[N treelock.Node[N], T any](
	s *cutSnapshot[N], prepare func(treelock.Claim[N]) (T, int),
) (part *cutSnapshot[N], values map[treelock.Claim[N]]T) {
	part = fit(s, func(part *cutSnapshot[N]) (*cutSnapshot[N], bool) {
		values = make(map[treelock.Claim[N]]T)
		room := maxAnswer
		for live := range part.All() {
			for _, c := range live.Claims {
				if _, done := values[c]; done {
					continue
				}
				value, size := prepare(c)
				if room -= size; room < 0 {
					return part, false
				}
				values[c] = value
			}
		}
		return part, true
	})
	return part, values
}
