package measure

import (
	"bytes"
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestResultLinesNameTheirBenchmark(t *testing.T) {
	for line, want := range map[string]string{
		"BenchmarkLock/impl=echo/clients=1-2         \t  182104\t       333.9 ns/op":    "Lock/impl=echo/clients=1",
		"BenchmarkLock/impl=echo/clients=1           \t  182104\t       333.9 ns/op":    "Lock/impl=echo/clients=1", // one processor
		"BenchmarkLock/impl=rwmutex-map/clients=1-16 \t  182104\t       333.9 ns/op":    "Lock/impl=rwmutex-map/clients=1",
		"BenchmarkMemory/state=waiting-one-node/depth=4-2 \t       1\t 864.0 B/request": "Memory/state=waiting-one-node/depth=4",
		"BenchmarkLock/impl=echo/clients=1-2":                                           "", // what -v says before
		"pkg: github.com/treelock":                                                      "",
		"--- FAIL: BenchmarkLock":                                                       "",
		"":                                                                              "",
	} {
		if got, ok := resultName(line); got != want || ok != (want != "") {
			t.Errorf("resultName(%q) = %q, %t, want %q", line, got, ok, want)
		}
	}
}

// matches is what the testing package does with a pattern and a name, both without alternatives.
func matches(t *testing.T, pattern, name string) bool {
	t.Helper()
	exprs, parts := strings.Split(pattern, "/"), strings.Split(name, "/")
	for i := range min(len(exprs), len(parts)) {
		if !regexp.MustCompile(exprs[i]).MatchString(parts[i]) {
			return false
		}
	}
	return len(exprs) == len(parts)
}

func TestPatternMatchesExactlyWhatWasAskedFor(t *testing.T) {
	one := pattern([]string{"Lock/impl=echo/clients=1"})
	for name, want := range map[string]bool{
		"BenchmarkLock/impl=echo/clients=1":    true,
		"BenchmarkLock/impl=echo/clients=1000": false,
		"BenchmarkLocks/impl=echo/clients=1":   false,
		"BenchmarkLock/impl=echoes/clients=1":  false,
	} {
		if got := matches(t, one, name); got != want {
			t.Errorf("%s matches %s: %t, want %t", one, name, got, want)
		}
	}
	want := "^BenchmarkA$/^q=p99\\.9$|^BenchmarkB$"
	if diff := cmp.Diff(want, pattern([]string{"A/q=p99.9", "B"})); diff != "" {
		t.Errorf("the pattern differs (-want +got):\n%s", diff)
	}
}

func TestWhatIsNoResultIsKeptForTheErrorMessage(t *testing.T) {
	var out bytes.Buffer
	var names []string
	text := "goos: linux\nBenchmarkA-2 1 1 ns/op\n--- FAIL: BenchmarkB\n"
	said, err := follow(strings.NewReader(text), &out, func(name string) { names = append(names, name) })
	if err != nil || said != "goos: linux\n--- FAIL: BenchmarkB\n" || out.String() != text {
		t.Errorf("follow = %q, %v, and %q is copied, want all of it", said, err, out.String())
	}
	if diff := cmp.Diff([]string{"A"}, names); diff != "" {
		t.Errorf("the results differ (-want +got):\n%s", diff)
	}
}

func TestProgressIsToldNowAndThenAndAtTheEnd(t *testing.T) {
	var out bytes.Buffer
	clock := time.Unix(0, 0)
	show := lines(&out, Plan{Names: []string{"A", "B"}, Rounds: 2}, func() time.Time { return clock })
	for i, name := range []string{"A", "B", "A", "B"} {
		clock = clock.Add(lineEvery / 2)
		show(Progress{Round: 1 + i/2, Done: i + 1, Last: name})
	}
	want := "round 1 of 2: 2 of 4 benchmarks, now past B\nround 2 of 2: 4 of 4 benchmarks, now past B\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("the progress differs (-want +got):\n%s", diff)
	}
}

func compile(t *testing.T) *Suite {
	t.Helper()
	s, err := Compile(t.Context())
	if err != nil {
		t.Fatalf("Compile = %v, want no error", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v, want no error", err)
		}
		if _, err := os.Stat(s.temp); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the compiled benchmarks are still there: %v", err)
		}
	})
	return s
}

func TestEveryRoundRunsEveryBenchmarkOnce(t *testing.T) {
	names := []string{"Lock/impl=echo/clients=1", "Lock/impl=rwmutex/op=write/clients=1"}
	var out bytes.Buffer
	var got []Progress
	err := compile(t).Run(t.Context(), Plan{Names: names, Rounds: 2, Procs: 1, BenchTime: "10x"}, &out, func(p Progress) { got = append(got, p) })
	if err != nil {
		t.Fatalf("Run = %v, want no error", err)
	}
	want := []Progress{{1, 1, names[0]}, {1, 2, names[1]}, {2, 3, names[0]}, {2, 4, names[1]}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the progress differs (-want +got):\n%s", diff)
	}
}

func TestBenchmarkThatIsNotInTheSuiteIsAnError(t *testing.T) {
	err := compile(t).Run(t.Context(), Plan{Names: []string{"Lock/impl=none"}, Rounds: 2, Procs: 1, BenchTime: "1x"}, &bytes.Buffer{}, func(Progress) {})
	if err == nil || !strings.Contains(err.Error(), "1 benchmarks are not in the suite, Lock/impl=none for one") {
		t.Errorf("Run = %v, want the name of the benchmark", err)
	}
}

func TestFailureSaysWhatTheBenchmarksSaid(t *testing.T) {
	err := compile(t).Run(t.Context(), Plan{Names: []string{"Lock"}, Rounds: 1, Procs: 1, BenchTime: "never"}, &bytes.Buffer{}, func(Progress) {})
	if err == nil || !strings.Contains(err.Error(), `invalid value "never"`) {
		t.Errorf("Run = %v, want what is wrong with it", err)
	}
}

// A writer calls seen with the first that is written to it.
type writer struct{ seen func() }

func (w writer) Write(p []byte) (int, error) { w.seen(); return len(p), nil }

func TestInterruptEndsTheBenchmarksAtOnce(t *testing.T) {
	suite := compile(t)
	mine := errors.New("mine")
	ctx, cancel := context.WithCancelCause(t.Context())
	start := time.Now()
	plan := Plan{Names: []string{"Lock/impl=echo/clients=1"}, Rounds: 1, Procs: 1, BenchTime: "10m"}
	err := suite.Run(ctx, plan, writer{func() { cancel(mine) }}, func(Progress) {})
	if !errors.Is(err, mine) {
		t.Errorf("Run = %v, want the cause of the interrupt", err)
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("it took %v, want less than what was to be measured", took)
	}
}
