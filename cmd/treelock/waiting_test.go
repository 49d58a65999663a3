//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/treelock/treelock"
)

func TestRunThatIsNotGranted(t *testing.T) {
	r := newRig(t)
	r.hold(r.locks(), testWrite(t))
	for _, test := range []struct {
		args   []string
		status int
	}{
		{[]string{"--try"}, 75},
		{[]string{"--timeout", "100ms"}, 75},
		{[]string{"--try", "-E", "9"}, 9},
		{[]string{"--try", "-E", "0"}, 0},
		{[]string{"--timeout", "100ms", "--conflict-exit-code", "0"}, 0},
	} {
		status, stderr := r.run(append(test.args, "-w", "a/b", "--", "sh", "-c", "echo > began")...)
		why := `"held by the test" on the test (#`
		if test.status == 0 {
			why = "" // a program that mails what is printed has nothing to mail
		}
		if status != test.status || !strings.Contains(stderr, why) || why == "" && stderr != "" {
			t.Errorf("run %q exits with %d and %q, want %d and %q", test.args, status, stderr, test.status, why)
		}
	}
	if _, err := os.Stat(r.path("began")); err == nil {
		t.Error("the command was run")
	}
}

func TestSignalEndsTheWait(t *testing.T) {
	r := newRig(t)
	locks := r.locks()
	r.hold(locks, testWrite(t))
	for _, sig := range passedSignals() {
		p := r.start(r.lock("-w", "a", "--label", "it", "true"))
		r.wantWaiting(locks, "it")
		p.signal(sig)
		if status, stderr := r.status(p); status != 128+int(sig) || !strings.Contains(stderr, "nothing is held") {
			t.Errorf("run exits with %d and %q after %v, want %d", status, stderr, sig, 128+int(sig))
		}
		r.wantWaiting(locks)
	}
}

// TestGrantThatComesWithASignalIsReleased has a grant that comes although the signal has ended the
// wait for it.
func TestGrantThatComesWithASignalIsReleased(t *testing.T) {
	locks := process(t, "run")
	r := &runCommand{signals: make(chan os.Signal, 1), cmd: &cobra.Command{}}
	r.cmd.SetContext(context.Background())
	r.signals <- os.Interrupt
	wait, end := context.WithCancelCause(context.Background())
	late := func(ctx context.Context, req treelock.Request[treelock.Path]) (treelock.Grant[treelock.Path], error) {
		<-ctx.Done()
		return locks.Acquire(context.Background(), req)
	}
	if _, err := r.granted(wait, end, late, treelock.Write("/a")); !interrupted(err) {
		t.Errorf("%v, want that it is interrupted", err)
	}
	if live := locks.Stats().Live; live != 0 {
		t.Errorf("%d requests of the run live on", live)
	}
}

