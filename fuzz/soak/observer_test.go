package soak_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// observe looks at m all the time until it has stopped, and checks that what it sees was so at one moment. Some snapshots are
// given up in the middle.
func (s *soak) observe(m *manager.Manager[treelock.Path], seed uint64) {
	rng := rand.New(rand.NewPCG(15, seed))
	for {
		s.checkStats(m.Stats())
		limit := rng.IntN(3)
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(20+rng.IntN(500))*time.Microsecond)
		s.observer.begin("Snapshot")
		picture, err := m.Snapshot(ctx, manager.Query[treelock.Path]{Limit: limit})
		s.observer.end()
		cancel()
		switch {
		case errors.Is(err, treelock.ErrStopped):
			<-m.Done()
			s.checkStats(m.Stats())
			return
		case errors.Is(err, context.DeadlineExceeded):
		case err != nil:
			s.fail("Snapshot() = %v, want a picture, or that it took too long", err)
		default:
			s.checkPicture(picture, limit)
		}
		<-time.After(time.Duration(rng.IntN(500)) * time.Microsecond) // so that there is more to be seen than itself
	}
}

// checkStats checks that no request is missing in the statistics, or counted twice.
func (s *soak) checkStats(stats manager.Stats) {
	holding := uint64(stats.Live - stats.Waiting)
	if stats.Granted-stats.Released != holding || stats.Waited-stats.Withdrawn-stats.WaitTime.Count() != uint64(stats.Waiting) {
		s.fail("Stats() = %+v, which does not add up", stats)
	}
}

// checkPicture checks that all live requests are in the picture, or left out for its limit, and that who waits waits for earlier ones.
func (s *soak) checkPicture(p *manager.Snapshot[treelock.Path], limit int) {
	s.checkStats(p.Stats)
	live := len(p.Holders) + len(p.Waiters)
	if live+p.LeftOut != p.Stats.Live || limit > 0 && live > limit {
		s.fail("a snapshot with limit %d shows %d of %d and leaves out %d", limit, live, p.Stats.Live, p.LeftOut)
	}
	there := make(map[uint64]bool, live)
	for r := range p.All() {
		there[r.Number] = true
	}
	for _, r := range p.Waiters {
		for _, seq := range r.BlockedBy {
			if !there[seq] || seq >= r.Number {
				s.fail("in a snapshot %d waits for %d, which is not there, or later", r.Number, seq)
			}
		}
		if limit == 0 && len(r.BlockedBy) == 0 {
			s.fail("in a snapshot %d waits for nobody", r.Number)
		}
	}
}
