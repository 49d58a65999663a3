package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// The fuzz targets that test the lock manager, and those that test texts.
var (
	allTargets  = []string{"FuzzTable", "FuzzManager", "FuzzNodes", "FuzzLost", unitTests}
	textTargets = []string{"FuzzNodeText", "FuzzClaimJSON", "FuzzPathText"}
)

// unitTests is a target that is no fuzz target: the tests of the packages below.
const unitTests = "unit tests"

// targetsFor returns the targets that run a file, the likely ones first.
func targetsFor(file string) []string {
	switch {
	case file == lineage || file == calls:
		return []string{"FuzzNodes", "FuzzManager"}
	case file == claims || strings.HasPrefix(file, "internal/nodetext/"):
		return textTargets
	case file == revoke || file == lost || file == wanted || file == signals:
		return []string{"FuzzLost"}
	case file == crowd || file == suspend || file == shutdown || file == shown:
		// No fuzz target comes there.
		return []string{unitTests}
	case strings.HasPrefix(file, "waitqueue/"):
		return []string{"FuzzQueue", "FuzzTable", "FuzzManager", unitTests}
	case strings.HasPrefix(file, "manager/"):
		return []string{"FuzzManager", "FuzzNodes", "FuzzLost", unitTests}
	}
	return allTargets
}

// A workdir is a folder with a copy of the library, to be broken.
type workdir struct{ dir string }

// A result says which target failed, after which time of running, and why. The target is empty if
// none failed.
type result struct {
	target string
	after  time.Duration
	why    string
}

// newWorkdir copies the module that the working directory is in to dir.
func newWorkdir(ctx context.Context, dir string) (*workdir, error) {
	mod, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/treelock/treelock").Output()
	if err != nil {
		return nil, fmt.Errorf("cannot find the module, be in its folder: %w", err)
	}
	root := os.DirFS(strings.TrimSpace(string(mod)))
	for _, part := range []string{"waitqueue", "internal", "manager", "fuzz"} {
		tree, err := fs.Sub(root, part)
		if err != nil {
			return nil, err
		}
		if err := os.CopyFS(filepath.Join(dir, part), tree); err != nil {
			return nil, err
		}
	}
	files, err := fs.Glob(root, "*.go")
	if err != nil {
		return nil, err
	}
	for _, name := range append(files, "go.mod", "go.sum", "README.md") {
		text, err := fs.ReadFile(root, name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o644)
		}
		if err != nil {
			return nil, err
		}
	}
	return &workdir{dir}, nil
}

// try builds the targets and runs them until one fails, all of them for limit together.
func (w *workdir) try(ctx context.Context, targets []string, limit time.Duration) (result, error) {
	binary := filepath.Join(w.dir, "fuzz.test")
	build := w.command(ctx, "go", "test", "-c", "-fuzz", "Fuzz", "-tags", "treelock_audit", "-o", binary, "./fuzz")
	if out, err := build.CombinedOutput(); err != nil {
		return result{}, fmt.Errorf("the copy does not build: %w\n%s", err, out)
	}
	start := time.Now()
	for i, target := range targets {
		share := (limit - time.Since(start)) / time.Duration(len(targets)-i)
		run := w.fuzz
		if target == unitTests {
			run = w.test
		}
		why, err := run(ctx, binary, target, share)
		if err != nil || why != "" {
			return result{target, time.Since(start), why}, err
		}
	}
	return result{}, nil
}

// test runs the unit tests and returns why they failed, "" if they passed. They take seconds, and
// have a time-out of their own.
func (w *workdir) test(ctx context.Context, _, _ string, _ time.Duration) (why string, err error) {
	cmd := w.command(ctx, "go", "test", "-tags", "treelock_audit", "-timeout", "2m", "./waitqueue", "./internal/locktable", "./manager")
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	switch {
	case err == nil:
		return "", nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.As(err, &failed):
		return reason(out), nil
	}
	return "", err
}

// fuzz runs one target for at most d and returns why it failed, "" if it passed.
func (w *workdir) fuzz(ctx context.Context, binary, target string, d time.Duration) (why string, err error) {
	ctx, cancel := context.WithTimeout(ctx, d+10*time.Second)
	defer cancel()
	cache, err := os.MkdirTemp(w.dir, "cache-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(cache)
	cmd := w.command(ctx, binary, "-test.run", "^"+target+"$", "-test.fuzz", "^"+target+"$", "-test.fuzztime", d.String(),
		"-test.fuzzminimizetime", "10x", "-test.fuzzcachedir", cache, "-test.timeout", (d + 5*time.Second).String())
	cmd.Dir = filepath.Join(w.dir, "fuzz")
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	switch {
	case err == nil:
		return "", nil
	case ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "", ctx.Err()
	case endOfTime.Match(out):
		return "", nil
	case errors.As(err, &failed):
		return reason(out), nil
	}
	return "", err
}

// endOfTime matches what the engine of Go 1.26 and before may report at the end of its time,
// without an input that fails (go.dev/issue/75804).
var endOfTime = regexp.MustCompile(`(?m)^--- FAIL: \S+ \(\S+\)\n    context deadline exceeded$`)

func (w *workdir) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.WaitDelay = time.Second
	return cmd
}

// cause matches a line that says what went wrong.
var cause = regexp.MustCompile(`^\S+\.go:\d+: |^panic: |^fatal error: |BUG: |deadlock`)

// reason returns the line of a target's output that says why it failed.
func reason(out []byte) string {
	const longest = 110
	for line := range bytes.Lines(out) {
		if text := strings.TrimSpace(string(line)); cause.MatchString(text) {
			return text[:min(len(text), longest)]
		}
	}
	return "it failed"
}
