package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the tables in testdata")

// start runs the command and returns the exit code and what it prints.
func start(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, err strings.Builder
	code = run(ctx, args, &out, &err)
	return code, out.String(), err.String()
}

func TestSampleMakesTheReport(t *testing.T) {
	for _, test := range []struct {
		table, sample, plot, line string
		args                      []string
	}{
		{"speed.md", "bench.txt", "clients.svg", "x/sync semaphore", nil},
		{"cluster.md", "cluster-bench.txt", "cluster.svg", "Mutex, 3 servers", []string{"-cluster"}},
		{"cluster.md", "cluster-bench.txt", "hand-over.svg", "treelock, two processes", []string{"-cluster"}},
	} {
		dir, golden := filepath.Join(t.TempDir(), "new", "folder"), "testdata/"+test.table
		code, got, stderr := start(t.Context(), append(test.args, "-from", "testdata/"+test.sample, "-o", dir)...)
		if code != 0 {
			t.Fatalf("exit code %d, want 0: %s", code, stderr)
		}
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(golden); err != nil || got != string(want) {
			t.Errorf("the table is\n%s\nwant (%v)\n%s", got, err, want)
		}
		if file, err := os.ReadFile(filepath.Join(dir, test.table)); err != nil || string(file) != got {
			t.Errorf("%s differs from what is printed (%v)", test.table, err)
		}
		plot, err := os.ReadFile(filepath.Join(dir, test.plot))
		if err != nil || !strings.Contains(string(plot), ">"+test.line+"<") {
			t.Errorf("%s has no line %q (%v)", test.plot, test.line, err)
		}
	}
}

// TestClusterBenchmarksFillTheTable runs those that are quick.
func TestClusterBenchmarksFillTheTable(t *testing.T) {
	code, table, stderr := start(t.Context(), "-cluster", "-o", t.TempDir(), "-count", "1", "-benchtime", "1x", "-bench", "(Acquire|HandOver|Lock)/servers=1")
	if code != 0 {
		t.Fatalf("exit code %d, want 0: %s", code, stderr)
	}
	rows := strings.Split(table, "\n| ")[1:]
	if len(rows) != 9 {
		t.Errorf("the table has %d rows, want 9:\n%s", len(rows), table)
	}
	for _, row := range rows {
		if cells := strings.Split(row, " | "); cells[2] == "" || cells[3] == "" || cells[4] == "" {
			t.Error("treelock, its peer or the ratio is missing: ", row)
		}
	}
}

func TestProgressSaysHowLongItWillTake(t *testing.T) {
	if got, want := progress(time.Minute, 2, 6), ", after 1m0s, 2m0s to go"; got != want {
		t.Errorf("progress = %q, want %q", got, want)
	}
	if got := progress(0, 0, 6); got != "" {
		t.Errorf("progress before a round = %q, want none", got)
	}
}

// TestBenchmarksFillTheTable runs every benchmark of the report once, but for those that take long.
func TestBenchmarksFillTheTable(t *testing.T) {
	quick := strings.NewReplacer("Live", "Live/impl/op/depth/leaves/live=0$|None", "waiters/", "waiters=10$/", "Neighbours|", "", "|Memory", "").Replace(shown)
	code, table, stderr := start(t.Context(), "-o", t.TempDir(), "-count", "1", "-cpu", "1", "-benchtime", "1x", "-bench", quick)
	if code != 0 {
		t.Fatalf("exit code %d, want 0: %s", code, stderr)
	}
	if n := strings.Count(table, "\n| "); n != 15 {
		t.Errorf("the table has %d rows, want 15:\n%s", n, table)
	}
	for _, row := range strings.SplitAfter(table, "\n")[2:12] {
		if strings.Contains(row, "|  |") {
			t.Error("an implementation is missing: ", row)
		}
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestInterruptDrawsWhatWasMeasured(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var stdout, stderr strings.Builder
	args := []string{"-o", t.TempDir(), "-count", "9999", "-benchtime", "1x", "-bench", "Lock/impl=echo/clients=1$"}
	code := run(ctx, args, &stdout, writerFunc(func(p []byte) (int, error) {
		if strings.Contains(string(p), "round 2 of") {
			cancel()
		}
		return stderr.Write(p)
	}))
	if code != 130 || !strings.Contains(stderr.String(), "speed: interrupted: round ") || !strings.Contains(stdout.String(), "| 1 client writes |") {
		t.Errorf("exit code %d, want 130 and what was measured:\n%s%s", code, &stdout, &stderr)
	}
}

func TestErrorsSayWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		path string // where the go command is
		code int
		says string
		args []string
	}{
		{os.Getenv("PATH"), 1, `the benchmarks failed: exit status 2`, []string{"-o", t.TempDir(), "-benchtime", "never"}},
		{"", 1, `"go": executable file not found`, []string{"-o", t.TempDir()}},
		{"", 1, "not a directory", []string{"-o", file + "/below"}},
		{"", 1, "no such file", []string{"-o", t.TempDir(), "-from", "missing"}},
		{"", 1, "no results of benchmarks", []string{"-o", t.TempDir(), "-from", file}},
		{"", 2, `see -h [extra]`, []string{"extra"}},
		{"", 2, "not defined: -nonsense", []string{"-nonsense"}},
		{"", 0, "Usage of speed", []string{"-h"}},
	} {
		t.Setenv("PATH", test.path)
		if code, _, stderr := start(t.Context(), test.args...); code != test.code || !strings.Contains(stderr, test.says) {
			t.Errorf("speed %q: exit code %d and %q, want %d and %q", test.args, code, stderr, test.code, test.says)
		}
	}
}
