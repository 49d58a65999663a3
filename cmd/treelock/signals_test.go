//go:build unix

package main

import (
	"bytes"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

func signalName(s syscall.Signal) string { return unix.SignalName(s) }

// passedSignals returns the signals that reach a command. Without those that are ignored here, as
// nohup does: treelock run leaves them ignored.
func passedSignals() []syscall.Signal {
	return slices.DeleteFunc(allSignals(), func(s syscall.Signal) bool { return signal.Ignored(s) })
}

func allSignals() []syscall.Signal {
	return []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2}
}

func ignoreSignals() {
	for _, s := range allSignals() {
		signal.Ignore(s)
	}
}

// guarded starts a command that runs until there is the file go, and returns its guardian as well.
func (r rig) guarded() (p *running, guardian int) {
	r.Helper()
	p = r.start(r.lock("-w", "a", "sh", "-c", "echo > ready; while ! test -e go; do sleep 0.05; done"))
	r.file("ready")
	if guardian = r.guardian(p); guardian == 0 {
		r.Fatal("there is no guardian")
	}
	return p, guardian
}

// guardian returns the process of the guardian of treelock run; 0 if it is not there. It looks into
// /proc, so the test is for Linux.
func (r rig) guardian(of *running) int {
	r.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(names) == 0 {
		r.Skip("there is no /proc")
	}
	for _, name := range names {
		line, _ := os.ReadFile(name)
		stat, _ := os.ReadFile(filepath.Dir(name) + "/stat")
		rest := stat[bytes.LastIndexByte(stat, ')')+1:]
		if fields := bytes.Fields(rest); bytes.Equal(line, []byte("treelock\x00guardian\x00")) && len(fields) > 1 &&
			string(fields[1]) == strconv.Itoa(of.Process.Pid) && string(fields[0]) != "Z" {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			return pid
		}
	}
	return 0
}
