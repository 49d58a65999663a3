//go:build unix

package child

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// slowEnv names a file that a guardian makes before it watches, when it has slept. Without a name
// it does not watch.
const slowEnv = "TREELOCK_TEST_SLOW_GUARDIAN"

// A process of this binary with the arguments of a guardian, or of a stub, is one.
func init() {
	if len(os.Args) < 2 || os.Args[0] != "treelock" {
		return
	}
	switch os.Args[1] {
	case "guardian":
		if name, slow := os.LookupEnv(slowEnv); slow && name == "" {
			time.Sleep(time.Hour)
		} else if slow {
			time.Sleep(500 * time.Millisecond) // as one that gets no processor
			os.WriteFile(name, nil, 0o600)
		}
		Guardian()
		os.Exit(0)
	case "stub":
		Stub(os.Args[2:])
		os.Exit(1)
	}
}

// shell returns a command that runs a script.
func shell(script string, deadline time.Time) Command {
	return Command{Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: os.Environ(), Deadline: deadline}
}

// TestCommandBeginsWhenItsGuardianWatches has a guardian that needs half a second to start.
func TestCommandBeginsWhenItsGuardianWatches(t *testing.T) {
	watches := filepath.Join(t.TempDir(), "watches")
	t.Setenv(slowEnv, watches)
	c, err := Start(shell(`test -e "$`+slowEnv+`"`, time.Now().Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(nil)
	if e := <-c.Events(); e.Kind != Ended || e.Status != 0 {
		t.Errorf("the command saw no guardian that watches: %+v", e)
	}
	for e := range c.Events() {
		if e.Kind == Gone {
			break
		}
	}
}

// TestCommandWithoutAGuardianDoesNotBegin has guardians that do not watch before the deadline.
func TestCommandWithoutAGuardianDoesNotBegin(t *testing.T) {
	t.Setenv(slowEnv, "")
	began := filepath.Join(t.TempDir(), "began")
	for _, left := range []time.Duration{-time.Second, 0, 100 * time.Millisecond} {
		c, err := Start(shell("touch "+began, time.Now().Add(left)))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Start with %v left = %v, %v, want %v", left, c, err, os.ErrDeadlineExceeded)
		}
	}
	if _, err := os.Stat(began); err == nil {
		t.Error("the command has begun")
	}
}

// TestGuardianThatDoesNotReadIsReplaced fills the pipe of a guardian that is stopped.
func TestGuardianThatDoesNotReadIsReplaced(t *testing.T) {
	c, err := Start(shell("exec sleep 100", time.Now().Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(nil)
	defer c.Kill()
	first := c.guardian.process.Pid
	syscall.Kill(first, syscall.SIGSTOP)
	const enough = 20_000 // messages of 70 bytes or more, for a pipe of at most 1 MiB
	for i := 0; c.guardian.process.Pid == first; i++ {
		if i == enough {
			t.Fatal("the guardian is not replaced")
		}
		if err := c.Deadline(time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if syscall.Kill(c.group, 0) != nil {
		t.Error("the group was killed")
	}
}

// TestDeadGuardianIsReplaced tells the deadline that the guardian knew.
func TestDeadGuardianIsReplaced(t *testing.T) {
	cmd := exec.Command("sleep", "100")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	until := time.Now().Add(time.Hour)
	g, err := startGuardian(cmd.Process.Pid, until)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { g.dismiss() }()
	first := g.process.Pid
	g.process.Kill()
	for end := time.Now().Add(20 * time.Second); g.process.Pid == first; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the dead guardian is not replaced")
		}
		if err := g.tell(until); err != nil {
			t.Fatal(err)
		}
	}
	if syscall.Kill(cmd.Process.Pid, 0) != nil {
		t.Error("the group was killed")
	}
}

// TestCommandLineThatIsTooLong is an error of the command, and not of this program.
func TestCommandLineThatIsTooLong(t *testing.T) {
	_, err := Start(Command{Path: "/bin/sh", Args: []string{"sh", strings.Repeat("a", 8<<20)}, Deadline: time.Now().Add(time.Minute)})
	if command := (*exec.Error)(nil); !errors.As(err, &command) || !errors.Is(err, syscall.E2BIG) {
		t.Errorf("Start = %v, want an *exec.Error", err)
	}
}
