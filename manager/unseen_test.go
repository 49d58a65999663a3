package manager_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// TestClientWithoutAnEndIsToldWhyItIsRefused: it waits for one answer only, whatever that is.
func TestClientWithoutAnEndIsToldWhyItIsRefused(t *testing.T) {
	m := manager.Start(t.Context(), manager.WithMaxWaiting(0))
	holder := must(m.Acquire(context.Background(), treelock.Write("/a")))
	if _, err := m.Acquire(context.Background(), treelock.Write("/a")); !errors.Is(err, treelock.ErrBusy) {
		t.Errorf("Acquire() = %v, want ErrBusy", err)
	}
	holder.Release()
	if err := m.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Acquire(context.Background(), treelock.Write("/a")); !errors.Is(err, treelock.ErrDraining) {
		t.Errorf("Acquire() = %v, want ErrDraining", err)
	}
}

// TestSnapshotWithALimitShowsFewHolders: waiters take the rows that holders do not need.
func TestSnapshotWithALimitShowsFewHolders(t *testing.T) {
	m := manager.Start(t.Context())
	must(m.TryAcquire(treelock.Write("/a")))
	for range 20 {
		must(m.Submit(t.Context(), treelock.Write("/a")))
	}
	s := must(m.Snapshot(t.Context(), query{Limit: 10}))
	if len(s.Holders) != 1 || len(s.Waiters) != 9 || s.LeftOut != 11 {
		t.Errorf("%d holders, %d waiters, %d left out, want 1, 9 and 11", len(s.Holders), len(s.Waiters), s.LeftOut)
	}
}

