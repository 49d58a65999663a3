//go:build unix

package main

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestGrandchildOfAKilledShellDies kills the shell, and not what it has started.
func TestGrandchildOfAKilledShellDies(t *testing.T) {
	r := newBeatRig(t)
	p := r.start(r.lock("-w", "a", "sh", "-c", "./beat one & echo $$ > shell; wait"))
	r.pulse("one")
	syscall.Kill(r.pid("shell"), syscall.SIGKILL)
	if status, stderr := r.status(p); status != 128+int(syscall.SIGKILL) {
		t.Errorf("run exits with %d and %q", status, stderr)
	}
	if lives(r.pulse("one").pid) {
		t.Error("the grandchild lives on")
	}
}

// TestLockIsHeldUntilTheGroupIsGone has a shell that ends before what it has started.
func TestLockIsHeldUntilTheGroupIsGone(t *testing.T) {
	r := newRig(t)
	status, stderr := r.run("-w", "a", "sh", "-c", "{ sleep 0.5; echo > late; } 2>/dev/null & exit 5")
	if status != 5 {
		t.Errorf("run exits with %d and %q, want 5", status, stderr)
	}
	if _, err := os.Stat(r.path("late")); err != nil {
		t.Error("run has ended before the group:", err)
	}
}

func TestCommandHasTheStandardFilesAlone(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("it looks into /proc")
	}
	r := newRig(t)
	cmd := r.lock("-w", "a", "ls", "/proc/self/fd")
	extra, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer extra.Close()
	cmd.ExtraFiles = []*os.File{extra, extra, extra} // run may use the first numbers itself
	var out strings.Builder
	cmd.Stdout = &out
	if status, stderr := r.status(r.start(cmd)); status != 0 {
		t.Fatalf("run exits with %d and %q", status, stderr)
	}
	if got := strings.Join(strings.Fields(out.String()), " "); got != "0 1 2 3" { // 3 is the folder
		t.Errorf("ls has the files %s, want 0 1 2 3", got)
	}
}

func TestStandardFilesAreThoseOfTheCommand(t *testing.T) {
	r := newRig(t)
	cmd := r.lock("-w", "a", "sh", "-c", "cat; echo error >&2")
	var out, errs strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader("input"), &out, &errs
	if status, _ := r.status(r.start(cmd)); status != 0 || out.String() != "input" || errs.String() != "error\n" {
		t.Errorf("run exits with %d, %q and %q", status, &out, &errs)
	}
}

func TestGuardianEndsWithTheCommand(t *testing.T) {
	r := newRig(t)
	p, guardian := r.guarded()
	r.touch("go")
	if status, stderr := r.status(p); status != 0 {
		t.Errorf("run exits with %d and %q", status, stderr)
	}
	if lives(guardian) {
		t.Error("the guardian lives on")
	}
}

// TestStubWithoutARunDoesNotBegin starts what becomes the command as run does, and ends run before
// the guardian knows of it.
func TestStubWithoutARunDoesNotBegin(t *testing.T) {
	r := newRig(t)
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	awaits, begin, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer awaits.Close()
	cmd := r.command("stub", shell, "sh", "-c", "echo > began")
	cmd.ExtraFiles = []*os.File{awaits, os.Stdout}
	p := r.start(cmd)
	begin.Close()
	if status, stderr := r.status(p); status != statusSoftware {
		t.Errorf("the stub exits with %d and %q", status, stderr)
	}
	if _, err := os.Stat(r.path("began")); err == nil {
		t.Error("the command was run")
	}
}
