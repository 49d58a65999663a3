package report

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/treelock/treelock/examples/objectfs/job"
	"github.com/treelock/treelock/examples/objectfs/lock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var soundRun = Run{
	Locks: "tree", Planned: 30,
	Result: job.Result{
		Ops:     map[job.Op]job.Count{job.Read: {Done: 20, Refused: 5}, job.Rename: {Done: 4}},
		Elapsed: 1234567 * time.Microsecond,
	},
	Waits: lock.Waits{Requests: 29, Median: 1234567 * time.Nanosecond, P99: 2 * time.Second, Longest: 3 * time.Second, Queue: 7},
}

var brokenRun = Run{
	Locks: "global", Planned: 12,
	Result: job.Result{
		Ops:     map[job.Op]job.Count{job.Read: {Done: 4, Failed: 7}, job.Copy: {Refused: 1}},
		Reads:   map[job.Kind]int{job.Torn: 2, job.Stale: 1},
		Errors:  []string{"one", "two"},
		Elapsed: 2 * time.Second,
	},
	Damage: []job.Damage{{Folder: "a", Kind: job.Lost, Detail: "gone"}, {Folder: "b", Kind: job.Torn, Detail: "half"}},
}

func TestReportSaysAllThatWasDone(t *testing.T) {
	var out bytes.Buffer
	Print(&out, soundRun)
	want := `
Locks: tree

┌──────────────────┬──────┬─────────┬────────┐
│ operation        │ done │ refused │ failed │
├──────────────────┼──────┼─────────┼────────┤
│ read folder      │   20 │       5 │      0 │
│ overwrite folder │    0 │       0 │      0 │
│ rename folder    │    4 │       0 │      0 │
│ copy folder      │    0 │       0 │      0 │
│ delete folder    │    0 │       0 │      0 │
│ read area        │    0 │       0 │      0 │
│ copy area        │    0 │       0 │      0 │
│ rename area      │    0 │       0 │      0 │
│ delete area      │    0 │       0 │      0 │
├──────────────────┼──────┼─────────┼────────┤
│ all              │   24 │       5 │      0 │
└──────────────────┴──────┴─────────┴────────┘
(refused: nothing to act on, or the destination was taken)

Stopped after 29 of 30 operations.

Throughput: 19 operations a second, for 1.23s
Wait for a grant: median 1.23ms, 99th percentile 2s, longest 3s
Longest queue: 7 requests waiting at once
Wrong reads: 0
Torn folders: 0
Lost folders: 0
Mixed folders: 0
Stale folders: 0
Stray files: 0
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("Print: -want +got\n%s", diff)
	}
}

func TestReportNamesWhatWentWrong(t *testing.T) {
	var out bytes.Buffer
	Print(&out, brokenRun)
	_, rest, _ := strings.Cut(out.String(), "Longest queue: 0 requests waiting at once\n")
	want := `Failed: one
Failed: two
Failed: 5 more
Wrong reads: 3
Torn folders: 1
Lost folders: 1
Mixed folders: 0
Stale folders: 0
Stray files: 0
  a: lost: gone
  b: torn: half
`
	if diff := cmp.Diff(want, rest); diff != "" {
		t.Errorf("Print: -want +got\n%s", diff)
	}
	if strings.Contains(out.String(), "Stopped") {
		t.Errorf("the report of a complete run says that it was stopped:\n%s", out.String())
	}
}

func TestReportNamesOnlySomeOfManyDamagedFolders(t *testing.T) {
	var out bytes.Buffer
	names(&out, make([]job.Damage, shown+3))
	if got := strings.Count(out.String(), "\n"); got != shown+1 || !strings.HasSuffix(out.String(), "and 3 more\n") {
		t.Errorf("%d lines, want %d:\n%s", got, shown+1, out.String())
	}
}

func TestOnlyARunWithoutDamageAndFailureIsSound(t *testing.T) {
	if !soundRun.Sound() {
		t.Error("a run without damage is not sound")
	}
	damaged, failed := soundRun, soundRun
	damaged.Damage = brokenRun.Damage
	failed.Result = brokenRun.Result
	for _, r := range []Run{damaged, failed, brokenRun} {
		if r.Sound() {
			t.Errorf("%+v is sound", r)
		}
	}
}

func TestComparisonSetsOffAgainstTheGlobalLock(t *testing.T) {
	var out bytes.Buffer
	Compare(&out, []Run{soundRun, brokenRun})
	want := `
┌───────────────────────┬────────┬────────┐
│ locks                 │   tree │ global │
├───────────────────────┼────────┼────────┤
│ operations done       │     24 │      4 │
│ operations refused    │      5 │      1 │
│ operations failed     │      0 │      7 │
│ operations a second   │     19 │      2 │
│ against global        │   9.7x │   1.0x │
│ wait, median          │ 1.23ms │     0s │
│ wait, 99th percentile │     2s │     0s │
│ wait, longest         │     3s │     0s │
│ longest queue         │      7 │      0 │
├───────────────────────┼────────┼────────┤
│ wrong reads           │      0 │      3 │
│ torn folders          │      0 │      1 │
│ lost folders          │      0 │      1 │
│ mixed folders         │      0 │      0 │
│ stale folders         │      0 │      0 │
│ stray files           │      0 │      0 │
└───────────────────────┴────────┴────────┘

Locks: tree

Stopped after 29 of 30 operations.

Locks: global
Failed: one
Failed: two
Failed: 5 more
  a: lost: gone
  b: torn: half
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("Compare: -want +got\n%s", diff)
	}
}