// TestSnapshotLooksAtItsContextAmongWaiters: for each 256 of them once more, when it finds their blockers.
func TestSnapshotLooksAtItsContextAmongWaiters(t *testing.T) {
	m := manager.Start(t.Context())
	must(m.TryAcquire(treelock.Write("/a")))
	for range 1000 {
		must(m.Submit(t.Context(), treelock.Write("/a")))
	}
	asked := &moody{Context: t.Context(), patience: 1 << 30}
	must(m.Snapshot(asked, query{}))
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := m.Snapshot(&fickle{ctx, cancel, asked.asked}, query{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Snapshot() = %v with a context that ends at the last of %d looks, want its error", err, asked.asked)
	}
	if asked.asked < 8 {
		t.Errorf("Snapshot() has looked at its context %d times for 1,000 waiters, want 8", asked.asked)
	}
}

// TestSnapshotNamesEachBlockerOnceAndByArrival: also if one is in the way at several nodes, or in several modes.
func TestSnapshotNamesEachBlockerOnceAndByArrival(t *testing.T) {
	m := manager.Start(t.Context())
	must(m.TryAcquire(treelock.Read("/a").Read("/b"))) // #1
	must(m.TryAcquire(treelock.Read("/a/b")))          // #2
	must(m.TryAcquire(treelock.Read("/a")))            // #3
	must(m.Submit(t.Context(), treelock.Write("/a", "/b")))
	got := must(m.Snapshot(t.Context(), query{})).Waiters[0]
	if diff := cmp.Diff([]uint64{1, 2, 3}, got.BlockedBy); diff != "" || got.More != 0 {
		t.Errorf("%d more, want 0; -want +got:\n%s", got.More, diff)
	}
}

// TestSnapshotSaysAtLeastOnlyWhereItMust: 64 at a node are counted.
func TestSnapshotSaysAtLeastOnlyWhereItMust(t *testing.T) {
	for holders, atLeast := range map[int]bool{63: false, 64: false, 65: true} {
		m := manager.Start(t.Context())
		for range holders {
			must(m.TryAcquire(treelock.Read("/a")))
		}
		must(m.Submit(t.Context(), treelock.Write("/a")))
		got := must(m.Snapshot(t.Context(), query{})).Waiters[0]
		if got.AtLeast != atLeast || got.More != min(holders, 64)-8 {
			t.Errorf("behind %d: %d more, at least: %t, want %d and %t", holders, got.More, got.AtLeast, min(holders, 64)-8, atLeast)
		}
	}
}

// TestNoErrorNamesMoreThan64Blockers: wherever they are.
func TestNoErrorNamesMoreThan64Blockers(t *testing.T) {
	m := manager.Start(t.Context(), manager.WithBlockers(1000))
	for range 50 {
		must(m.TryAcquire(treelock.Read("/a")))
		must(m.TryAcquire(treelock.Read("/b")))
	}
	_, err := m.TryAcquire(treelock.Write("/a", "/b"))
	if got := blockedBy(t, err); len(got.Blockers) != 64 || got.More != 36 {
		t.Errorf("%d blockers are named, %d more, want 64 and 36", len(got.Blockers), got.More)
	}
}

// TestErrorsShowFewClaims: of a request and of a cause, however large these are.
func TestErrorsShowFewClaims(t *testing.T) {
	m := manager.Start(t.Context())
	paths := []path{"/a"}
	for i := range 1000 {
		paths = append(paths, path(fmt.Sprint("/a/", i)))
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New(strings.Repeat("cause ", 100_000)))
	_, ended := m.Acquire(ctx, treelock.Write(paths...))
	must(m.TryAcquire(treelock.Write("/a")))
	_, conflict := m.TryAcquire(treelock.Write(paths...))
	for _, err := range []error{ended, conflict} {
		if text := err.Error(); len(text) > 2000 || !strings.Contains(text, "99") {
			t.Errorf("an error of %d bytes: %.600s, want at most 2,000, and how many claims there are", len(text), text)
		}
	}
}

// TestDefaultsAreThoseOfTheirDocs: without an option, and where zero means the default.
func TestDefaultsAreThoseOfTheirDocs(t *testing.T) {
	for name, opts := range map[string][]manager.Option{
		"none": nil,
		"zero": {manager.WithMaxDepth(0), manager.WithMaxPath(0), manager.WithMaxClaims(0), manager.WithClients(0)},
		"negative": {
			manager.WithMaxDepth(-1), manager.WithMaxPath(-1), manager.WithMaxClaims(-1), manager.WithClients(-1),
			manager.WithIdleNodes(-1), manager.WithBlockers(-1), manager.WithMaxWaiting(-1),
		},
	} {
		m := manager.Start(t.Context(), opts...)
		fits := []treelock.Request[path]{
			treelock.Read(path(strings.Repeat("/d", 4095))), treelock.Read(path("/" + strings.Repeat("x", 65_535))),
			treelock.Read(slices.Repeat([]path{"/a"}, 65_536)...),
		}
		for i, req := range fits {
			if _, err := m.TryAcquire(req); err != nil {
				t.Errorf("options: %s: request %d = %.300v, want a grant", name, i, err)
			}
		}
		for _, test := range []struct {
			req  treelock.Request[path]
			want error
		}{
			{treelock.Read(path(strings.Repeat("/d", 4096))), treelock.ErrTooDeep},
			{treelock.Read(path("/" + strings.Repeat("x", 65_536))), treelock.ErrTooLong},
			{treelock.Read(slices.Repeat([]path{"/a"}, 65_537)...), treelock.ErrTooWide},
		} {
			if _, err := m.TryAcquire(test.req); !errors.Is(err, test.want) {
				t.Errorf("options: %s: TryAcquire() = %.300v, want %v", name, err, test.want)
			}
		}
	}
}

// TestSmallestLimits: the root alone has a lineage of one.
func TestSmallestLimits(t *testing.T) {
	m := manager.Start(t.Context(), manager.WithMaxDepth(1), manager.WithMaxPath(1), manager.WithMaxClaims(1))
	must(m.TryAcquire(treelock.Write("/"))).Release()
	for _, p := range []path{"/a", "/a/b"} {
		if _, err := m.TryAcquire(treelock.Write(p)); !errors.Is(err, treelock.ErrTooLong) {
			t.Errorf("TryAcquire(%s) = %v, want ErrTooLong", p, err)
		}
	}
	m = manager.Start(t.Context(), manager.WithMaxDepth(2))
	must(m.TryAcquire(treelock.Write("/", "/a"))).Release()
	if _, err := m.TryAcquire(treelock.Write("/a/b")); !errors.Is(err, treelock.ErrTooDeep) {
		t.Errorf("TryAcquire(/a/b) = %v, want ErrTooDeep", err)
	}
}

// acquireHere, and the others below, are functions whose names are looked for.
func acquireHere(m *manager.Manager[path], ctx context.Context) {
	must(m.Acquire(ctx, treelock.Read("/a")))
}

func tryHere(m *manager.Manager[path]) { must(m.TryAcquire(treelock.Read("/a"))) }

func submitHere(m *manager.Manager[path], ctx context.Context) {
	must(m.Submit(ctx, treelock.Read("/a")))
}

func doHere(m *manager.Manager[path], ctx context.Context) {
	m.Do(ctx, treelock.Read("/a"), func(ctx context.Context) error { <-ctx.Done(); return nil })
}

// TestSitesNameTheCaller: the function that calls the package, and no other; or what began the goroutine.
func TestSitesNameTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context(), manager.WithSlowLog(manager.SlowLog{Sites: true}))
		acquireHere(m, t.Context())
		tryHere(m)
		submitHere(m, t.Context())
		go doHere(m, t.Context())
		synctest.Wait()
		go m.Acquire(t.Context(), treelock.Read("/a"))
		synctest.Wait()
		want := []string{"_test.acquireHere ", "_test.tryHere ", "_test.submitHere ", "_test.doHere ", "manager.(*Manager"}
		for i, live := range must(m.Snapshot(t.Context(), query{})).Holders {
			if !strings.Contains(live.Site, want[i]) {
				t.Errorf("the site of #%d is %q, want %q in it", live.Number, live.Site, want[i])
			}
		}
	})
}

