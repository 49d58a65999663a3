//go:build unix

package child

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A process of this binary with the arguments of a guardian is one.
func init() {
	if len(os.Args) == 2 && os.Args[1] == "guardian" {
		Guardian()
		os.Exit(0)
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
