package manager_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A logbook has the lines of a log that have not been read yet.
type logbook chan []byte

func (l logbook) Write(line []byte) (int, error) {
	l <- bytes.Clone(line)
	return len(line), nil
}

// lines returns what was logged, a map for each line. Times of the log itself are left out.
func (l logbook) lines(t *testing.T) (all []map[string]any) {
	t.Helper()
	for len(l) > 0 {
		var line map[string]any
		if err := json.Unmarshal(<-l, &line); err != nil {
			t.Fatal(err)
		}
		delete(line, "time")
		all = append(all, line)
	}
	return all
}

// startSlow returns a manager that logs as s says, and its log.
func startSlow(ctx context.Context, s manager.SlowLog) (*manager.Manager[path], logbook) {
	log := make(logbook, 10_000)
	s.Logger = slog.New(slog.NewJSONHandler(log, nil))
	return manager.Start(ctx, manager.WithSlowLog(s)), log
}

// TestSlowHoldsAndWaitsAreReported has a backup that is never released, and a rename that waits for
// it. Each is reported at its threshold, and whenever its age has doubled. Fast requests never are.
func TestSlowHoldsAndWaitsAreReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, log := startSlow(t.Context(), manager.SlowLog{Wait: time.Second, Hold: 4 * time.Second})
		must(m.Acquire(t.Context(), treelock.Read("/a").Labeled("backup 1")))
		must(m.TryAcquire(t.Context(), treelock.Read("/b"))).Release()
		rename := must(m.Submit(t.Context(), treelock.Write("/a/b", "/a/c").Labeled("rename 2")))
		pass := func(d time.Duration) []map[string]any {
			time.Sleep(d)
			synctest.Wait()
			return log.lines(t)
		}
		wait := map[string]any{
			"level": "WARN", "msg": "treelock: slow wait", "number": 3.0, "label": "rename 2", "claims": "write /a/b, write /a/c",
			"for_ns": float64(time.Second), "blocked_by": []any{`"backup 1" (#1, read /a, holding for 1s)`},
		}
		hold := map[string]any{
			"level": "WARN", "msg": "treelock: slow hold", "number": 1.0, "label": "backup 1", "claims": "read /a", "for_ns": float64(4 * time.Second),
		}
		if diff := cmp.Diff([]map[string]any(nil), pass(999*time.Millisecond)); diff != "" {
			t.Errorf("before one second: -want +got:\n%s", diff)
		}
		if diff := cmp.Diff([]map[string]any{wait}, pass(2*time.Millisecond)); diff != "" {
			t.Errorf("after one second: -want +got:\n%s", diff)
		}
		wait["for_ns"], wait["blocked_by"] = float64(2*time.Second), []any{`"backup 1" (#1, read /a, holding for 2s)`}
		if diff := cmp.Diff([]map[string]any{wait}, pass(time.Second)); diff != "" {
			t.Errorf("after two seconds: -want +got:\n%s", diff)
		}
		rename.Withdraw()
		if diff := cmp.Diff([]map[string]any{hold}, pass(5*time.Second)); diff != "" {
			t.Errorf("after seven seconds: -want +got:\n%s", diff)
		}
		hold["for_ns"] = float64(8 * time.Second)
		if diff := cmp.Diff([]map[string]any{hold}, pass(5*time.Second)); diff != "" {
			t.Errorf("after twelve seconds: -want +got:\n%s", diff)
		}
	})
}

// TestSlowLogQuotesNodesThatReadLikeClaims has a name that reads like the next claim.
func TestSlowLogQuotesNodesThatReadLikeClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, log := startSlow(t.Context(), manager.SlowLog{Wait: time.Second})
		req := treelock.Write("/a, write /b")
		must(m.Acquire(t.Context(), req))
		waiter := must(m.Submit(t.Context(), req))
		time.Sleep(1500 * time.Millisecond)
		waiter.Withdraw()
		want := []map[string]any{{
			"level": "WARN", "msg": "treelock: slow wait", "number": 2.0, "claims": `write "/a, write /b"`,
			"for_ns": float64(time.Second), "blocked_by": []any{`#1 (write "/a, write /b", holding for 1s)`},
		}}
		if diff := cmp.Diff(want, log.lines(t)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// TestSlowHoldAfterASlowWaitIsReported has a request that was reported as it waited, and then
// holds.
func TestSlowHoldAfterASlowWaitIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, log := startSlow(t.Context(), manager.SlowLog{Wait: time.Millisecond, Hold: time.Millisecond})
		holder := must(m.Acquire(t.Context(), treelock.Write("/a")))
		waiter := must(m.Submit(t.Context(), treelock.Write("/a")))
		time.Sleep(101 * time.Millisecond) // a round comes every 5 ms, so none follows the threshold yet
		holder.Release()
		synctest.Wait()
		log.lines(t)
		time.Sleep(5 * time.Millisecond)
		synctest.Wait()
		if got := log.lines(t); len(got) != 1 || got[0]["msg"] != "treelock: slow hold" || got[0]["number"] != 2.0 {
			t.Errorf("the log is %v, want the slow hold of the one that has waited", got)
		}
		(<-waiter.Granted()).Release()
	})
}

