//go:build unix

package main

import (
	"os"
	"strings"
	"testing"
)

func TestRunExitsWithTheStatusOfTheCommand(t *testing.T) {
	r := newRig(t)
	if err := os.WriteFile(r.path("plain"), []byte("true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.path("noshebang"), []byte("true\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args   []string
		status int
		stderr string // a part of it; "" means that there is none
	}{
		{[]string{"-w", "a", "--", "true"}, 0, ""},
		{[]string{"-w", "a", "true"}, 0, ""},
		{[]string{"-r", "a", "--read-node", "b", "--write-node", "c", "-w", "d", "sh", "-c", "exit 3"}, 3, ""},
		{[]string{"-w", "a", "sh", "-c", "exit 255"}, 255, ""},
		{[]string{"-w", "a", "sh", "-c", "kill -9 $$"}, 137, ""},
		{[]string{"-w", "a", "sh", "-c", "kill -TERM $$"}, 143, ""},
		{[]string{"-w", "a", "./plain"}, 126, "permission denied"},
		{[]string{"-w", "a", "./noshebang"}, 126, "exec format error"},
		{[]string{"-w", "a", "./none"}, 127, "no such file"},
		{[]string{"-w", "a", "no-such-command"}, 127, "not found"},
		{[]string{"-w", "a", "/"}, 126, "directory"},
		{[]string{"-w", "a"}, 64, "no COMMAND"},
		{[]string{"true"}, 64, "no PATH"},
		{[]string{"-w", "../out", "true"}, 64, "../out"},
		{[]string{"-w", "a", "-E", "256", "true"}, 64, "256"},
		{[]string{"-w", "a", "-E", "-1", "true"}, 64, "-1"},
		{[]string{"-w", "a", "--timeout", "0s", "true"}, 64, "--try"},
		{[]string{"-w", "a", "--timeout", "1s", "--try", "true"}, 64, "exclude"},
		{[]string{"-w", "a", "--grace", "4s", "true"}, 64, "third"},
		{[]string{"-w", "a", "--no-such-flag", "true"}, 64, "unknown flag"},
		{[]string{"--raw", "-w", "/" + strings.Repeat("a", 1<<16), "true"}, 64, "long"},
		{[]string{"--raw", "-w", strings.Repeat("/a", 5000), "true"}, 64, "ancestors"},
		{[]string{"-w", strings.Repeat("a", 1<<16), "true"}, 64, "bytes"},
		{[]string{"-w", "a", "--try", "true"}, 0, ""},
		{[]string{"-w", "a", "--etcd", "127.0.0.1:1", "--connect-timeout", "500ms", "true"}, 69, "127.0.0.1:1"},
	} {
		status, stderr := r.run(test.args...)
		if status != test.status || !strings.Contains(stderr, test.stderr) {
			t.Errorf("run %q exits with %d and %q, want %d and %q", test.args, status, stderr, test.status, test.stderr)
		}
		if lines := strings.Count(stderr, "\n"); lines > 1 || test.stderr != "" && !strings.HasPrefix(stderr, "treelock: ") {
			t.Errorf("run %q writes %q, want one line with a prefix", test.args, stderr)
		}
	}
}

// TestPathsThatAreNoVariable waits for nothing: the command could not get TREELOCK_PATHS.
func TestPathsThatAreNoVariable(t *testing.T) {
	r := newRig(t)
	r.hold(r.locks(), testWrite(t))
	args := []string{"--raw", "-w", "/a", "--timeout", "100ms"}
	for i := range 3 {
		args = append(args, "-w", "/"+strings.Repeat(string(rune('b'+i)), 50_000))
	}
	status, stderr := r.run(append(args, "true")...)
	if status != statusUsage || !strings.Contains(stderr, "TREELOCK_PATHS") {
		t.Errorf("run exits with %d and %.1000q, want %d", status, stderr, statusUsage)
	}
}

func TestRunPassesSignalsToTheGroup(t *testing.T) {
	r := newRig(t)
	for _, sig := range passedSignals() {
		os.Remove(r.path("ready"))
		name := strings.TrimPrefix(signalName(sig), "SIG")
		p := r.start(r.lock("-w", "a", "sh", "-c", "trap 'exit 42' "+name+"; echo > ready; while :; do sleep 0.05; done"))
		r.file("ready")
		p.signal(sig)
		if status, stderr := r.status(p); status != 42 {
			t.Errorf("the command exits with %d after %v, want 42: %s", status, sig, stderr)
		}
	}
}
