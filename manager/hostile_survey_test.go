package manager

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
)

// TestContextThatBlocksStopsNoOtherSnapshot checks that a client calls its context without the
// token for snapshots.
func TestContextThatBlocksStopsNoOtherSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := Start(t.Context())
		hostile := stuckContext{t.Context(), make(chan struct{}), make(chan struct{})}
		failed := make(chan error, 1)
		m.snapshotSem <- struct{}{} // so that it waits for its turn
		go func() {
			_, err := m.Snapshot(hostile, Query[path]{})
			failed <- err
		}()
		synctest.Wait()
		close(hostile.done)
		synctest.Wait()
		<-m.snapshotSem
		if _, err := m.Snapshot(t.Context(), Query[path]{}); err != nil {
			t.Errorf("Snapshot() = %v beside a context that blocks, want nil", err)
		}
		close(hostile.free)
		if err := <-failed; err == nil {
			t.Error("Snapshot() = nil under a context that has ended, want its error")
		}
	})
}

// TestSurveyOfACanceledClientEnds checks that the table records nothing more for it.
func TestSurveyOfACanceledClientEnds(t *testing.T) {
	l := startLoop(t)
	fill(t, l, 10*stepWork)
	ended := make(chan struct{})
	s := &survey[path]{}
	over := make(chan outcome)
	go func() { over <- l.m.runSurvey(ended, s) }()
	l.dispatch(<-l.m.inbox)
	second := <-l.m.inbox // it has sent the next step before it could be cancelled
	close(ended)
	l.dispatch(second)
	if s.over {
		t.Fatal("the survey was finished in two steps, so the test checks nothing")
	}
	for l.table.Surveyed() {
		l.dispatch(<-l.m.inbox)
	}
	if o := <-over; o != outcomeCanceled {
		t.Errorf("runSurvey() = %d, want canceled", o)
	}
}

// TestWatcherRestsInProportion bounds its share of the manager's time to a twentieth.
func TestWatcherRestsInProportion(t *testing.T) {
	const pause = 250 * time.Millisecond
	for _, test := range []struct{ busy, want time.Duration }{
		{0, pause}, {pause / 20, pause}, {pause / 10, 2 * pause}, {time.Second, 20 * time.Second},
	} {
		if got := (&watcher[path]{busy: test.busy}).pauseAfter(pause); got != test.want {
			t.Errorf("after %v of work the watcher rests for %v, want %v", test.busy, got, test.want)
		}
	}
}

// TestWatcherCountsTheTimeOfTheManager adds up the survey and the inspections of one round.
func TestWatcherCountsTheTimeOfTheManager(t *testing.T) {
	const takes = 10 * time.Millisecond // each message
	synctest.Test(t, func(t *testing.T) {
		l := startLoop(t)
		takeGrant(t, arrives(t, l, treelock.Write("/a"), modeWait))
		arrives(t, l, treelock.Write("/a"), modeWait)
		arrives(t, l, treelock.Write("/a"), modeWait)
		l.m.slow = SlowLog{Wait: time.Nanosecond, Logger: slog.New(slog.DiscardHandler)}
		w := watcher[path]{
			m: l.m, slow: l.m.slow, strings: newIsolator(maxStuck, textTimeout), handlers: newIsolator(maxStuck, handlerTimeout),
		}
		time.Sleep(time.Second)
		go w.round()
		for range 3 { // one step of the snapshot, and why of each waiter
			msg := <-l.m.inbox
			time.Sleep(takes)
			l.dispatch(msg)
		}
		synctest.Wait()
		if w.busy != 3*takes {
			t.Errorf("the manager was busy for %v, and the watcher has counted %v", 3*takes, w.busy)
		}
	})
}

// A rude node has a String that does not return in time, or at all.
type rude string

func (rude) Parent() (rude, bool) { return "", false }

func (r rude) String() string {
	switch {
	case strings.HasPrefix(string(r), "blocks"):
		time.Sleep(time.Hour)
	case strings.HasPrefix(string(r), "exits"):
		runtime.Goexit()
	case strings.HasPrefix(string(r), "panics"):
		panic("mine")
	}
	if strings.HasPrefix(string(r), "handler") {
		return string(r)
	}
	return "polite"
}

// A collector is a handler that keeps the claims of each report, and panics, exits or blocks if
// they say so.
type collector struct {
	slog.Handler
	claims chan string
}

func (collector) Enabled(context.Context, slog.Level) bool { return true }

func (c collector) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key != "claims" {
			return true
		}
		c.claims <- a.Value.String()
		switch {
		case strings.Contains(a.Value.String(), "handler panics"):
			panic("mine")
		case strings.Contains(a.Value.String(), "handler blocks"):
			time.Sleep(time.Hour)
		case strings.Contains(a.Value.String(), "handler exits"):
			runtime.Goexit()
		}
		return false
	})
	return nil
}

// TestSlowLogSurvivesUserCode checks that neither methods of nodes nor the handler end or delay it.
func TestSlowLogSurvivesUserCode(t *testing.T) {
	for _, names := range [][]rude{
		{"blocks 1", "blocks 2", "blocks 3", "blocks 4", "blocks 5", "exits", "panics"},
		{"handler panics", "handler exits", "handler blocks 1", "handler blocks 2"},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := collector{slog.DiscardHandler, make(chan string, 100)}
			ctx, stop := context.WithCancel(t.Context())
			m := StartNodes[rude](ctx, WithSlowLog(SlowLog{Hold: time.Second, Logger: slog.New(c)}))
			for _, name := range append(names, "last") {
				if _, err := m.TryAcquire(t.Context(), treelock.Request[rude]{}.Read(name)); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(30 * time.Second)
			start := time.Now() // handlers block by now, and delay no request
			if _, err := m.Acquire(t.Context(), treelock.Request[rude]{}.Read("last")); err != nil || time.Since(start) != 0 {
				t.Errorf("Acquire() = %v after %v beside a slow log that blocks, want a grant at once", err, time.Since(start))
			}
			got := map[string]bool{}
			for len(c.claims) > 0 {
				got[<-c.claims] = true
			}
			if !got["read polite"] && !got["read last"] {
				t.Errorf("the slow log has %v, want the last one in it, too", got)
			}
			if strings.HasPrefix(string(names[0]), "blocks") && len(got) < 2 {
				t.Errorf("the slow log has %v, want rude nodes by another text", got)
			}
			stop()
			time.Sleep(2 * time.Hour) // all have come back
		})
	}
}
