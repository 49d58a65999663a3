//go:build unix

package child

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// A guardian is the process that watches for run.
type guardian struct {
	group    int
	pipe     *os.File // to the guardian
	process  *os.Process
	ended    chan struct{} // closed when the process has ended; nothing is sent
	deadline time.Time     // that it was told last
}

// startGuardian starts a guardian, and returns when it watches the group. mayBegin is that of the
// command.
func startGuardian(group int, mayBegin func() (time.Time, error)) (*guardian, error) {
	g := &guardian{group: group}
	watches, err := g.start()
	if err != nil {
		return nil, err
	}
	defer watches.Close()
	if err := g.await(watches, mayBegin); err != nil {
		g.dismiss()
		return nil, err
	}
	return g, nil
}

// askAgain is how often to ask, while a guardian starts, whether the command may still begin.
const askAgain = 100 * time.Millisecond

// startTime is how long a guardian may take to start. A test makes it shorter.
var startTime = 30 * time.Second

// await waits until the guardian watches. It tells it each deadline that mayBegin returns, and
// returns directly after mayBegin.
func (g *guardian) await(watches *os.File, mayBegin func() (time.Time, error)) error {
	end := time.Now().Add(startTime)
	for watching := false; ; {
		deadline, err := mayBegin()
		if err != nil {
			return err
		}
		if !deadline.Equal(g.deadline) {
			err = g.send(deadline)
		}
		switch {
		case err != nil:
			return fmt.Errorf("tell the guardian of the command its deadline: %w", err)
		case !g.lives():
			return errors.New("the guardian of the command has ended")
		case watching:
			return nil
		case time.Now().After(end):
			return fmt.Errorf("the guardian of the command has not started in %v", startTime)
		}
		if err := watches.SetReadDeadline(time.Now().Add(min(Left(deadline, time.Now()), askAgain))); err != nil {
			return err
		}
		_, err = watches.Read(make([]byte, 1))
		if watching = err == nil; !watching && !errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("the guardian of the command has ended: %w", err)
		}
	}
}

// start starts the process. It sends a byte by the pipe that is returned once it watches.
func (g *guardian) start() (watches *os.File, err error) {
	messages, pipe, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer messages.Close()
	watches, answer, err := os.Pipe()
	if err != nil {
		pipe.Close()
		return nil, err
	}
	defer answer.Close()
	cmd := self("guardian")
	cmd.Dir = "/"
	cmd.ExtraFiles = []*os.File{messages, answer}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // signals of the terminal do not reach it
	if err := cmd.Start(); err != nil {
		pipe.Close()
		watches.Close()
		return nil, fmt.Errorf("start a guardian for the command: %w", err)
	}
	g.pipe, g.process, g.ended = pipe, cmd.Process, make(chan struct{})
	go func(p *os.Process, ended chan struct{}) {
		p.Wait() // it fails if the process was waited for already: see waitedFor
		close(ended)
	}(g.process, g.ended)
	return watches, nil
}

func (g *guardian) lives() bool {
	select {
	case <-g.ended:
		return false
	default:
		return true
	}
}

// tell tells the guardian a deadline, if it does not know it yet. If the guardian has ended, or
// does not read, another one takes its place. What that one was told is in the pipe even if it does
// not run yet: run does not wait for it.
func (g *guardian) tell(deadline time.Time) error {
	lives := g.lives()
	if lives && deadline.Equal(g.deadline) {
		return nil
	}
	if lives && g.send(deadline) == nil {
		return nil
	}
	g.dismiss()
	watches, err := g.start()
	if err != nil {
		return err
	}
	watches.Close()
	return g.send(deadline)
}

// send sends a message, whole or not at all. It does not wait for a guardian that does not read: if
// the pipe is full, that is an error.
func (g *guardian) send(deadline time.Time) error {
	g.deadline = deadline
	line, err := json.Marshal(newMessage(g.group, deadline, time.Now()))
	if err != nil {
		return err
	}
	raw, err := g.pipe.SyscallConn()
	if err != nil {
		return err
	}
	failed := raw.Write(func(fd uintptr) bool {
		for again := true; again; again = errors.Is(err, syscall.EINTR) {
			_, err = syscall.Write(int(fd), append(line, '\n'))
		}
		return true
	})
	return errors.Join(failed, err)
}

// dismiss ends the guardian, also one that is stopped. The pipe outlives it, so it kills nothing.
func (g *guardian) dismiss() {
	g.process.Kill()
	<-g.ended
	g.pipe.Close()
}

// Guardian is the process that watches for run. It returns when the group was killed, and is killed
// itself when the group is gone.
func Guardian() error {
	messages := os.NewFile(3, "messages")
	if messages == nil {
		return errors.New("treelock run starts this, nothing else")
	}
	// It ends with the command, and not before.
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2)
	guard(messages, answer, killAll)
	return nil
}

// answer tells run that the guardian watches. An older run awaits nothing.
func answer() {
	var s syscall.Stat_t
	if syscall.Fstat(4, &s) == nil && s.Mode&syscall.S_IFMT == syscall.S_IFIFO {
		syscall.Write(4, []byte{1}) // it fails if run does not wait for it
	}
}

// killAll kills a group until it is empty, for a while: a process that just forks may bring another
// one on some systems.
func killAll(group int) {
	for range 100 {
		if syscall.Kill(-group, syscall.SIGKILL) != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// self returns a command that runs a part of this program.
func self(name string, args ...string) *exec.Cmd {
	path, err := os.Executable()
	if err != nil {
		path = os.Args[0]
	}
	// The file may have been replaced since this process began. On Linux this name is that of the
	// file that it runs.
	if exe := "/proc/self/exe"; isFile(exe) {
		path = exe
	}
	return &exec.Cmd{Path: path, Args: append([]string{"treelock", name}, args...)}
}

func isFile(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
