//go:build unix

package child

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// A Child is a command that was started, with its group and its guardian. One goroutine calls its
// methods.
type Child struct {
	group    int
	guardian *guardian
	terminal terminal
	events   chan Event // from the goroutine that waits; never closed; has room for all but Stopped
}

// Start starts a command, and returns once it runs. It is in a group of its own, which is in the
// foreground of the terminal if the standard input is a terminal, this process is in its
// foreground, and the output is no pipe. An error of the command itself is an [exec.Error]; that of
// c.Begin is returned as it is. Else an error says that the command was not run.
//
// What this process has inherited beside the standard files is marked, so that neither the command
// nor the guardian has it.
func Start(c Command) (*Child, error) {
	markInherited()
	adoptOrphans()
	s, err := startStub(c)
	if err != nil {
		return nil, err
	}
	child := &Child{group: s.pid, events: make(chan Event, 2), terminal: openTerminal()}
	if child.guardian, err = startGuardian(s.pid, c.mayBegin); err != nil {
		s.giveUp()
		child.terminal.close()
		return nil, err
	}
	child.Foreground()
	// From here on this process may take the terminal back while it is in the background. The stub
	// has not inherited that.
	signal.Ignore(syscall.SIGTTOU)
	if err := s.run(); err != nil {
		s.giveUp()
		child.Close(nil)
		if number := syscall.Errno(0); errors.As(err, &number) {
			err = &exec.Error{Name: c.Args[0], Err: number}
		}
		return nil, err
	}
	go child.wait()
	return child, nil
}

// Events returns the channel of what happens to the command.
func (c *Child) Events() <-chan Event { return c.events }

// Deadline tells the guardian that the lock counts until then. If the guardian has ended, another
// one takes its place.
func (c *Child) Deadline(t time.Time) error { return c.guardian.tell(t) }

// Forward sends a signal to the group.
func (c *Child) Forward(s os.Signal) {
	if number, ok := s.(syscall.Signal); ok {
		syscall.Kill(-c.group, number)
	}
}

// Terminate asks all processes of the group to end, also those that are stopped.
func (c *Child) Terminate() {
	syscall.Kill(-c.group, syscall.SIGTERM)
	syscall.Kill(-c.group, syscall.SIGCONT)
}

// Kill ends all processes of the group. It does not wait until they have ended.
func (c *Child) Kill() { syscall.Kill(-c.group, syscall.SIGKILL) }

// Close takes the terminal back and ends the guardian. The group must be gone.
//
// If the command was ended by Ctrl-C, the caller names that signal: then the group of this process
// gets it as well, which it would have got without a group of the command. So a script ends that
// has called treelock.
func (c *Child) Close(typed os.Signal) {
	had := c.terminal.takeFrom(c.group)
	if had && (typed == syscall.SIGINT || typed == syscall.SIGQUIT) {
		syscall.Kill(0, typed.(syscall.Signal))
	}
	c.guardian.dismiss()
	c.terminal.close()
}

// wait sends the events of the command.
func (c *Child) wait() {
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(waitedFor(c.group), &ws, syscall.WUNTRACED, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err == nil && pid != c.group: // an orphan, or a guardian
			continue
		case err != nil:
			c.events <- Event{Kind: Ended, Status: 1} // BUG: this process alone waits for its child
		case ws.Stopped():
			c.events <- Event{Kind: Stopped, Signal: ws.StopSignal()}
			continue
		case ws.Signaled():
			c.events <- Event{Kind: Killed, Status: 128 + int(ws.Signal()), Signal: ws.Signal()}
		default:
			c.events <- Event{Kind: Ended, Status: ws.ExitStatus()}
		}
		break
	}
	awaitEmpty(c.group)
	c.events <- Event{Kind: Gone}
}

// awaitEmpty waits until no process is left in a group. The system tells of no such thing, so it
// asks again and again. Orphans that this process has adopted are waited for here: they count as
// processes until then.
func awaitEmpty(group int) {
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		reap(group)
		if isEmpty(group) {
			return
		}
		time.Sleep(pause)
	}
}

// reap waits for the processes of a group that have ended, as far as they are children.
func reap(group int) {
	for {
		if pid, err := syscall.Wait4(waitedFor(-group), nil, syscall.WNOHANG, nil); err != nil || pid <= 0 {
			return
		}
	}
}

// isEmpty reports whether no process is left in a group. A process that this one may not signal is
// one that is left, but on macOS the error is also that of a group of zombies.
func isEmpty(group int) bool { return errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) }

// A stub is the process that becomes the command.
type stub struct {
	pid    int
	begin  *os.File // the stub executes the command when it can read a byte
	failed *os.File // says why that failed; it ends without a word when the command runs
}

// startStub starts a stub. It waits for run.
func startStub(c Command) (*stub, error) {
	awaits, begin, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer awaits.Close()
	failed, fails, err := os.Pipe()
	if err != nil {
		begin.Close()
		return nil, err
	}
	defer fails.Close()
	cmd := self("stub", append([]string{c.Path}, c.Args...)...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Env, os.Stdin, os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{awaits, fails}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		begin.Close()
		failed.Close()
		if errors.Is(err, syscall.E2BIG) { // the command itself would have the same arguments
			return nil, &exec.Error{Name: c.Args[0], Err: syscall.E2BIG}
		}
		return nil, fmt.Errorf("start a process for %s: %w", c.Args[0], err)
	}
	s := &stub{cmd.Process.Pid, begin, failed}
	cmd.Process.Release()
	return s, nil
}

// run lets the stub execute the command, and returns why it could not: a [syscall.Errno] is that of
// the command.
func (s *stub) run() error {
	defer s.failed.Close()
	_, err := s.begin.Write([]byte{1})
	s.begin.Close()
	if err != nil {
		return errors.New("the process of the command was ended before it began")
	}
	text, _ := io.ReadAll(s.failed)
	if number, err := strconv.Atoi(string(text)); err == nil {
		return syscall.Errno(number)
	}
	return nil
}

// giveUp ends the stub, and waits for it.
func (s *stub) giveUp() {
	syscall.Kill(-s.pid, syscall.SIGKILL)
	s.begin.Close()
	s.failed.Close()
	for {
		if _, err := syscall.Wait4(s.pid, nil, 0, nil); !errors.Is(err, syscall.EINTR) {
			return
		}
	}
}

// Stub is the process that becomes the command. Its arguments are the path of the executable file
// and the arguments with the name in front. It returns an error if it was not told to begin, or if
// the command could not be run; startStub was told of the latter.
func Stub(args []string) error {
	begin, failed := os.NewFile(3, "begin"), os.NewFile(4, "failed")
	if len(args) < 2 || begin == nil || failed == nil {
		return errors.New("treelock run starts this, nothing else")
	}
	syscall.CloseOnExec(3)
	syscall.CloseOnExec(4)
	if n, _ := begin.Read(make([]byte, 1)); n == 0 {
		return errors.New("run has ended before the command began")
	}
	err := syscall.Exec(args[0], args[1:], os.Environ())
	var number syscall.Errno
	errors.As(err, &number)
	fmt.Fprint(failed, int(number))
	return err
}
