//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// A screen is a terminal in which a command runs.
type screen struct {
	rig
	*running
	tty    *os.File
	output chan []byte
	seen   []byte // all that was written
	mark   int    // what was waited for ends here
}

// screen starts a command in a terminal of 80 columns.
func (r rig) screen(cmd *exec.Cmd, env ...string) *screen {
	r.Helper()
	cmd.Env = append(cmd.Env, "NO_COLOR=", "TERM=xterm")
	cmd.Env = append(cmd.Env, env...)
	p := &running{Cmd: cmd, done: make(chan struct{})}
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		r.Fatal(err)
	}
	go func() { cmd.Wait(); close(p.done) }()
	s := &screen{rig: r, running: p, tty: tty, output: make(chan []byte)}
	over := make(chan struct{})
	go func() {
		for {
			b := make([]byte, 4096)
			n, err := tty.Read(b)
			select {
			case s.output <- b[:n]:
			case <-over:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	r.Cleanup(func() {
		close(over)
		cmd.Process.Signal(syscall.SIGCONT)
		cmd.Process.Kill()
		tty.Close()
		<-p.done
	})
	return s
}

// want waits until the terminal shows what matches, after what was waited for before.
func (s *screen) want(pattern string) {
	s.Helper()
	r := regexp.MustCompile(pattern)
	limit := time.After(deadline)
	for {
		if found := r.FindIndex(s.seen[s.mark:]); found != nil {
			s.mark += found[1]
			return
		}
		select {
		case b := <-s.output:
			s.seen = append(s.seen, b...)
		case <-limit:
			s.Fatalf("the terminal shows %q, which does not match %q after %d bytes", s.seen, pattern, s.mark)
		}
	}
}

func (s *screen) write(keys string) {
	s.Helper()
	if _, err := s.tty.WriteString(keys); err != nil {
		s.Fatal(err)
	}
}

// end waits for the end of the command, and returns its exit status.
func (s *screen) end() int {
	s.Helper()
	limit := time.After(deadline)
	for {
		select {
		case b := <-s.output:
			s.seen = append(s.seen, b...)
		case <-s.done:
			return s.ProcessState.ExitCode()
		case <-limit:
			s.Fatalf("%q has not ended; the terminal shows %q", s.Args, s.seen)
		}
	}
}

// foreground returns the group in the foreground of the terminal.
func (s *screen) foreground() int {
	s.Helper()
	group, err := unix.IoctlGetInt(int(s.tty.Fd()), unix.TIOCGPGRP)
	if err != nil {
		s.Fatal(err)
	}
	return group
}

const (
	ctrlC = "\x03"
	ctrlZ = "\x1a"
)

func TestTerminalShowsWhatIsWaitedFor(t *testing.T) {
	r := newRig(t)
	locks := r.locks()
	r.hold(locks, testWrite(t))
	s := r.screen(r.lock("-w", "a/b", "--label", "it", "true"))
	s.want(regexp.QuoteMeta("\x1b[1mtreelock: waiting for write /a/b for 0s, 1 request before it\x1b[0m"))
	s.want(`"held by the test" on the test \(#\d+, write /a, holding for \ds\)`)
	s.want(regexp.QuoteMeta("\r\x1b[2A\x1b[J") + ".*for 1s") // it is drawn again as time passes
	pty.Setsize(s.tty, &pty.Winsize{Rows: 24, Cols: 40})
	s.want(`treelock: waiting for write /a/b for \d…`)
	pty.Setsize(s.tty, &pty.Winsize{Rows: 2, Cols: 20})
	s.want("(?s)treelock: waiting …\x1b\\[0m\r\n\x1b\\[\\?7h")
	s.write(ctrlC)
	if status := s.end(); status != 130 {
		t.Errorf("run exits with %d after Ctrl-C, want 130", status)
	}
	s.want("\x1b\\[J.*treelock: interrupted by the signal interrupt; nothing is held\r\n$")
	r.wantWaiting(locks)
}

func TestTerminalWithoutColor(t *testing.T) {
	r := newRig(t)
	r.hold(r.locks(), testWrite(t))
	s := r.screen(r.lock("-w", "a", "true"), "NO_COLOR=1")
	s.want(`waiting for write /a for 1s`)
	if bytes.Contains(s.seen, []byte(bold)) {
		t.Errorf("with NO_COLOR the terminal shows %q", s.seen)
	}
}

func TestTerminalThatUnderstandsNothing(t *testing.T) {
	r := newRig(t)
	r.hold(r.locks(), testWrite(t))
	s := r.screen(r.lock("-w", "a", "--timeout", "2s", "true"), "TERM=dumb")
	if status := s.end(); status != statusTempFail {
		t.Errorf("run exits with %d", status)
	}
	s.want("treelock: waiting for write /a, blocked by .*\r\ntreelock: acquire .*\r\n$")
	if strings.ContainsRune(string(s.seen), '\x1b') {
		t.Errorf("the terminal shows %q, want nothing that moves", s.seen)
	}
}

func TestCtrlCReachesTheCommand(t *testing.T) {
	r := newRig(t)
	s := r.screen(r.lock("-w", "a", "sh", "-c", "trap 'echo trapped; exit 7' INT; echo ready; while :; do sleep 0.05; done"))
	s.want("ready")
	s.write(ctrlC)
	s.want("trapped")
	if status := s.end(); status != 7 {
		t.Errorf("run exits with %d, want 7", status)
	}
}

// TestCtrlCEndsTheScript has a script that calls treelock. Without treelock, the script would be in
// the foreground and end as well.
func TestCtrlCEndsTheScript(t *testing.T) {
	r := newRig(t)
	inner := r.lock("-w", "a", "sh", "-c", "echo ready; exec sleep 100")
	s := r.screen(r.shell("sh", inner, "-c", `"$@"; echo after $?`, "script"))
	s.want("ready")
	s.write(ctrlC)
	s.end()
	if bytes.Contains(s.seen, []byte("after")) {
		t.Errorf("the script goes on: %q", s.seen)
	}
}

// shell returns a shell with the environment of a command and its arguments behind those of the
// shell. The name treelock means the command.
func (r rig) shell(shell string, inner *exec.Cmd, args ...string) *exec.Cmd {
	r.Helper()
	if err := os.Symlink(inner.Path, r.path("treelock")); err != nil {
		r.Fatal(err)
	}
	cmd := exec.Command(shell, slices.Concat(args, []string{r.path("treelock")}, inner.Args[1:])...)
	cmd.Dir, cmd.Env = inner.Dir, inner.Env
	return cmd
}

// TestKilledCommandLeavesTheTerminalAsItWas kills a command that has changed the modes.
func TestKilledCommandLeavesTheTerminalAsItWas(t *testing.T) {
	r := newRig(t)
	s := r.screen(r.lock("-w", "a", "sh", "-c", "stty raw -echo; echo ready; kill -9 $$"))
	before, err := term.GetState(int(s.tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	s.want("ready")
	if status := s.end(); status != 137 {
		t.Errorf("run exits with %d, want 137", status)
	}
	if after, err := term.GetState(int(s.tty.Fd())); err != nil || *after != *before {
		t.Errorf("the modes are %+v (%v), want %+v", after, err, before)
	}
}

// TestCtrlZAndContinue stops the job in a shell, and continues it in the background and then in the
// foreground. The command is bash: dash starts programs by vfork, and does not stop if the child is
// stopped before it has executed its program.
func TestCtrlZAndContinue(t *testing.T) {
	r := newRig(t)
	command := "echo $$ > shell; while ! test -e go; do echo tick >> ticks; sleep 0.05; done; read x; echo got $x; exit 3"
	inner := r.lock("-w", "a", "bash", "-c", command)
	s := r.screen(r.shell("bash", inner, "--norc", "-i", "-c",
		`set -m; "$@"; echo stopped $?; while ! test -e bg; do sleep 0.05; done; bg; while ! test -e fg; do sleep 0.05; done; fg; echo status $?`,
		"script"), "PS1=")
	r.ticks()
	s.write(ctrlZ)
	s.want(`stopped 148`)
	before := r.ticks()
	r.touch("bg")
	r.until("the command runs on in the background", func() bool { return r.ticks() > before })
	r.touch("fg")
	r.until("the command is in the foreground", func() bool { return s.foreground() == r.pid("shell") })
	r.touch("go")
	s.write("text\n")
	s.want("got text") // it is in the foreground: it can read
	s.want("status 3")
	s.end()
}

// ticks waits until a command writes to the file ticks, and returns its size.
func (r rig) ticks() (size int64) {
	r.Helper()
	r.until("the command ticks", func() bool {
		if info, err := os.Stat(r.path("ticks")); err == nil {
			size = info.Size()
		}
		return size > 0
	})
	return size
}

// TestCtrlZWithoutAShell has no process that could continue what was stopped, so it goes on.
func TestCtrlZWithoutAShell(t *testing.T) {
	r := newRig(t)
	s := r.screen(r.lock("-w", "a", "bash", "-c", `trap 'echo continued' CONT; while ! test -e go; do echo tick >> ticks; sleep 0.05; done`))
	r.ticks()
	s.write(ctrlZ)
	s.want("continued")
	r.touch("go")
	if status := s.end(); status != 0 {
		t.Errorf("run exits with %d, want 0", status)
	}
}

// TestCommandThatReadsTheTerminalGetsIt has a pipe as standard input, as a pager does.
func TestCommandThatReadsTheTerminalGetsIt(t *testing.T) {
	r := newRig(t)
	inner := r.lock("-w", "a", "sh", "-c", `cat; echo ready; read x < /dev/tty; echo got $x`)
	s := r.screen(r.shell("bash", inner, "--norc", "-i", "-c", `set -m; echo piped | "$@"; echo status $?`, "script"), "PS1=")
	s.want("piped\r\nready")
	s.write("text\n")
	s.want("got text")
	s.want("status 0")
	s.end()
}

// TestStoppedJobLosesItsLock stops the job for longer than the lease. When it is continued the
// command has not run on.
func TestStoppedJobLosesItsLock(t *testing.T) {
	t.Parallel()
	r := newBeatRig(t)
	inner := r.lock("-w", "a", "./beat", "one")
	s := r.screen(r.shell("bash", inner, "--norc", "-i", "-c", `set -m; "$@"; while ! test -e go; do sleep 0.1; done; fg; echo status $?`, "script"), "PS1=")
	r.pulse("one")
	s.write(ctrlZ)
	next := r.start(r.lock("-w", "a", "./beat", "next"))
	r.wantDeadBefore("next", "one")
	r.touch("go")
	s.want("status 79")
	next.signal(syscall.SIGKILL)
}
