package command

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock/examples/objectfs/job"
	"github.com/treelock/treelock/examples/objectfs/lock"
)

var stoppedRun = run{
	"tree", 1000, 104,
	job.Result{
		Ops:     map[string]job.Count{"read folder": {Done: 20, Refused: 5}, "rename folder": {Done: 4}},
		Elapsed: 1234567 * time.Microsecond,
	},
	lock.Waits{Median: 1234567 * time.Nanosecond, P99: 2 * time.Second, Longest: 3 * time.Second, Queue: 7}, nil,
}

var brokenRun = run{
	"global", 12, 104,
	job.Result{
		Ops:        map[string]job.Count{"read folder": {Done: 4, Failed: 7}, "copy folder": {Refused: 1}},
		WrongReads: 3, Errors: []string{"one", "two"}, Elapsed: 2 * time.Second,
	},
	lock.Waits{}, []job.Damage{{Folder: "a", Kind: job.Lost, Detail: "gone"}, {Folder: "b", Kind: job.Torn, Detail: "half"}},
}

func TestReportHasVerdictsATableAndFaults(t *testing.T) {
	var out bytes.Buffer
	report(&out, []run{stoppedRun, brokenRun})
	want := `locks tree: STOPPED: 29 of 1,000 operations, 0 failed, all 104 folders verified intact
locks global: FAILED: 12 operations, 7 failed, 2 of 104 folders damaged, 0 stray files

locks                         tree    global
  read folder                   20         4
  create folder                  0         0
  overwrite folder               0         0
  rename folder                  4         0
  copy folder                    0         0
  delete folder                  0         0
  read area                      0         0
  copy area                      0         0
  rewrite area                   0         0
  rename area                    0         0
  delete area                    0         0
operations done                 24         4
operations refused               5         1
operations failed                0         7
operations a second             19         2
against global                9.7x      1.0x
wait, median                1.23ms        0s
wait, 99th percentile           2s        0s
wait, longest                   3s        0s
most waiting at once             7         0
wrong reads                      0         3
torn folders                     0         1
lost folders                     0         1
mixed folders                    0         0
stale folders                    0         0
stray files                      0         0
` + terms + `locks global: failed: one
locks global: failed: two
locks global: failed: 5 more
locks global: damaged: a: lost: gone
locks global: damaged: b: torn: half
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("report: -want +got\n%s", diff)
	}
}

func TestReportOfOneRunIsNotCompared(t *testing.T) {
	var out bytes.Buffer
	report(&out, []run{brokenRun})
	if got := out.String(); !strings.HasPrefix(got, "FAILED: ") || strings.Contains(got, "against global") {
		t.Errorf("the report is\n%s", got)
	}
}

func TestReportNamesOnlySomeOfManyDamagedFolders(t *testing.T) {
	var out bytes.Buffer
	faults(&out, run{damage: make([]job.Damage, shown+3)})
	if got := strings.Count(out.String(), "\n"); got != shown+1 || !strings.HasSuffix(out.String(), "3 more\n") {
		t.Errorf("%d lines, want %d:\n%s", got, shown+1, out.String())
	}
}

func TestNumbersAreShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 999: "999ns", 1234: "1.23µs", 45678 * time.Microsecond: "45.7ms",
		999999 * time.Microsecond: "1s", 83 * time.Second: "1m23s",
	} {
		if got := Short(d); got != want {
			t.Errorf("Short(%d) = %s, want %s", d, got, want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := Grouped(n); got != want {
			t.Errorf("Grouped(%d) = %s, want %s", n, got, want)
		}
	}
}
