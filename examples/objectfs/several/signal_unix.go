//go:build unix

package main

import (
	"os"
	"syscall"
)

// pause stops a process, and resume lets it go on.
func pause(p *os.Process) error  { return p.Signal(syscall.SIGSTOP) }
func resume(p *os.Process) error { return p.Signal(syscall.SIGCONT) }

// lives reports whether a process is there.
func lives(p *os.Process) bool { return p.Signal(syscall.Signal(0)) == nil }
