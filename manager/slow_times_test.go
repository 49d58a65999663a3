package manager_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A stopwatch is a handler that records when each request is reported, and takes some time for it.
type stopwatch struct {
	slog.Handler
	start time.Time
	takes time.Duration
	told  map[uint64]time.Duration // by number, the first time
}

func (stopwatch) Enabled(context.Context, slog.Level) bool { return true }

func (s stopwatch) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		number := a.Value.Uint64()
		if _, again := s.told[number]; !again {
			s.told[number] = time.Since(s.start)
		}
		return false // the number is the first attribute
	})
	time.Sleep(s.takes)
	return nil
}

func newStopwatch(takes time.Duration) stopwatch {
	return stopwatch{slog.DiscardHandler, time.Now(), takes, map[uint64]time.Duration{}}
}

// TestSlowLogHasTwoThresholds has thresholds that differ much, one alone, and none.
func TestSlowLogHasTwoThresholds(t *testing.T) {
	const short, long = 40 * time.Millisecond, 10 * time.Second
	for _, test := range []struct{ wait, hold, waiter, holder time.Duration }{
		{short, long, short, long}, {long, short, long, short}, {0, short, -1, short}, {short, 0, short, -1},
		{0, 0, -1, -1}, {-1, -1, -1, -1},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newStopwatch(0)
			m := manager.Start(t.Context(), manager.WithSlowLog(manager.SlowLog{Wait: test.wait, Hold: test.hold, Logger: slog.New(s)}))
			holder := must(m.Acquire(t.Context(), treelock.Write("/a")))
			waiter := must(m.Submit(t.Context(), treelock.Write("/a")))
			time.Sleep(2 * long)
			synctest.Wait()
			for number, want := range map[uint64]time.Duration{1: test.holder, 2: test.waiter} {
				got, told := s.told[number]
				if told != (want >= 0) || told && (got < want || got > want+short) {
					t.Errorf("wait %v, hold %v: #%d is reported after %v (%t), want %v", test.wait, test.hold, number, got, told, want)
				}
			}
			waiter.Withdraw()
			holder.Release()
		})
	}
}

// TestSlowHandlerDoesNotMakeTheLogLate checks that the watcher does not rest for the time of the
// handler.
func TestSlowHandlerDoesNotMakeTheLogLate(t *testing.T) {
	const hold, takes = 40 * time.Millisecond, 500 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		s := newStopwatch(takes)
		m := manager.Start(t.Context(), manager.WithSlowLog(manager.SlowLog{Hold: hold, Logger: slog.New(s)}))
		first := must(m.Acquire(t.Context(), treelock.Read("/a")))
		time.Sleep(hold + hold/2) // it is being reported
		first.Release()
		must(m.Acquire(t.Context(), treelock.Read("/b")))
		time.Sleep(time.Minute)
		synctest.Wait()
		if late := s.told[2] - s.told[1] - takes; late < 0 || late > hold {
			t.Errorf("after a report that took %v the next came after %v more, want at most %v", takes, late, hold)
		}
	})
}

// TestSlowLogLooksOnceASecond has a long threshold.
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

// TestSlowLogReportsFewInARound expects the earliest first, and the rest in later rounds.
func TestSlowLogReportsFewInARound(t *testing.T) {
	const hold, slow = time.Second, 500
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		m, log := startSlow(t.Context(), manager.SlowLog{Hold: hold})
		for range slow {
			must(m.TryAcquire(t.Context(), treelock.Read("/a")))
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

// TestSlowLogEndsSoonAfterTheManager has many reports due, and a slow handler.
func TestSlowLogEndsSoonAfterTheManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStopwatch(900 * time.Millisecond)
		ctx, stop := context.WithCancel(t.Context())
		m := manager.Start(ctx, manager.WithSlowLog(manager.SlowLog{Hold: time.Second, Logger: slog.New(s)}))
		for range 100 {
			must(m.TryAcquire(t.Context(), treelock.Read("/a")))
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
