package davlock

import (
	"context"
	"errors"

	"github.com/treelock/treelock"
)

// A Pass permits the changes it was given for, until Leave.
type Pass struct{ inside []treelock.Grant[Path] }

// Enter returns a pass for changes by a user who presents tokens. The error is a [LockedError] if a
// lock refuses a change. Enter never waits for other clients. The caller holds write claims of the
// changes in the tree of methods. Tokens of other users, and unknown ones, count for nothing.
func (t *Table) Enter(ctx context.Context, user string, tokens []string, changes ...Claim) (*Pass, error) {
	pass := &Pass{}
	var refused error
	err := t.do(func(s *state) { refused = s.enter(ctx, pass, user, tokens, changes) })
	if err = errors.Join(err, refused); err != nil {
		pass.Leave()
		return nil, err
	}
	return pass, nil
}

// Leave ends the pass.
func (p *Pass) Leave() {
	for _, g := range p.inside {
		g.Release()
	}
	p.inside = nil
}

// enter is Enter on the goroutine of the table.
func (s *state) enter(ctx context.Context, pass *Pass, user string, tokens []string, changes []Claim) error {
	presented := map[*lock]bool{}
	for _, token := range tokens {
		if l, err := s.find(token, user); err == nil {
			presented[l] = true
		}
	}
	var refusing []*lock
	type hold struct {
		lock   *lock
		region Claim
	}
	var holds []hold
	for _, change := range changes {
		for _, l := range s.meeting(change) {
			region := overlap(l, change)
			switch {
			case presented[l] && l.remote: // the claims of the method keep its resources: see L3
			case presented[l]:
				holds = append(holds, hold{l, region})
			case !l.Shared || !sharedCovers(presented, region):
				refusing = append(refusing, l)
			}
		}
	}
	if len(refusing) > 0 {
		return lockedError(refusing)
	}
	for _, h := range holds {
		g, err := h.lock.grant.TryAcquire(ctx, request(h.region))
		// Changes of one method may overlap, and share a node of a lock. The first hold is enough.
		if err != nil && !errors.Is(err, treelock.ErrConflict) {
			return err
		}
		pass.inside = append(pass.inside, g)
	}
	return nil
}

// overlap returns the region that a lock and a change share, with the access of the lock. The two
// meet, so one of them covers the node of the other.
func overlap(l *lock, change Claim) Claim {
	region := change
	if l.Root != change.Node && change.Node.Contains(l.Root) {
		region = l.claim()
	} else if !l.Infinite {
		region.Scope = treelock.NodeOnly
	}
	region.Access = l.claim().Access
	return region
}

// sharedCovers reports whether a presented shared lock covers a region: of several shared locks on
// a resource, the token of one is enough.
func sharedCovers(presented map[*lock]bool, region Claim) bool {
	for l := range presented {
		if l.Shared && l.claim().Covers(region) {
			return true
		}
	}
	return false
}