func TestComparisonWithoutTheGlobalRunHasNoRatio(t *testing.T) {
	if got := ratio(soundRun, []Run{soundRun}); got != "-" {
		t.Errorf("ratio = %q, want -", got)
	}
}

func TestShortDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                         "0s",
		999:                       "999ns",
		1234:                      "1.23µs",
		45678 * time.Microsecond:  "45.7ms",
		999999 * time.Microsecond: "1s",
		83 * time.Second:          "1m23s",
	} {
		if got := short(d); got != want {
			t.Errorf("short(%d) = %s, want %s", d, got, want)
		}
	}
}

func TestProgressIsALineEveryTwoSecondsWithoutATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		n := 0
		stop := Watch(t.Context(), &out, "work", 9, func() int { n++; return n }, "stopping")
		time.Sleep(5 * time.Second)
		stop()
		time.Sleep(5 * time.Second)
		if got, want := out.String(), "work: 1 of 9 operations\nwork: 2 of 9 operations\n"; got != want {
			t.Errorf("the progress is %q, want %q", got, want)
		}
	})
}

func TestProgressGoesOnAfterTheNotice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		stop := Watch(ctx, &out, "work", 9, func() int { return 1 }, "stopping")
		time.Sleep(5 * time.Second)
		stop()
		if got, want := out.String(), "work: 1 of 9 operations\n\nstopping\nwork: 1 of 9 operations\n"; got != want {
			t.Errorf("the progress is %q, want %q", got, want)
		}
	})
}

func TestComparisonSaysWhichRunWasStopped(t *testing.T) {
	var out bytes.Buffer
	Compare(&out, []Run{soundRun, brokenRun})
	if got := strings.Count(out.String(), "topped after"); got != 1 {
		t.Errorf("%d runs were stopped, want 1:\n%s", got, out.String())
	}
}

func TestBarShowsTheCount(t *testing.T) {
	var out bytes.Buffer
	show, end, _ := bar(&out, "work", 9)
	show(4)
	show(5)
	end()
	if !strings.Contains(out.String(), "work") || !strings.Contains(out.String(), "(5/9") {
		t.Errorf("the bar is %q, want one that says work and 5/9", out.String())
	}
}
