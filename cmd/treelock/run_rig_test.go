//go:build unix

package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A rig is a root folder and a prefix in etcd, for the commands of one test.
type rig struct {
	*testing.T
	dir    string
	prefix string
	etcd   string
	ttl    string
	stalls <-chan time.Duration // of a rig with beats
}

func newRig(t *testing.T) rig {
	t.Helper()
	return rig{t, t.TempDir(), "/" + t.Name(), etcd(t), "10s", nil}
}

// command returns treelock with arguments. It runs in the folder of the rig.
func (r rig) command(args ...string) *exec.Cmd {
	r.Helper()
	exe, err := os.Executable()
	if err != nil {
		r.Fatal(err)
	}
	cmd := &exec.Cmd{Path: exe, Args: append([]string{"treelock"}, args...), Dir: r.dir}
	cmd.Env = append(os.Environ(), "ETCDCTL_ENDPOINTS="+r.etcd, slowEtcd)
	return cmd
}

// lock returns treelock run with the settings of the rig.
func (r rig) lock(args ...string) *exec.Cmd {
	r.Helper()
	return r.command(append([]string{"run", "--prefix", r.prefix, "--root", r.dir, "--ttl", r.ttl}, args...)...)
}

// start starts a command, which is killed when the test ends.
func (r rig) start(cmd *exec.Cmd) *running {
	r.Helper()
	p := &running{Cmd: cmd, done: make(chan struct{})}
	if cmd.Stderr == nil {
		cmd.Stderr = &p.stderr
	}
	if err := cmd.Start(); err != nil {
		r.Fatal(err)
	}
	go func() { cmd.Wait(); close(p.done) }()
	r.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGCONT)
		cmd.Process.Kill()
		<-p.done
	})
	return p
}

// status waits for a command, and returns its exit status and what it has written to stderr.
func (r rig) status(p *running) (status int, stderr string) {
	r.Helper()
	select {
	case <-p.done:
	case <-time.After(deadline):
		r.Fatalf("%q has not ended", p.Args)
	}
	return p.ProcessState.ExitCode(), p.stderr.String()
}

// run runs treelock run, and returns what status returns.
func (r rig) run(args ...string) (status int, stderr string) {
	r.Helper()
	return r.status(r.start(r.lock(args...)))
}

// A running is a command that was started.
type running struct {
	*exec.Cmd
	stderr bytes.Buffer // to be read when done is closed
	done   chan struct{}
}

func (p *running) signal(s syscall.Signal) { p.Process.Signal(s) }

// path returns the name of a file in the folder of the rig.
func (r rig) path(name string) string { return r.dir + "/" + name }

// file waits for a file with a line, and returns that.
func (r rig) file(name string) string {
	r.Helper()
	var text []byte
	r.until("there is a line in "+name, func() bool {
		var err error
		text, err = os.ReadFile(r.path(name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.Fatal(err)
		}
		return bytes.HasSuffix(text, []byte("\n"))
	})
	return strings.TrimSpace(string(text))
}

// pid waits for a file with the number of a process.
func (r rig) pid(name string) int {
	r.Helper()
	pid, err := strconv.Atoi(r.file(name))
	if err != nil {
		r.Fatal(err)
	}
	return pid
}

// until waits until something is so.
func (r rig) until(what string, is func() bool) {
	r.Helper()
	for end := time.Now().Add(deadline); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			r.Fatalf("it is not so that %s", what)
		}
	}
}

// lives reports whether a process lives. A zombie does not.
func lives(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) && !isFileOrFolder("/proc/self/stat") // a system without it
	}
	after := string(stat[bytes.LastIndexByte(stat, ')')+1:])
	return !strings.HasPrefix(strings.TrimSpace(after), "Z") && !strings.HasPrefix(strings.TrimSpace(after), "X")
}

func isFileOrFolder(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func (r rig) touch(name string) {
	r.Helper()
	if err := os.WriteFile(r.path(name), nil, 0o644); err != nil {
		r.Fatal(err)
	}
}
