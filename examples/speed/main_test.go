package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/treelock/treelock/examples/speed/measure"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wantRun runs the command and checks its exit code and words that it must say.
func wantRun(t *testing.T, ctx context.Context, code int, args []string, words ...string) (output string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	got := run(ctx, args, &stdout, &stderr)
	output = stdout.String() + stderr.String()
	if got != code {
		t.Errorf("speed %q exits with %d, want %d\n%s", args, got, code, output)
	}
	for _, word := range words {
		if !strings.Contains(output, word) {
			t.Errorf("speed %q does not say %q:\n%s", args, word, output)
		}
	}
	return output
}

func wantFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the files differ (-want +got):\n%s", diff)
	}
}

func TestRecordedBenchmarksMakeTheWholeReport(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	output := wantRun(t, t.Context(), exitOK, []string{"-from", "testdata/bench.txt", "-o", dir},
		"- command: go run ./examples/speed -count 1", "- Go: go1.", "- processor: ", "- GOMAXPROCS: 2",
		"| 1 client, write, depth 4, to the echo | 2.52x | ≤ 1.3x | missed |",
		"| 1,000,000 other nodes held, to none | 1.01x | ≤ 1.3x | met |",
		"| clients | batch-echo | treelock | echo | rwmutex-map | rwmutex |",
		"| treelock, 8 such goroutines, 32 clients | ", "The report is in "+dir)
	if strings.Contains(output, "not measured") {
		t.Errorf("something was not measured:\n%s", output)
	}
	wantFiles(t, dir, "clients.svg", "depth.svg", "flat.svg", "speed.md")
	markdown, err := os.ReadFile(filepath.Join(dir, "speed.md"))
	if err != nil || !strings.HasPrefix(output, string(markdown)) {
		t.Errorf("the file differs from what is printed (%v)", err)
	}
}

// The suite is compiled and run, if only for a moment.
func TestMeasuredBenchmarksCanBeReportedAgain(t *testing.T) {
	dir := t.TempDir()
	first := wantRun(t, t.Context(), exitOK, []string{"-bench", "Lock/impl=(batch-echo|rwmutex/op=write)/", "-count", "2", "-cpu", "1", "-benchtime", "20x", "-o", dir},
		"compiling", "round 2 of 2: 20 of 20 benchmarks", "-bench 'Lock/impl=(batch-echo|rwmutex/op=write)/'", "not measured", "| 10,000 | ")
	wantFiles(t, dir, "bench.txt", "clients.svg", "depth.svg", "speed.md")
	again := wantRun(t, t.Context(), exitOK, []string{"-from", filepath.Join(dir, "bench.txt")})
	report, _, _ := strings.Cut(again, "The report is in")
	if !strings.HasPrefix(first, report) {
		t.Errorf("the second report differs from the first:\n%s\n%s", report, first)
	}
}

func TestWrongUsageExitsWith2(t *testing.T) {
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"-nonsense"}, "not defined: -nonsense"},
		{[]string{"-count", "0"}, "-count 0: use 1 or more"},
		{[]string{"-count", "x"}, "invalid value"},
		{[]string{"-cpu", "0"}, "-cpu 0: use 1 or more"},
		{[]string{"-benchtime", "soon"}, `-benchtime "soon": use a duration`},
		{[]string{"-benchtime", "-1s"}, `-benchtime "-1s": use a duration`},
		{[]string{"-benchtime", "0x"}, `-benchtime "0x": use a duration`},
		{[]string{"-bench", "("}, "missing closing )"},
		{[]string{"-bench", "nothing"}, `-bench "nothing" matches no benchmark`},
		{[]string{"-o", ""}, "-o is empty"},
		{[]string{"-from", ""}, "-from is empty"},
		{[]string{"-from", "f", "-count", "3"}, "-from measures nothing: leave out -count"},
		{[]string{"extra"}, `unexpected argument "extra"`},
	} {
		output := wantRun(t, t.Context(), exitUsage, test.args, test.says)
		if !strings.HasPrefix(output, "speed: ") || strings.Count(output, "\n") != 1 {
			t.Errorf("speed %q: the message is %q, want one line from speed", test.args, output)
		}
	}
}

func TestHelpIsNoError(t *testing.T) {
	wantRun(t, t.Context(), exitOK, []string{"-h"}, "Usage of speed", "-count", "-benchtime", "-cpu", "-bench", "-from", "-o ")
}

func TestWhatCannotBeUsedExitsWith1AndSaysWhy(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"-from", "missing"}, "name the bench.txt of an earlier report"},
		{[]string{"-from", empty}, "no results of benchmarks"},
		{[]string{"-from", "testdata/bench.txt", "-o", empty}, "name another with -o"},
		{[]string{"-o", empty}, "name another with -o"},
	} {
		wantRun(t, t.Context(), exitFailed, test.args, "speed: ", test.says)
	}
}

func TestOutsideOfTheRepositoryTheMessageSaysWhereToRun(t *testing.T) {
	t.Chdir(t.TempDir())
	wantRun(t, t.Context(), exitFailed, nil, "run speed in a folder of treelock's repository")
	wantFiles(t, ".")
}

func TestInterruptExitsWith130AndWritesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := filepath.Join(t.TempDir(), "new")
	wantRun(t, ctx, exitInterrupted, []string{"-o", dir}, "speed: interrupted: nothing is written")
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is there: %v", err)
	}
}

func TestDefaultsAreANewFolderAndEverything(t *testing.T) {
	c, err := parse(nil, time.Date(2026, 11, 25, 19, 5, 9, 0, time.UTC), &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	if c.out != "speed-20261125-190509" {
		t.Errorf("the folder is %q, want one named for the time", c.out)
	}
	if want := (measure.Plan{Rounds: 10, Procs: 2, BenchTime: "300ms", Names: c.plan.Names}); !cmp.Equal(want, c.plan) {
		t.Errorf("the plan is %+v, want %+v", c.plan, want)
	}
	for _, name := range []string{"Lock/impl=echo/clients=1", "Drain/impl=treelock/op=write/depth=4/waiters=8000"} {
		if !slices.Contains(c.plan.Names, name) {
			t.Errorf("%s is not measured", name)
		}
	}
}

func TestCommandCanBeTypedAgain(t *testing.T) {
	c, err := parse([]string{"-bench", "it's|.*", "-o", "here"}, time.Time{}, &bytes.Buffer{})
	if want := `go run ./examples/speed -count 10 -cpu 2 -benchtime 300ms -bench 'it'\''s|.*'`; err != nil || c.command() != want {
		t.Errorf("command = %q, %v, want %q", c.command(), err, want)
	}
}
