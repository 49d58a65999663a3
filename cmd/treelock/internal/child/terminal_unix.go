//go:build unix

package child

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// A terminal is the controlling terminal of this process, if it has one.
type terminal struct {
	fd    int         // -1 if there is none
	modes *term.State // at the start, if this process was in the foreground then
}

func openTerminal() terminal {
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return terminal{fd: -1}
	}
	t := terminal{fd: fd}
	if t.inForeground() {
		t.modes, _ = term.GetState(fd)
	}
	return t
}

// isInput reports whether there is a terminal, the standard input is one, and the output is no
// pipe. A program that reads such output is in the group of this process: a pager would lose the
// terminal to the command.
func (t terminal) isInput() bool {
	return t.fd >= 0 && term.IsTerminal(0) && !isPipe(os.Stdout) && !isPipe(os.Stderr)
}

func isPipe(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0
}

// foreground returns the group in the foreground, and 0 if there is no terminal.
func (t terminal) foreground() int {
	if t.fd < 0 {
		return 0
	}
	group, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP)
	if err != nil {
		return 0
	}
	return group
}

func (t terminal) inForeground() bool { return InForeground(t.fd) }

// InForeground reports whether this process is in the foreground of a terminal, which is its own.
func InForeground(fd int) bool { return terminal{fd: fd}.foreground() == unix.Getpgrp() }

// give makes a group the one in the foreground.
func (t terminal) give(group int) { unix.IoctlSetPointerInt(t.fd, unix.TIOCSPGRP, group) }

// takeFrom brings the group of this process to the foreground, if the other one is there, and
// reports that. If this process had the terminal at the start, it takes it from a group that is
// gone, too: that was one of a run inside. SIGTTOU must be ignored.
func (t terminal) takeFrom(group int) (was bool) {
	front := t.foreground()
	if was = front == group; was || t.modes != nil && isEmpty(front) {
		t.give(unix.Getpgrp())
	}
	return was
}

func (t terminal) close() {
	if t.fd >= 0 {
		unix.Close(t.fd)
	}
}

// guardianTime is how long Restore waits for the guardian of a run inside that was killed.
const guardianTime = 500 * time.Millisecond

// Restore gives the terminal the modes that it had at the start, if the command is in the
// foreground, or a group that is gone. A command that was killed could not do that. If it was
// another run, the command of that is killed soon.
func (c *Child) Restore() {
	t := c.terminal
	if t.modes == nil {
		return
	}
	for end := time.Now().Add(guardianTime); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		front := t.foreground()
		reap(front)
		switch {
		case front == unix.Getpgrp():
			return
		case front == c.group, isEmpty(front):
			term.Restore(t.fd, t.modes)
			return
		}
	}
}

// continueTime is how long Suspend waits for SIGCONT before it concludes that nothing has stopped
// this process.
const continueTime = 200 * time.Millisecond

// Suspend is to be called when the command was stopped. On a terminal it stops the group of this
// process as well, so that the shell sees a stopped job, and returns true when that is continued.
// Then the caller calls Continue, or Kill. Without a terminal it does nothing, and returns false.
//
// A command that only wants to use the terminal gets it, if this process has it. It may have it
// already: then it was continued before its stop was known here.
func (c *Child) Suspend(stop os.Signal) bool {
	if c.terminal.fd < 0 {
		return false
	}
	wants := stop == syscall.SIGTTIN || stop == syscall.SIGTTOU
	if has := c.terminal.inForeground() || c.terminal.foreground() == c.group; !wants || !has {
		c.terminal.takeFrom(c.group)
		stopSelf()
	}
	return true
}

// Foreground gives the command the terminal if it is the input and this process has it. No signal
// tells this process that a shell has brought it to the foreground while it ran.
func (c *Child) Foreground() {
	if c.terminal.isInput() && c.terminal.inForeground() {
		c.terminal.give(c.group)
	}
}

// Continue continues the command if it was stopped, in the foreground if this process is there.
func (c *Child) Continue() {
	if c.terminal.inForeground() {
		c.terminal.give(c.group)
	}
	syscall.Kill(-c.group, syscall.SIGCONT)
}

// stopSelf stops all processes in the group of this one, as the terminal would have done, and
// returns when this one is continued. The system does not stop a group that no shell waits for;
// then it returns as well. No part of this program may ask for SIGTSTP: Go would keep its handler,
// and the signal would stop nothing.
func stopSelf() {
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	defer signal.Stop(continued)
	syscall.Kill(0, syscall.SIGTSTP)
	select {
	case <-continued:
	case <-time.After(continueTime):
	}
}