// TestManyOldSlowHoldsHideNoNewOne has many holds that were reported and are not due again.
func TestManyOldSlowHoldsHideNoNewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, log := startSlow(t.Context(), manager.SlowLog{Hold: time.Second})
		for range 300 {
			must(m.TryAcquire(t.Context(), treelock.Read("/lease")))
		}
		seen := 0
		for range 20 {
			time.Sleep(100 * time.Second)
			synctest.Wait()
			seen += len(log.lines(t))
		}
		if seen < 300 {
			t.Errorf("%d were reported, want all 300", seen)
		}
		must(m.TryAcquire(t.Context(), treelock.Write("/leak").Labeled("leak")))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		for _, line := range log.lines(t) {
			if line["label"] == "leak" {
				return
			}
		}
		t.Error("the leak was not reported within five times the threshold")
	})
}

// TestSlowLogTakesTheDefaultLogger changes the default logger after the start.
func TestSlowLogTakesTheDefaultLogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context(), manager.WithSlowLog(manager.SlowLog{Hold: time.Second}))
		log := make(logbook, 100)
		before := slog.Default()
		slog.SetDefault(slog.New(slog.NewJSONHandler(log, nil)))
		defer slog.SetDefault(before)
		must(m.Acquire(t.Context(), treelock.Read("/a")))
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		if got := log.lines(t); len(got) != 1 {
			t.Errorf("the log is %v, want one line", got)
		}
	})
}

// acquireHere and the three functions below are named by the sites in the tests.
func acquireHere(m *manager.Manager[path], ctx context.Context) {
	must(m.Acquire(ctx, treelock.Read("/a")))
}

func tryHere(m *manager.Manager[path]) { must(m.TryAcquire(context.Background(), treelock.Read("/a"))) }

func submitHere(m *manager.Manager[path], ctx context.Context) {
	must(m.Submit(ctx, treelock.Read("/a")))
}

func doHere(m *manager.Manager[path], ctx context.Context) {
	m.Do(ctx, treelock.Read("/a"), func(ctx context.Context) error { <-ctx.Done(); return nil })
}

// TestSitesNameTheCaller expects the innermost function outside of the package, or the start of the
// goroutine.
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

// TestSlowLogNamesTheSite logs what the snapshots in TestSitesNameTheCaller show.
func TestSlowLogNamesTheSite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, log := startSlow(t.Context(), manager.SlowLog{Hold: time.Second, Sites: true})
		acquireHere(m, t.Context())
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		_, file, _, _ := runtime.Caller(0)
		got := log.lines(t)
		if len(got) != 1 {
			t.Fatalf("the log is %v, want one line", got)
		}
		site, _ := got[0]["site"].(string)
		if !strings.Contains(site, "_test.acquireHere (") || !strings.Contains(site, file+":") {
			t.Errorf("the site is %q, want acquireHere in %s", site, file)
		}
	})
}

// TestSlowLogOmitsEmptyFields has no label, no site and no blockers.
func TestSlowLogOmitsEmptyFields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, log := startSlow(t.Context(), manager.SlowLog{Hold: time.Second})
		must(m.TryAcquire(t.Context(), treelock.Read("/a")))
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

// TestSlowWideningIsReported has a reader that widens while another reader holds.
func TestSlowWideningIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, log := startSlow(t.Context(), manager.SlowLog{Wait: time.Second})
		must(m.TryAcquire(t.Context(), treelock.Read("/a").Labeled("other")))
		g := must(m.TryAcquire(t.Context(), treelock.Read("/a").Labeled("copy")))
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		g.Widen(ctx, treelock.Write("/a"))
		want := []map[string]any{{
			"level": "WARN", "msg": "treelock: slow wait", "number": 3.0, "label": "copy", "widens": 2.0, "claims": "write /a",
			"for_ns": float64(time.Second), "blocked_by": []any{`"other" (#1, read /a, holding for 1s)`},
		}}
		if diff := cmp.Diff(want, log.lines(t)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}
