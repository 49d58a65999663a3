package bench_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// BenchmarkVisible is BenchmarkLock of treelock with what makes it visible. with=nothing looks for
// no blockers; default is a manager without options; labels has a label on each request;
// thresholds has a log of slow requests, and sites one that also notes where requests are made.
func BenchmarkVisible(b *testing.B) {
	slow := manager.SlowLog{Wait: time.Second, Hold: time.Second, Logger: slog.New(slog.DiscardHandler)}
	sites := slow
	sites.Sites = true
	for _, clients := range []int{1, 32} {
		for _, nodes := range []string{"disjoint", "contended"}[:min(clients, 2)] {
			c := lockCase{"write", nodes, 4}
			for _, with := range []struct {
				name   string
				option manager.Option
				label  string
			}{
				{"nothing", manager.WithBlockers(0), ""},
				{"default", manager.WithBlockers(-1), ""},
				{"labels", manager.WithBlockers(-1), "rename 17"},
				{"thresholds", manager.WithSlowLog(slow), ""},
				{"sites", manager.WithSlowLog(sites), ""},
			} {
				name := fmt.Sprintf("impl=treelock/with=%s%v/clients=%d", with.name, c, clients)
				b.Run(name, func(b *testing.B) {
					m := startManager(b, with.option)
					inParallel(b, clients, func(client int) func() {
						return acquireStep(b, m, request(c.op, c.node(client)).Labeled(with.label))
					})
				})
			}
		}
	}
}

// BenchmarkRefusal is a TryAcquire that is refused, by one holder of the same node or by one of
// many holders below it.
func BenchmarkRefusal(b *testing.B) {
	for _, blockers := range []int{0, 4} {
		for _, where := range []string{"here", "below"} {
			b.Run(fmt.Sprintf("impl=treelock/blockers=%d/where=%s", blockers, where), func(b *testing.B) {
				m := startManager(b, manager.WithBlockers(blockers))
				held := path("/a/b/c/d")
				if where == "below" {
					for i := range 10_000 {
						must(m.TryAcquire(b.Context(), treelock.Write(inForest("elsewhere", i))))
					}
					held = "/a/b/c/d/e"
				}
				must(m.TryAcquire(b.Context(), treelock.Write(held)))
				req := treelock.Write("/a/b/c/d")
				b.ReportAllocs()
				for b.Loop() {
					if _, err := m.TryAcquire(b.Context(), req); err == nil {
						b.Fatal("TryAcquire() has granted what is held")
					}
				}
			})
		}
	}
}

// BenchmarkSnapshot is an acquire and a release by one client among a million grants: how long each
// of them takes while snapshots are taken one after the other, and how long a snapshot takes.
func BenchmarkSnapshot(b *testing.B) {
	const live = 1_000_000
	type query = manager.Query[path]
	for _, what := range []struct {
		name  string
		query *query
	}{
		{"none", nil},
		{"limit=1000", &query{Limit: 1000}},
		{"below=/live/50/limit=1000", &query{Below: []path{"/live/50"}, Limit: 1000}},
		{"limit=100000", &query{Limit: 100_000}},
	} {
		b.Run(fmt.Sprintf("impl=treelock/live=%d/snapshots=%s", live, what.name), func(b *testing.B) {
			m := startManager(b)
			for i := range live {
				must(m.TryAcquire(b.Context(), treelock.Write(inForest("live", i))))
			}
			step := acquireStep(b, m, treelock.Write("/a/b/c/d"))
			ctx, cancel := context.WithCancel(b.Context())
			var done sync.WaitGroup
			var snapshots int
			var took time.Duration
			done.Go(func() {
				for what.query != nil && ctx.Err() == nil {
					start := time.Now()
					if _, err := m.Snapshot(ctx, *what.query); err == nil {
						snapshots, took = snapshots+1, took+time.Since(start)
					}
				}
			})
			times := make([]time.Duration, 0, b.N)
			b.ResetTimer()
			for range b.N {
				start := time.Now()
				step()
				times = append(times, time.Since(start))
			}
			b.StopTimer()
			cancel()
			done.Wait()
			if snapshots > 0 {
				b.ReportMetric(float64(took.Milliseconds())/float64(snapshots), "ms/snapshot")
			}
			reportPercentiles(b, times, 50, 99.9)
		})
	}
}
