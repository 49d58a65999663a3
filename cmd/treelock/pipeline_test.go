//go:build unix

package main

import (
	"syscall"
	"testing"
)

// TestReaderOfTheOutputKeepsTheTerminal has a pager behind treelock run, in the same job. It reads
// keys while the command runs.
func TestReaderOfTheOutputKeepsTheTerminal(t *testing.T) {
	r := newRig(t)
	inner := r.lock("-w", "a", "sh", "-c", "echo began > began; while ! test -e go; do sleep 0.05; done; echo the output")
	s := r.screen(r.shell("bash", inner, "--norc", "-i", "-c",
		`set -m; "$@" | { while ! test -e began; do sleep 0.05; done; read key < /dev/tty; echo key $key; cat; }; echo status $?`, "script"), "PS1=")
	r.file("began")
	s.write("text\n")
	s.want("key text")
	r.touch("go")
	s.want("the output\r\n.*status 0")
	s.end()
}

// TestTerminalComesBackFromARunInside kills a treelock run that another one runs. Its command had
// the terminal, and the script goes on to read from that.
func TestTerminalComesBackFromARunInside(t *testing.T) {
	r := newRig(t)
	inside := `exec ./treelock run --prefix ` + r.prefix + ` --root ` + r.dir + ` -w b sh -c 'stty -echo; echo $PPID > inside; sleep 100'`
	inner := r.lock("-w", "a", "sh", "-c", inside)
	s := r.screen(r.shell("sh", inner, "-c", `"$@"; echo status $?; read x; echo got $x`, "script"))
	syscall.Kill(r.pid("inside"), syscall.SIGKILL)
	s.want("status 137")
	s.write("text\n")
	s.want("text\r\ngot text") // the terminal shows what is typed, as it did at the start
	s.end()
}
