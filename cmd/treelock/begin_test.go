//go:build unix

package main

import (
	"strings"
	"syscall"
	"testing"
)

// TestCommandDoesNotBeginWithoutItsGuardian lets something happen while the guardian starts, which
// takes longer than the test has time.
func TestCommandDoesNotBeginWithoutItsGuardian(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happens func(r rig, p *running)
		status  int
		says    string
	}{
		"a signal":         {func(_ rig, p *running) { p.signal(syscall.SIGTERM) }, 128 + 15, "nothing is held"},
		"the lock is lost": {func(r rig, _ *running) { r.endLeases() }, statusLost, "touch was not run: treelock: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.ttl = "60s"
			cmd := r.lock("-w", "a", "touch", "began")
			cmd.Env = append(cmd.Env, stuckEnv+"=1")
			p := r.start(cmd)
			r.until("there is a guardian", func() bool { return r.guardian(p) != 0 })
			c.happens(r, p)
			if status, stderr := r.status(p); status != c.status || !strings.Contains(stderr, c.says) {
				t.Errorf("run exits with %d and %q, want %d and %q", status, stderr, c.status, c.says)
			}
			if isFileOrFolder(r.path("began")) {
				t.Error("the command has begun")
			}
		})
	}
}
