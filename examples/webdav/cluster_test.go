package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/treelock/treelock/examples/webdav/internal/workload"
	"github.com/treelock/treelock/manager/cluster/clustertest"
)

// serverEnv has the arguments of a server in the environment of a process that is one.
const serverEnv = "TREELOCK_WEBDAV_SERVER"

func TestMain(m *testing.M) {
	clustertest.ServeIfAsked()
	if args := os.Getenv(serverEnv); args != "" {
		err := run(context.Background(), strings.Split(args, "\n"), os.Stdout, os.Stderr)
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// startEtcd returns the endpoints of a server of etcd, which ends with the test.
func startEtcd(t *testing.T) string {
	servers, err := clustertest.Start(t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { servers[0].Kill() })
	return strings.Join(clustertest.Endpoints(servers), ",")
}

// alternate returns the URL of a proxy that sends requests to servers in turn.
func alternate(t *testing.T, urls ...string) string {
	var n atomic.Int64
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		target, _ := url.Parse(urls[int(n.Add(1))%len(urls)])
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL + "/"
}

// All suites of litmus pass through two servers that share etcd, alternating by request.
func TestLitmusThroughTwoServers(t *testing.T) {
	program(t, "litmus")
	one, two := twoServers(t, "-dir", t.TempDir())
	litmus(t, alternate(t, one, two))
}

// twoServers starts two servers with the same arguments, which share etcd. Their leases last long:
// a server that loses its lease on a slow machine answers 503, which the clients do not expect.
func twoServers(t *testing.T, args ...string) (one, two string) {
	t.Helper()
	args = append(args, "-etcd", startEtcd(t), "-ttl", "30s")
	return start(t, args...), start(t, args...)
}

// No operation at one server sees the half of one at the other.
func TestServersDoNotSeeTheHalfOfAnother(t *testing.T) {
	one, two := twoServers(t, "-dir", t.TempDir())
	testWhole(t, one, two)
}

// testWhole has clients that replace, copy and read a folder through two servers, and fails if one
// sees a half.
func testWhole(t *testing.T, one, two string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	n, err := workload.Generations(ctx, strings.TrimSuffix(one, "/"), strings.TrimSuffix(two, "/"))
	if err != nil {
		t.Fatal(err)
	}
	t.Log(n)
	if n.Faults() != 0 || !n.Each() {
		t.Error("some failed, or nothing happened")
	}
}

// request sends a request and fails unless its status is want. It returns the Lock-Token header.
func request(t *testing.T, want int, method, url, token, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("If", "("+token+")")
		r.Header.Set("Lock-Token", token)
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	w.Body.Close()
	if w.StatusCode != want {
		t.Fatalf("%s %s = %d, want %d", method, url, w.StatusCode, want)
	}
	return w.Header.Get("Lock-Token")
}

const lockInfo = `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>`

// A lock of one server is known to the other, which refreshes and ends it.
func TestServersShareLocks(t *testing.T) {
	one, two := twoServers(t, "-dir", t.TempDir())
	token := request(t, 201, "LOCK", one+"f", "", lockInfo)
	request(t, 423, "PUT", two+"f", "", "x")
	request(t, 423, "LOCK", two+"f", "", lockInfo)
	request(t, 204, "PUT", two+"f", token, "x")
	request(t, 200, "LOCK", two+"f", token, "")
	request(t, 200, "LOCK", one+"f", token, "")
	request(t, 204, "UNLOCK", two+"f", token, "")
	again := request(t, 200, "LOCK", two+"f", "", lockInfo) // once the first server has let it go
	request(t, 412, "PUT", one+"f", token, "x")
	token = again
	request(t, 204, "DELETE", one+"f", token, "")
	token = request(t, 201, "LOCK", two+"f", "", lockInfo)
	request(t, 423, "DELETE", one+"f", "", "")
	request(t, 204, "UNLOCK", two+"f", token, "")
}

// A lock that is not refreshed ends for the other server as well.
func TestServersShareTheEndOfALock(t *testing.T) {
	etcd, dir := startEtcd(t), t.TempDir()
	args := []string{"-dir", dir, "-etcd", etcd, "-max-timeout", "1s"}
	one, two := start(t, args...), start(t, args...)
	request(t, 201, "LOCK", one+"f", "", lockInfo)
	lockWithin(t, two+"f")
}

// lockWithin locks a resource as soon as its lock has ended, within the deadline.
func lockWithin(t *testing.T, url string) {
	t.Helper()
	for end := time.Now().Add(deadline); ; time.Sleep(50 * time.Millisecond) {
		r, _ := http.NewRequest("LOCK", url, strings.NewReader(lockInfo))
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if w.Body.Close(); w.StatusCode == 200 {
			return
		}
		if w.StatusCode != 423 || time.Now().After(end) {
			t.Fatalf("LOCK %s = %d", url, w.StatusCode)
		}
	}
}

// startProcess runs a server in a process of its own, and returns its URL.
func startProcess(t *testing.T, args ...string) (url string, kill func()) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), serverEnv+"="+strings.Join(append([]string{"-addr", "127.0.0.1:0", "-quiet"}, args...), "\n"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	kill = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	_, url, ok := strings.Cut(strings.TrimSpace(line), " at http")
	if !ok {
		t.Fatalf("the server says %q, %v", line, err)
	}
	return "http" + url, kill
}

// The locks of a server that dies end, for all, and the others' stay.
func TestLocksOfAServerThatDiesEnd(t *testing.T) {
	etcd, dir := startEtcd(t), t.TempDir()
	args := []string{"-dir", dir, "-etcd", etcd, "-ttl"}
	one, kill := startProcess(t, append(args, "2s")...)
	two := start(t, append(args, "30s")...)
	lost := request(t, 201, "LOCK", one+"f", "", lockInfo)
	kept := request(t, 201, "LOCK", two+"g", "", lockInfo)
	request(t, 423, "PUT", two+"f", "", "x")
	kill()
	lockWithin(t, two+"f")
	request(t, 412, "PUT", two+"f", lost, "x")
	request(t, 204, "PUT", two+"g", kept, "x")
}
