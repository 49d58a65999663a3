//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// zombies returns how many children of a process have ended, and were not waited for.
func (r rig) zombies(parent int) (n int) {
	r.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(names) == 0 {
		r.Skip("there is no /proc")
	}
	for _, name := range names {
		stat, _ := os.ReadFile(name)
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) > 1 && string(fields[0]) == "Z" && string(fields[1]) == strconv.Itoa(parent) {
			n++
		}
	}
	return n
}

// TestOrphansAreWaitedFor has a command whose grandchildren end while it runs, in its group and in
// others.
func TestOrphansAreWaitedFor(t *testing.T) {
	r := newRig(t)
	p := r.start(r.lock("-w", "a", "sh", "-c",
		`for i in 1 2 3 4 5 6 7 8 9; do (true &); (setsid true &); done; echo > ready; while ! test -e go; do sleep 0.05; done; exit 3`))
	r.file("ready")
	r.until("no orphan is left", func() bool { return r.zombies(p.Process.Pid) == 0 })
	r.touch("go")
	if status, stderr := r.status(p); status != 3 {
		t.Errorf("run exits with %d and %q, want 3", status, stderr)
	}
}

// TestStoppedGuardianHoldsNothingUp stops the guardian. The lock ends with the command.
func TestStoppedGuardianHoldsNothingUp(t *testing.T) {
	r := newRig(t)
	p, guardian := r.guarded()
	defer syscall.Kill(guardian, syscall.SIGKILL)
	syscall.Kill(guardian, syscall.SIGSTOP)
	r.touch("go")
	if status, stderr := r.status(p); status != 0 {
		t.Errorf("run exits with %d and %q", status, stderr)
	}
}
