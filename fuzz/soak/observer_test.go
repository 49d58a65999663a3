package soak_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// observe takes snapshots of m until it has stopped, and checks that each shows one moment. Some
// snapshots are canceled before their end.
func (s *soak) observe(m *manager.Manager[path], seed uint64) {
	rng := rand.New(rand.NewPCG(15, seed))
	for {
		s.checkStats(m.Stats())
		limit := rng.IntN(3)
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(20+rng.IntN(500))*time.Microsecond)
		snapshot, err := m.Snapshot(ctx, manager.Query[path]{Limit: limit})
		cancel()
		switch {
		case errors.Is(err, treelock.ErrStopped):
			<-m.Done()
			s.checkStats(m.Stats())
			return
		case errors.Is(err, context.DeadlineExceeded):
		case err != nil:
			s.fail("Snapshot() = %v, want a snapshot, or that it took too long", err)
		default:
			s.checkSnapshot(snapshot, limit)
		}
		<-time.After(time.Duration(rng.IntN(500)) * time.Microsecond) // for the clients
	}
}

// checkStats checks that the statistics count each request once.
func (s *soak) checkStats(stats manager.Stats) {
	holding := uint64(stats.Live - stats.Waiting)
	if stats.Granted-stats.Released != holding || stats.Waited-stats.Withdrawn-stats.WaitTime.Count() != uint64(stats.Waiting) {
		s.fail("Stats() = %+v, which does not add up", stats)
	}
}

// checkSnapshot checks that all live requests are in the snapshot, or left out for its limit, and
// that waiters wait for earlier ones.
func (s *soak) checkSnapshot(p *manager.Snapshot[path], limit int) {
	s.checkStats(p.Stats)
	live := len(p.Holders) + len(p.Waiters)
	if live+p.LeftOut != p.Stats.Live || limit > 0 && live > limit {
		s.fail("a snapshot with limit %d shows %d of %d and leaves out %d", limit, live, p.Stats.Live, p.LeftOut)
	}
	shown := make(map[uint64]bool, live)
	for r := range p.All() {
		shown[r.Number] = true
	}
	for _, r := range p.Waiters {
		for _, number := range r.BlockedBy {
			if !shown[number] || number >= r.Number {
				s.fail("in a snapshot request %d waits for %d, which is not shown, or later", r.Number, number)
			}
		}
		if limit == 0 && len(r.BlockedBy) == 0 {
			s.fail("in a snapshot request %d waits without a blocker", r.Number)
		}
	}
}
