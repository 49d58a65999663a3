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

// allTargets are those that see faults of the lock manager, and textTargets those that see faults of texts.
var (
	allTargets  = []string{"FuzzTable", "FuzzManager", "FuzzNodes"}
	textTargets = []string{"FuzzNodeText", "FuzzClaimJSON", "FuzzPathText"}
)

// targetsFor returns the targets that run a file, the likely ones first.
func targetsFor(file string) []string {
	switch {
	case file == vet || file == calls:
		return []string{"FuzzNodes", "FuzzManager"}
	case file == claims || strings.HasPrefix(file, "internal/nodetext/"):
		return textTargets
	case strings.HasPrefix(file, "manager/"):
		return []string{"FuzzManager", "FuzzNodes"}
	}
	return allTargets
}

// A lab is a copy of the library, to be broken.
type lab struct{ dir string }

// A death says which target failed, after which time of running, and what it said. The zero death is none.
type death struct {
	target string
	after  time.Duration
	why    string
}

// newLab copies the module that the working directory is in to dir.
func newLab(ctx context.Context, dir string) (*lab, error) {
	mod, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/treelock/treelock").Output()
	if err != nil {
		return nil, fmt.Errorf("cannot find the module, be in its folder: %w", err)
	}
	root := strings.TrimSpace(string(mod))
	l := &lab{dir}
	for _, part := range []string{"go.mod", "go.sum", "*.go", "waitqueue", "internal", "manager", "fuzz"} {
		matches, err := filepath.Glob(filepath.Join(root, part))
		if err != nil {
			return nil, err
		}
		for _, match := range matches {
			if err := l.copyTree(root, match); err != nil {
				return nil, err
			}
		}
	}
	return l, nil
}

// copyTree copies a file, or all files of a tree, from below root to the same place below the lab's folder.
func (l *lab) copyTree(root, from string) error {
	return filepath.WalkDir(from, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		to := filepath.Join(l.dir, rel)
		if entry.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(to, text, 0o644)
	})
}

// try builds the targets and runs them until one fails, all of them for limit together.
func (l *lab) try(ctx context.Context, targets []string, limit time.Duration) (death, error) {
	binary := filepath.Join(l.dir, "fuzz.test")
	build := l.command(ctx, "go", "test", "-c", "-fuzz", "Fuzz", "-tags", "treelock_audit", "-o", binary, "./fuzz")
	if out, err := build.CombinedOutput(); err != nil {
		return death{}, fmt.Errorf("the copy does not build: %w\n%s", err, out)
	}
	start := time.Now()
	for i, target := range targets {
		share := (limit - time.Since(start)) / time.Duration(len(targets)-i)
		why, err := l.fuzz(ctx, binary, target, share)
		if err != nil || why != "" {
			return death{target, time.Since(start), why}, err
		}
	}
	return death{}, nil
}

// fuzz runs one target for at most d and returns why it failed, "" if it did not.
func (l *lab) fuzz(ctx context.Context, binary, target string, d time.Duration) (why string, err error) {
	ctx, cancel := context.WithTimeout(ctx, d+10*time.Second)
	defer cancel()
	cache, err := os.MkdirTemp(l.dir, "cache-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(cache)
	cmd := l.command(ctx, binary, "-test.run", "^"+target+"$", "-test.fuzz", "^"+target+"$", "-test.fuzztime", d.String(),
		"-test.fuzzminimizetime", "10x", "-test.fuzzcachedir", cache, "-test.timeout", (d + 5*time.Second).String())
	cmd.Dir = filepath.Join(l.dir, "fuzz")
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

// endOfTime is what the engine of Go 1.26 and before may report at the end of its time, without an input that fails
// (go.dev/issue/75804).
var endOfTime = regexp.MustCompile(`(?m)^--- FAIL: \S+ \(\S+\)\n    context deadline exceeded$`)

func (l *lab) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = l.dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.WaitDelay = time.Second
	return cmd
}

// telling is a line that says what went wrong.
var telling = regexp.MustCompile(`^\S+\.go:\d+: |^panic: |^fatal error: |BUG: |deadlock`)

// reason returns the line of a target's output that says best why it failed.
func reason(out []byte) string {
	var first string
	for line := range bytes.Lines(out) {
		text := strings.TrimSpace(string(line))
		if telling.MatchString(text) {
			first = text
			break
		}
	}
	if first == "" {
		first = "it failed"
	}
	const longest = 110
	if len(first) > longest {
		first = first[:longest] + "..."
	}
	return first
}
