package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/devetcd"
	"github.com/treelock/treelock/manager/cluster"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// What a process of this binary is, instead of a test: treelock, as also if that is its name, or an
// etcd server with data in a folder.
const (
	commandEnv = "TREELOCK_TEST_COMMAND"
	etcdEnv    = "TREELOCK_TEST_ETCD"
	// stuckEnv lets a guardian not watch.
	stuckEnv = "TREELOCK_TEST_STUCK_GUARDIAN"
)

func init() {
	dir := os.Getenv(etcdEnv)
	switch {
	case os.Getenv(stuckEnv) != "" && len(os.Args) > 1 && os.Args[1] == "guardian":
		time.Sleep(time.Minute)
		os.Exit(1)
	case os.Getenv(commandEnv) != "", filepath.Base(os.Args[0]) == "treelock":
		main()
	case dir != "":
		if err := serveEtcd(dir); err != nil {
			fmt.Fprintln(os.Stderr, "etcd:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	for _, name := range []string{"TREELOCK_NAME", "TREELOCK_TOKEN", "TREELOCK_PREFIX", "TREELOCK_ROOT", "TREELOCK_TTL", "TREELOCK_ETCD", "ETCDCTL_ENDPOINTS"} {
		os.Unsetenv(name)
	}
}

// deadline is how long a test waits for what must happen.
const deadline = 20 * time.Second

// serveEtcd serves on a socket in a folder until standard input ends, so that the server does not
// outlive the tests. It then removes the folder.
func serveEtcd(dir string) error {
	defer os.RemoveAll(dir)
	server, err := devetcd.Start(context.Background(), dir+"/data", "unix://"+dir+"/client", true)
	if err != nil {
		return err
	}
	defer server.Close()
	fmt.Println(server.Endpoint)
	io.Copy(io.Discard, os.Stdin)
	return nil
}

// etcdStdin is the standard input of the server, which ends with it. The variable keeps it from
// being collected.
var etcdStdin io.Closer

// startEtcd starts an etcd server once for all tests, and returns its endpoint.
var startEtcd = sync.OnceValues(func() (endpoint string, err error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "etcd")
	if err != nil {
		return "", err
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), etcdEnv+"="+dir)
	cmd.Stderr = os.Stderr
	if etcdStdin, err = cmd.StdinPipe(); err != nil {
		return "", err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	endpoint, err = bufio.NewReader(out).ReadString('\n')
	return strings.TrimSpace(endpoint), err
})

func etcd(t testing.TB) string {
	t.Helper()
	endpoint, err := startEtcd()
	if err != nil {
		t.Fatal(err)
	}
	return endpoint
}

// clientOf returns a client of an endpoint.
func clientOf(t testing.TB, endpoint string) *clientv3.Client {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// prefixOf returns the prefix of a test.
func prefixOf(t testing.TB) string { return "/" + t.Name() }

// process starts a manager, as if in a process of its own.
func process(t testing.TB, name string) *cluster.Manager {
	t.Helper()
	client := clientOf(t, etcd(t))
	ctx, cancel := context.WithCancel(context.Background())
	m, err := cluster.Start(ctx, client, prefixOf(t), cluster.WithName(name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		<-m.Done()
	})
	return m
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	t.Cleanup(cancel)
	return ctx
}

func acquire(t testing.TB, m treelock.Locker[treelock.Path], req treelock.Request[treelock.Path]) treelock.Grant[treelock.Path] {
	t.Helper()
	g, err := m.Acquire(within(t), req)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// waiter submits a request that has to wait, and returns when all managers that look can see it.
func waiter(t testing.TB, m *cluster.Manager, req treelock.Request[treelock.Path]) (granted <-chan treelock.Grant[treelock.Path], err func() error) {
	t.Helper()
	ticket, e := m.Submit(within(t), req)
	if e == nil {
		e = m.Check(within(t), treelock.For[treelock.Path]())
	}
	if e != nil {
		t.Fatal(e)
	}
	return ticket.Granted(), ticket.Err
}

// An outcome is what a process of treelock has left.
type outcome struct {
	out, err string
	status   int
}

// slowEtcd lets a command wait for etcd on a machine with much to do.
const slowEtcd = "ETCDCTL_DIAL_TIMEOUT=1m"

// command returns the command treelock with the settings of the test.
func command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(within(t), exe, args...)
	cmd.Args = append(cmd.Args, "--etcd", etcd(t), "--prefix", prefixOf(t))
	cmd.Env = append(os.Environ(), commandEnv+"=1", slowEtcd)
	return cmd
}

func finish(t testing.TB, cmd *exec.Cmd) outcome {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// run runs treelock, and waits for its end.
func run(t testing.TB, args ...string) outcome {
	t.Helper()
	return finish(t, command(t, args...))
}

// want compares the status, and looks for texts in the output of both kinds.
func (r outcome) want(t testing.TB, status int, texts ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("status %d, want %d; output %q, errors %q", r.status, status, r.out, r.err)
	}
	for _, text := range texts {
		if !strings.Contains(r.out+r.err, text) {
			t.Errorf("output %q, errors %q: no %q", r.out, r.err, text)
		}
	}
	if n := strings.Count(r.err, "\n"); n > 2 {
		t.Errorf("%d lines of errors: %q", n, r.err)
	}
}

// tokenOf returns the text of a grant's token.
func tokenOf(g treelock.Grant[treelock.Path]) string { return fmt.Sprint(g.Token()) }
