package manager

import (
	"bytes"
	"log/slog"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
)

// TestIsolatorReportsWhetherCodeReturned has code that returns, panics, exits and blocks. No run
// takes longer than the timeout.
func TestIsolatorReportsWhetherCodeReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIsolator(2, time.Second)
		free := make(chan struct{})
		start := time.Now()
		for range 10 { // these give their places back
			if !i.run(func() {}) || i.run(func() { panic("mine") }) || i.run(runtime.Goexit) || i.run(func() { panic(nil) }) {
				t.Fatal("run() does not tell whether its function has returned")
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("functions that end have taken %v, want no time", took)
		}
		for n := range 4 {
			if i.run(func() { <-free }) {
				t.Error("run() = true for a function that blocks")
			}
			want := time.Duration(min(n+1, 2)) * time.Second // there are two places
			if took := time.Since(start); took != want {
				t.Errorf("after %d functions that block %v have passed, want %v", n+1, took, want)
			}
		}
		close(free)
		synctest.Wait()
		if !i.run(func() {}) {
			t.Error("run() = false once the functions that blocked have returned, want true")
		}
	})
}

// TestWaitThatIsOverIsNotReported grants the request between the survey and its report.
func TestWaitThatIsOverIsNotReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		m := Start(t.Context())
		w := watcher[path]{
			m: m, slow: SlowLog{Logger: slog.New(slog.NewTextHandler(&log, nil))},
			strings: newIsolator(1, time.Second), handlers: newIsolator(1, time.Second),
		}
		holder, err := m.TryAcquire(t.Context(), treelock.Write("/a"))
		if err != nil {
			t.Fatal(err)
		}
		ticket, err := m.Submit(t.Context(), treelock.Write("/a"))
		if err != nil {
			t.Fatal(err)
		}
		s := &survey[path]{}
		if o := m.runSurvey(nil, s); o != outcomeSent {
			t.Fatalf("runSurvey() = %d, want sent", o)
		}
		holder.Release()
		(<-ticket.Granted()).Release()
		w.report(s.waiters.sorted()[0], time.Second, nil)
		if log.Len() > 0 {
			t.Errorf("the slow log has %s, want nothing", &log)
		}
	})
}

func TestTextsOfTheSlowLogCountWhatTheyLeaveOut(t *testing.T) {
	of := func(p path) string { return string(p) }
	for n, want := range map[int]string{
		0: "", 1: "read /1", 8: "read /1, read /1, read /1, read /1, read /1, read /1, read /1, read /1",
		9: "read /1, read /1, read /1, read /1, read /1, read /1, read /1, read /1 and 1 more",
	} {
		var claims []treelock.Claim[path]
		for c := range treelock.Read(slices.Repeat([]path{"/1"}, n)...).Claims() {
			claims = append(claims, c)
		}
		if got := claimsText(claims, of); got != want {
			t.Errorf("claimsText(%d claims) = %q, want %q", n, got, want)
		}
	}
	blocker := treelock.Blocker[path]{Number: 7, State: treelock.Holding, For: time.Second}
	for c := range treelock.Read("/1").Claims() {
		blocker.Claim = c
	}
	one := blockersText(&treelock.BlockedError[path]{Blockers: []treelock.Blocker[path]{blocker}}, of)
	if len(one) != 1 {
		t.Fatalf("blockersText(one) = %q, want one", one)
	}
	for _, test := range []struct {
		blockers, more int
		atLeast        bool
		want           []string
	}{
		{1, 0, false, one},
		{1, 1, false, append(slices.Clone(one), "and 1 more")},
		{1, 5, true, append(slices.Clone(one), "and at least 5 more")},
		{0, 0, true, []string{"requests that could not be found"}},
		{0, 0, false, nil},
	} {
		e := &treelock.BlockedError[path]{Blockers: slices.Repeat([]treelock.Blocker[path]{blocker}, test.blockers), More: test.more, AtLeast: test.atLeast}
		if got := blockersText(e, of); !slices.Equal(got, test.want) {
			t.Errorf("blockersText(%+v) = %q, want %q", test, got, test.want)
		}
	}
}