// TestErrorOutputThatIsNotReadHoldsNothingUp has a pipe for standard error that is full.
func TestErrorOutputThatIsNotReadHoldsNothingUp(t *testing.T) {
	r := newRig(t)
	locks := r.locks()
	release := r.hold(locks, testWrite(t))
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	defer in.Close()
	in.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	if _, err := in.Write(make([]byte, 1<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	cmd := r.lock("-w", "a", "--label", "it", "sh", "-c", "echo > began; exit 3")
	cmd.Stderr = in
	p := r.start(cmd)
	r.wantWaiting(locks, "it")
	time.Sleep(2 * showEvery) // it has begun to write
	release()
	r.file("began")
	if status, _ := r.status(p); status != 3 {
		t.Errorf("run exits with %d, want 3", status)
	}
}

// TestWaitThatIsCutOffIsNoConflict cuts a waiting run off from etcd, until its lease ends.
func TestWaitThatIsCutOffIsNoConflict(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	locks := r.locks()
	r.hold(locks, testWrite(t))
	var cut func()
	r.ttl = "2s"
	r.etcd, cut = proxy(t, r.etcd)
	p := r.start(r.lock("-w", "a", "-E", "0", "--label", "it", "true"))
	r.wantWaiting(locks, "it")
	cut()
	if status, stderr := r.status(p); status != statusUnavailable {
		t.Errorf("run exits with %d and %q, want %d", status, stderr, statusUnavailable)
	}
}

func TestVerboseRunPrintsNoEscapeCodes(t *testing.T) {
	r := newRig(t)
	name := strings.ReplaceAll(hostile, "/", "_")
	status, stderr := r.run("-v", "-w", name, "true")
	if status != 0 || !strings.Contains(stderr, "write ") {
		t.Errorf("run exits with %d and %q", status, stderr)
	}
	wantPrintable(t, stderr)
}

func TestCanceledWaitHoldsNothing(t *testing.T) {
	r := newRig(t)
	locks := r.locks()
	r.hold(locks, testWrite(t))
	t.Setenv("ETCDCTL_ENDPOINTS", r.etcd)
	ctx, cancel := context.WithCancel(context.Background())
	status := make(chan int)
	go func() {
		status <- execute(ctx, []string{"run", "--prefix", r.prefix, "--root", r.dir, "-w", r.path("a"), "--label", "it", "true"})
	}()
	r.wantWaiting(locks, "it")
	cancel()
	if got := <-status; got != statusTempFail {
		t.Errorf("execute returns %d, want %d", got, statusTempFail)
	}
	r.wantWaiting(locks)
}

// TestCanceledRunReleasesLast cancels the context of the program while the command runs. The lock
// is released when the command has ended, which takes as long as it likes within the grace.
func TestCanceledRunReleasesLast(t *testing.T) {
	r := newBeatRig(t)
	t.Setenv("ETCDCTL_ENDPOINTS", r.etcd)
	ctx, cancel := context.WithCancel(context.Background())
	status := make(chan int)
	go func() {
		status <- execute(ctx, []string{"run", "--prefix", r.prefix, "--root", r.dir, "-w", r.path("a"), "--ttl", "3s", r.path("beat"), r.path("one")})
	}()
	r.pulse("one")
	next := r.start(r.lock("-w", "a", "./beat", "next"))
	cancel()
	r.wantDeadBefore("next", "one")
	if got := <-status; got != 128+int(syscall.SIGKILL) {
		t.Errorf("execute returns %d, want that of SIGKILL, as the command ignores SIGTERM", got)
	}
	next.signal(syscall.SIGKILL)
}

// TestOneLineTellsEachChange has a waiting run that writes to a file.
func TestOneLineTellsEachChange(t *testing.T) {
	r := newRig(t)
	locks := r.locks()
	release := r.hold(locks, testWrite(t))
	first := r.start(r.lock("-r", "a", "--label", "first", "sh", "-c", "while ! test -e go; do sleep 0.05; done"))
	r.wantWaiting(locks, "first")
	log, err := os.Create(r.path("log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := r.lock("-w", "a/b", "--label", "second", "true")
	cmd.Stderr = log
	second := r.start(cmd)
	r.wantWaiting(locks, "first", "second")
	lines := func() []string { return strings.Split(r.file("log"), "\n") }
	want := `treelock: waiting for write /a/b, blocked by "held by the test" on the test (#`
	if got := lines(); len(got) != 1 || !strings.HasPrefix(got[0], want) || !strings.HasSuffix(got[0], " and 1 other") {
		t.Errorf("it writes %q, want one line that begins with %q", got, want)
	}
	release()
	r.until("there is a second line", func() bool { return len(lines()) == 2 })
	if got := lines()[1]; !strings.Contains(got, `"first" on `) || !strings.Contains(got, "read /a, holding for ") {
		t.Errorf("it writes %q, want the holder", got)
	}
	r.touch("go")
	for _, p := range []*running{first, second} {
		if status, stderr := r.status(p); status != 0 {
			t.Errorf("%q exits with %d and %q", p.Args, status, stderr)
		}
	}
	if got := lines(); len(got) != 2 {
		t.Errorf("it writes %q, want two lines", got)
	}
}

// TestRunsComeInTheOrderOfTheQueue lets ten runs append to one file, each in two writes with a
// pause between.
func TestRunsComeInTheOrderOfTheQueue(t *testing.T) {
	r := newRig(t)
	locks := r.locks()
	release := r.hold(locks, testWrite(t))
	var all []*running
	var labels, want []string
	for i := range 10 {
		labels = append(labels, fmt.Sprint(i))
		want = append(want, fmt.Sprintf("begin %d", i), fmt.Sprintf("end %d", i))
		all = append(all, r.start(r.lock("-w", "a", "--label", labels[i], "sh", "-c",
			fmt.Sprintf("printf 'begin ' >> log; echo %d >> log; sleep 0.02; printf 'end ' >> log; echo %d >> log", i, i))))
		r.wantWaiting(locks, labels...)
	}
	release()
	for _, p := range all {
		if status, stderr := r.status(p); status != 0 {
			t.Errorf("%q exits with %d and %q", p.Args, status, stderr)
		}
	}
	if got := strings.Split(r.file("log"), "\n"); !slices.Equal(got, want) {
		t.Errorf("the file has %q, want %q", got, want)
	}
}

func TestEnvironmentOfTheCommand(t *testing.T) {
	r := newRig(t)
	status, stderr := r.run("-r", "a", "--write-node", "b", "sh", "-c", "env > env; echo $TREELOCK_TOKEN > token")
	if status != 0 {
		t.Fatalf("run exits with %d and %q", status, stderr)
	}
	var token uint64
	if _, err := fmt.Sscan(r.file("token"), &token); err != nil || token == 0 {
		t.Errorf("the token is %q", r.file("token"))
	}
	env := make(map[string]string)
	for line := range strings.Lines(r.file("env")) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		env[name] = value
	}
	for name, want := range map[string]string{"TREELOCK_PREFIX": r.prefix, "TREELOCK_ETCD": r.etcd, "TREELOCK_ROOT": r.dir} {
		if env[name] != want {
			t.Errorf("%s=%q, want %q", name, env[name], want)
		}
	}
	want := `[{"access":"read","scope":"subtree","path":"/a"},{"access":"write","scope":"node","path":"/b"}]`
	if got := env["TREELOCK_PATHS"]; got != want || !json.Valid([]byte(got)) {
		t.Errorf("TREELOCK_PATHS=%s, want %s", got, want)
	}
}
