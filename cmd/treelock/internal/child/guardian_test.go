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
			time.Sleep(time.Minute)
		} else if slow {
			time.Sleep(3 * time.Second) // as one that gets no processor
			os.WriteFile(name, nil, 0o600)
		}
		Guardian()
		os.Exit(0)
	case "stub":
		Stub(os.Args[2:])
		os.Exit(1)
	}
}

// until returns a function for Command.Begin.
func until(deadline time.Time) func() (time.Time, error) {
	return func() (time.Time, error) { return deadline, nil }
}

// shell returns a command that runs a script.
func shell(script string, begin func() (time.Time, error)) Command {
	return Command{Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: os.Environ(), Begin: begin}
}

// TestCommandBeginsWhenItsGuardianWatches has a guardian that needs seconds to start, and a lease
// that is renewed meanwhile.
func TestCommandBeginsWhenItsGuardianWatches(t *testing.T) {
	watches := filepath.Join(t.TempDir(), "watches")
	t.Setenv(slowEnv, watches)
	var deadline time.Time
	c, err := Start(shell(`test -e "$`+slowEnv+`"`, func() (time.Time, error) {
		if deadline = time.Now().Add(2 * time.Second); isFile(watches) {
			deadline = time.Now().Add(time.Minute)
		}
		return deadline, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(nil)
	if !c.guardian.deadline.Equal(deadline) {
		t.Errorf("the guardian was told the deadline %v, want %v", c.guardian.deadline, deadline)
	}
	if e := <-c.Events(); e.Kind != Ended || e.Status != 0 {
		t.Errorf("the command saw no guardian that watches: %+v", e)
	}
	if e := <-c.Events(); e.Kind != Gone {
		t.Errorf("%+v, want Gone", e)
	}
}

// TestGuardianThatDoesNotStartIsGivenUp has one that hangs while the lease is renewed.
func TestGuardianThatDoesNotStartIsGivenUp(t *testing.T) {
	t.Setenv(slowEnv, "")
	defer func(d time.Duration) { startTime = d }(startTime)
	startTime = 200 * time.Millisecond
	_, err := Start(shell("true", func() (time.Time, error) { return time.Now().Add(time.Minute), nil }))
	if err == nil || !strings.Contains(err.Error(), "has not started in 200ms") {
		t.Errorf("Start = %v, want that the guardian has not started", err)
	}
}

// TestCommandThatMustNotBeginDoesNot has a guardian that does not watch. Nothing may be left.
func TestCommandThatMustNotBeginDoesNot(t *testing.T) {
	t.Setenv(slowEnv, "")
	began := filepath.Join(t.TempDir(), "began")
	lost := errors.New("lost")
	asked := 0
	for name, c := range map[string]struct {
		begin func() (time.Time, error)
		want  error
	}{
		"too late":  {until(time.Now().Add(-time.Second)), ErrLate},
		"late soon": {until(time.Now().Add(200 * time.Millisecond)), ErrLate},
		"lost":      {func() (time.Time, error) { return time.Now().Add(time.Minute), lost }, lost},
		"lost while it starts": {func() (_ time.Time, err error) {
			if asked++; asked > 1 {
				err = lost
			}
			return time.Now().Add(time.Minute), err
		}, lost},
	} {
		if _, err := Start(shell("touch "+began, c.begin)); !errors.Is(err, c.want) {
			t.Errorf("%s: Start = %v, want %v", name, err, c.want)
		}
		if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); !errors.Is(err, syscall.ECHILD) {
			t.Errorf("%s: a process is left: %d, %v", name, pid, err)
		}
	}
	if isFile(began) {
		t.Error("the command has begun")
	}
}

// TestGuardianThatDoesNotReadIsReplaced fills the pipe of a guardian that is stopped.
func TestGuardianThatDoesNotReadIsReplaced(t *testing.T) {
	c, err := Start(shell("exec sleep 100", until(time.Now().Add(time.Hour))))
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
	select {
	case e := <-c.Events():
		t.Errorf("%+v, want that the group lives", e)
	default:
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
	deadline := time.Now().Add(time.Hour)
	g, err := startGuardian(cmd.Process.Pid, until(deadline))
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
		if err := g.tell(deadline); err != nil {
			t.Fatal(err)
		}
	}
	if syscall.Kill(cmd.Process.Pid, 0) != nil {
		t.Error("the group was killed")
	}
}

// TestCommandLineThatIsTooLong is an error of the command, and not of this program.
func TestCommandLineThatIsTooLong(t *testing.T) {
	_, err := Start(Command{Path: "/bin/sh", Args: []string{"sh", strings.Repeat("a", 8<<20)}, Begin: until(time.Now().Add(time.Minute))})
	if command := (*exec.Error)(nil); !errors.As(err, &command) || !errors.Is(err, syscall.E2BIG) {
		t.Errorf("Start = %v, want an *exec.Error", err)
	}
}
