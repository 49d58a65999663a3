package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/treelock/treelock/examples/objectfs/command"
	"github.com/treelock/treelock/manager/cluster/clustertest"
)

// roleParent is the role of the program itself in a process of its own.
const roleParent = "parent"

func TestMain(m *testing.M) {
	if os.Getenv(roleEnv) == roleParent {
		os.Setenv(roleEnv, "")
		ctx := command.Interruptible(context.Background())
		os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
	}
	playRole()
	goleak.VerifyTestMain(m)
}

// limit is how long one run may take.
const limit = 90 * time.Second

// A program is a run of the program in a process of its own.
type program struct {
	cmd    *exec.Cmd
	temp   string // the folder for its temporary files
	stdout bytes.Buffer
	stderr *bufio.Scanner
	told   strings.Builder
}

func startProgram(t *testing.T, args ...string) *program {
	t.Helper()
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("runs several processes for seconds, and sends them signals")
	}
	cmd, err := child(roleParent, append([]string{"-seconds", "8"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	p := &program{cmd: cmd, temp: t.TempDir()}
	cmd.Env = append(cmd.Env, "TMPDIR="+p.temp)
	cmd.Stdout, cmd.Stderr = &p.stdout, nil
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stderr = bufio.NewScanner(stderr)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(limit, func() { cmd.Process.Kill(); stderr.Close() })
	t.Cleanup(func() { kill.Stop() })
	return p
}

// await reads what the program tells until a line has text, or to its end.
func (p *program) await(t *testing.T, text string) {
	t.Helper()
	for p.stderr.Scan() {
		p.told.WriteString(p.stderr.Text() + "\n")
		if text != "" && strings.Contains(p.stderr.Text(), text) {
			return
		}
	}
	if text != "" {
		t.Fatalf("the program does not tell %q:\n%s%s", text, p.told.String(), p.stdout.String())
	}
}

// end waits for the end of the program and of all that it has started, as they share its standard
// error, and returns the exit code. Nothing may be left.
func (p *program) end(t *testing.T) int {
	t.Helper()
	p.await(t, "")
	if err := p.stderr.Err(); err != nil {
		t.Errorf("the program, or a process that it has started, has not ended after %v: %v", limit, err)
	}
	p.cmd.Wait()
	if left, err := os.ReadDir(p.temp); len(left) > 0 || err != nil {
		t.Errorf("the program leaves %v, %v", left, err)
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *program) wantOutput(t *testing.T, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		if !regexp.MustCompile(pattern).MatchString(p.stdout.String()) {
			t.Errorf("the output does not match %q:\n%s%s", pattern, p.stdout.String(), p.told.String())
		}
	}
}

func TestFoldersStayWholeThoughProcessesAreKilledAndStopped(t *testing.T) {
	t.Parallel()
	p := startProgram(t, "-seconds", "12") // a slow machine has to send its late writes as well
	if code := p.end(t); code != command.ExitOK {
		t.Errorf("exit code %d, want 0", code)
	}
	p.wantOutput(t, `\nOK: [0-9,]+ operations of 4 processes, 0 failed, (all )?1[0-9]+ folders verified intact`,
		`\nworker-2 was killed with -9 after .* s; it left [1-9]`, `\nworker-3 was stopped after .*, with a lease of 2s; it gave up [1-9]`,
		`\n    the store refused [1-9][0-9]* late writes and`, `\nhand-overs( +[1-9][0-9]*){5}\n`, `\ntorn folders +0\n`, `\nmixed folders +0\n`)
}

func TestLocksOfEachProcessAloneDoNotHelp(t *testing.T) {
	t.Parallel()
	p := startProgram(t, "-locks=local", "-n", "100000")
	if code := p.end(t); code != command.ExitOK {
		t.Errorf("exit code %d, want 0, as the damage is what the run shows", code)
	}
	p.wantOutput(t, `\nFAILED, as each process has locks of its own: `, `\noverlaps +[1-9]`, `\n  failed( +[0-9,]+)* +[1-9][0-9,]*\n`)
}

func TestNothingIsLeftWhenTheParentCrashes(t *testing.T) {
	t.Parallel()
	p := startProgram(t)
	p.await(t, "worker-3 is stopped") // so one of the children does nothing by itself
	p.cmd.Process.Kill()
	p.end(t)
}

func TestInterruptEndsAllProcessesAndReports(t *testing.T) {
	t.Parallel()
	servers, err := clustertest.Start(t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer servers[0].Kill()
	endpoints := clustertest.Endpoints(servers)
	p := startProgram(t, "-etcd", endpoints[0], "-prefix", "/mine")
	p.await(t, "worker-3 is stopped")
	p.cmd.Process.Signal(os.Interrupt)
	if code := p.end(t); code != command.ExitInterrupted {
		t.Errorf("exit code %d, want %d", code, command.ExitInterrupted)
	}
	p.wantOutput(t, `operations of 4 processes`, `\noperations done `)
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for deadline := time.Now().Add(limit); ; {
		left, err := client.Get(t.Context(), "", clientv3.WithPrefix())
		if err == nil && len(left.Kvs) == 1 && string(left.Kvs[0].Key) == "/mine/meta" {
			return
		}
		// The lease of the killed process may live on for a while.
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("the servers have %v, %v, want the version of the format alone", left, err)
		}
		runtime.Gosched()
	}
}

func TestRunEndsWithItsLastOperation(t *testing.T) {
	t.Parallel()
	p := startProgram(t, "-n", "40", "-seconds", "600")
	if code := p.end(t); code != command.ExitOK {
		t.Errorf("exit code %d, want 0", code)
	}
	p.wantOutput(t, `\nOK: 40 operations of 4 processes`)
}

func TestUnreachableEtcdIsSaidInTime(t *testing.T) {
	t.Parallel()
	p := startProgram(t, "-etcd", "http://127.0.0.1:1")
	if code := p.end(t); code != command.ExitFailed || !strings.Contains(p.told.String(), "etcd at http://127.0.0.1:1") {
		t.Errorf("exit code %d, want 1 and a word on etcd:\n%s", code, p.told.String())
	}
}

func TestWrongUsageExitsWith2(t *testing.T) {
	var out bytes.Buffer
	if code := run(t.Context(), []string{"-workers", "1"}, &out, &out); code != command.ExitUsage {
		t.Errorf("exit code %d, want 2: %s", code, out.String())
	}
	if code := run(t.Context(), []string{"-h"}, &out, io.Discard); code != command.ExitOK || !strings.Contains(out.String(), "-etcd") {
		t.Errorf("help exits with %d, want 0 and the flags: %s", code, out.String())
	}
}
