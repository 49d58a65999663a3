//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A home has the folders of a user for whom nothing is set.
type home struct {
	*testing.T
	dir string
	env []string
}

// newHome makes a home. Its name is short, as the names of sockets must be.
func newHome(t *testing.T) home {
	t.Helper()
	dir, err := os.MkdirTemp("", "tl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	h := home{t, dir, nil}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "ETCDCTL_") && !strings.HasPrefix(v, "TREELOCK_") {
			h.env = append(h.env, v)
		}
	}
	for _, v := range []string{"XDG_CONFIG_HOME", "HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "AppData", "LocalAppData", "TMPDIR"} {
		h.env = append(h.env, v+"="+dir)
	}
	return h
}

func (h home) socket() string { return filepath.Join(h.dir, "treelock", "dev.sock") }
func (h home) data() string   { return filepath.Join(h.dir, "treelock", "dev") }

// command returns treelock with arguments, in the home.
func (h home) command(args ...string) *exec.Cmd {
	h.Helper()
	exe, err := os.Executable()
	if err != nil {
		h.Fatal(err)
	}
	return &exec.Cmd{Path: exe, Args: append([]string{"treelock"}, args...), Dir: h.dir, Env: h.env}
}

// A result is what a command has printed, and its exit status.
type result struct {
	status         int
	stdout, stderr string
}

// run runs a command to its end. Variables of the environment may come before its arguments.
func (h home) run(args ...string) result {
	h.Helper()
	var env []string
	for len(args) > 0 && strings.Contains(args[0], "=") && !strings.HasPrefix(args[0], "-") {
		env, args = append(env, args[0]), args[1:]
	}
	cmd := h.command(args...)
	cmd.Env = append(cmd.Env, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		h.Fatal(err)
	}
	defer time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() }).Stop()
	cmd.Wait()
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// want checks the exit status of a command, and that it has printed a text.
func (r result) want(t *testing.T, status int, text string) {
	t.Helper()
	if r.status != status || !strings.Contains(r.stdout+r.stderr, text) {
		t.Errorf("status %d, stdout:\n%sstderr:\n%swant status %d and %q", r.status, r.stdout, r.stderr, status, text)
	}
	if strings.Count(r.stderr, "\n") > 1 {
		t.Errorf("more than a line on stderr:\n%s", r.stderr)
	}
}

// A devProcess is a treelock dev that runs.
type devProcess struct {
	*exec.Cmd
	h     home
	line  string     // that it has printed
	ended chan error // from its Wait; it has room for that
	err   bytes.Buffer
}

// dev starts treelock dev, and waits until it has said that it runs. It is killed when the test
// ends.
func (h home) dev(args ...string) *devProcess {
	h.Helper()
	p := &devProcess{Cmd: h.command(append([]string{"dev"}, args...)...), h: h, ended: make(chan error, 1)}
	p.Stderr = &p.err
	stdout, err := p.StdoutPipe()
	if err != nil {
		h.Fatal(err)
	}
	if err := p.Start(); err != nil {
		h.Fatal(err)
	}
	defer time.AfterFunc(20*time.Second, func() { p.Process.Kill() }).Stop()
	var line [1000]byte
	n, _ := stdout.Read(line[:])
	p.line = string(line[:n])
	go func() { p.ended <- p.Wait() }()
	h.Cleanup(func() { p.Process.Kill() })
	if n == 0 {
		h.Fatalf("treelock dev says nothing (%v): %s", <-p.ended, p.err.String())
	}
	return p
}

// end sends a signal, and waits until the process has ended.
func (p *devProcess) end(sig syscall.Signal) error {
	p.h.Helper()
	p.Process.Signal(sig)
	select {
	case err := <-p.ended:
		return err
	case <-time.After(20 * time.Second):
		p.h.Fatal("treelock dev has not ended")
		return nil
	}
}
