// Package measure runs the benchmarks of the lock manager, round by round.
package measure

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Package has the benchmarks.
const Package = "github.com/treelock/treelock/manager/bench"

// A Plan says what to measure and how often. In each round every benchmark is run once, so that a minute in which the
// machine is busy with something else is the same for all.
type Plan struct {
	Names     []string // of the benchmarks, without "Benchmark"
	Rounds    int
	Procs     int
	BenchTime string
}

// Progress is how far a plan has come.
type Progress struct {
	Round int // the first is 1
	Done  int // benchmarks, in all rounds
	Last  string
}

// A Suite is the compiled benchmarks. Close must be called to remove it.
type Suite struct {
	goVersion string
	dir       string // where they expect to be run
	temp      string
}

// grace is how long a child may take to end when it was told to.
const grace = 5 * time.Second

// Compile compiles the benchmarks of the treelock of the working directory.
func Compile(ctx context.Context) (*Suite, error) {
	out, err := goTool(ctx, "list", "-f", "{{.Dir}}", Package)
	if err != nil {
		return nil, fmt.Errorf("speed: the benchmarks are not found: run speed in a folder of treelock's repository: %w", err)
	}
	s := &Suite{dir: out}
	if s.goVersion, err = goTool(ctx, "env", "GOVERSION"); err != nil {
		return nil, fmt.Errorf("speed: go env: %w", err)
	}
	if s.temp, err = os.MkdirTemp("", "speed-"); err != nil {
		return nil, fmt.Errorf("speed: there is no place for the compiled benchmarks: %w", err)
	}
	// Compiled once and run without the go command: an interrupt then has one process to end.
	if _, err := goTool(ctx, "test", "-c", "-o", s.binary(), Package); err != nil {
		return nil, errors.Join(fmt.Errorf("speed: the benchmarks cannot be compiled: %w", err), s.Close())
	}
	return s, nil
}

// goTool runs the go command and returns what it says.
func goTool(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it has children, and a folder to remove
	cmd.WaitDelay = grace
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	return string(bytes.TrimSpace(out)), nil
}

// GoVersion returns the version of Go that has compiled the suite.
func (s *Suite) GoVersion() string { return s.goVersion }

// Close removes the compiled benchmarks.
func (s *Suite) Close() error { return os.RemoveAll(s.temp) }

func (s *Suite) binary() string { return filepath.Join(s.temp, "bench.test.exe") } // Windows asks for the .exe

// Run does what p says. It writes what the benchmarks print to out, and tells progress of each result. It ends when
// ctx does; the process that measures has ended then, too.
func (s *Suite) Run(ctx context.Context, p Plan, out io.Writer, progress func(Progress)) error {
	done := 0
	for round := 1; round <= p.Rounds; round++ {
		missing := make(map[string]bool)
		for _, name := range p.Names {
			missing[name] = true
		}
		err := s.round(ctx, p, out, func(name string) {
			done++
			delete(missing, name)
			progress(Progress{round, done, name})
		})
		if err != nil {
			return err
		}
		if len(missing) > 0 {
			first := slices.IndexFunc(p.Names, func(name string) bool { return missing[name] })
			return fmt.Errorf("speed: %d benchmarks are not in the suite, %s for one: bring the names in examples/speed/report up to date",
				len(missing), p.Names[first])
		}
	}
	return nil
}

// round runs every benchmark once.
func (s *Suite) round(ctx context.Context, p Plan, out io.Writer, result func(name string)) error {
	cmd := exec.CommandContext(ctx, s.binary(), "-test.run=-", "-test.bench="+pattern(p.Names),
		"-test.cpu="+strconv.Itoa(p.Procs), "-test.benchtime="+p.BenchTime)
	cmd.Dir = s.dir
	cmd.WaitDelay = grace
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("speed: the benchmarks cannot be run: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("speed: the benchmarks cannot be run: %w", err)
	}
	said, readErr := follow(stdout, out, result)
	_, _ = io.Copy(io.Discard, stdout) // what is left after an error, lest the child wait for us to read it
	switch err := cmd.Wait(); {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("speed: the benchmarks failed: %w\n%s%s", err, said, &stderr)
	case readErr != nil:
		return fmt.Errorf("speed: the benchmarks cannot be followed: %w", readErr)
	}
	return nil
}

// follow copies what benchmarks print to out, and tells of each result. It returns the rest of what they say.
func follow(stdout io.Reader, out io.Writer, result func(name string)) (said string, err error) {
	var rest strings.Builder
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		line := lines.Text()
		if _, err := fmt.Fprintln(out, line); err != nil {
			return rest.String(), err
		}
		if name, ok := resultName(line); ok {
			result(name)
		} else {
			fmt.Fprintln(&rest, line)
		}
	}
	return rest.String(), lines.Err()
}

var resultLine = regexp.MustCompile(`^Benchmark(\S+?)(-\d+)?\s+\d+\s`)

// resultName returns the name of the benchmark, if line is a result.
func resultName(line string) (name string, ok bool) {
	m := resultLine.FindStringSubmatch(line)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// pattern returns what -bench needs to run exactly the benchmarks with these names.
func pattern(names []string) string {
	var all []string
	for _, name := range names {
		parts := strings.Split("Benchmark"+name, "/")
		for i, part := range parts {
			parts[i] = "^" + regexp.QuoteMeta(part) + "$"
		}
		all = append(all, strings.Join(parts, "/"))
	}
	return strings.Join(all, "|")
}