// TestSlowLogLooksOnceASecond: if its threshold is long.
func TestSlowLogLooksOnceASecond(t *testing.T) {
	const hold = time.Hour + 100*time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		s := newStopwatch(0)
		m := manager.Start(t.Context(), manager.WithSlowLog(manager.SlowLog{Hold: hold, Logger: slog.New(s)}))
		must(m.Acquire(t.Context(), treelock.Read("/a")))
		time.Sleep(2 * hold)
		synctest.Wait()
		if got, told := s.told[1]; !told || got > hold+time.Second {
			t.Errorf("a slow hold is reported after %v (%t), want a second after %v at the latest", got, told, hold)
		}
	})
}

// TestSlowLogSaysNothingOfWhatARequestHasNot: no label, no site, no blockers.
func TestSlowLogSaysNothingOfWhatARequestHasNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, log := startSlow(t.Context(), manager.SlowLog{Hold: time.Second})
		must(m.TryAcquire(treelock.Read("/a")))
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		want := []map[string]any{{
			"level": "WARN", "msg": "treelock: slow hold", "number": 1.0, "for_ns": float64(time.Second), "claims": "read /a",
		}}
		if diff := cmp.Diff(want, log.lines(t)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// TestSlowLogReportsFewInARound: the earliest ones first, the others in the rounds after that.
func TestSlowLogReportsFewInARound(t *testing.T) {
	const hold, slow = time.Second, 500
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		m, log := startSlow(t.Context(), manager.SlowLog{Hold: hold})
		for range slow {
			must(m.TryAcquire(treelock.Read("/a")))
		}
		for round, want := range []int{200, 200, 100} {
			time.Sleep(hold + time.Duration(round)*hold/4 + time.Millisecond - time.Since(start))
			synctest.Wait()
			lines := log.lines(t)
			if first := float64(1 + 200*round); len(lines) != want || lines[0]["number"] != first {
				t.Errorf("in round %d %d requests are reported, want %d, from #%v on", round+1, len(lines), want, first)
			}
		}
	})
}

// TestSlowLogEndsSoonAfterTheManager: however many reports are due, and however slow the handler is.
func TestSlowLogEndsSoonAfterTheManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStopwatch(900 * time.Millisecond)
		ctx, stop := context.WithCancel(t.Context())
		m := manager.Start(ctx, manager.WithSlowLog(manager.SlowLog{Hold: time.Second, Logger: slog.New(s)}))
		for range 100 {
			must(m.TryAcquire(treelock.Read("/a")))
		}
		time.Sleep(2 * time.Second)
		stop()
		time.Sleep(time.Second)
		synctest.Wait()
		told := len(s.told)
		time.Sleep(time.Minute)
		synctest.Wait()
		if told == 0 || len(s.told) != told {
			t.Errorf("%d requests were reported soon after the stop, and %d a minute later, want some and no more", told, len(s.told))
		}
	})
}

// TestNarrowKeepsWhatARequestIsKnownBy: its number, its token and its label.
func TestNarrowKeepsWhatARequestIsKnownBy(t *testing.T) {
	m := manager.Start(t.Context(), manager.WithFirstToken(math.MaxUint64))
	g := must(m.TryAcquire(treelock.Write("/a").Labeled("first")))
	if err := g.Narrow(treelock.Read("/a/b").Labeled("second")); err != nil {
		t.Fatal(err)
	}
	live := must(m.Snapshot(t.Context(), query{})).Holders[0]
	if live.Label != "first" || live.Number != g.Number() || g.Token() != math.MaxUint64 || live.Claims[0].Node != "/a/b" {
		t.Errorf("after Narrow: %+v, token %d, want the label, the number and the token of before", live, g.Token())
	}
	if next := must(m.TryAcquire(treelock.Read("/x"))).Token(); next != 0 {
		t.Errorf("the token after the largest is %d, want 0, as the doc says", next)
	}
}
