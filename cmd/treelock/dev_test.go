//go:build unix

package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/version"
	clientv3 "go.etcd.io/etcd/client/v3"
)

func TestDevIsFoundByItsSocketAndKeepsItsData(t *testing.T) {
	h := newHome(t)
	h.run("doctor").want(t, statusConfig, "treelock: no etcd is configured, and no treelock dev runs; start one with: treelock dev\n")
	p := h.dev()
	want := fmt.Sprintf("etcd %s runs at unix://%s: other commands of this user find it; its data are in %s\n",
		version.Version, h.socket(), h.data())
	if p.line != want {
		t.Errorf("dev says %q, want %q", p.line, want)
	}
	for _, dir := range []string{filepath.Dir(h.socket()), h.data()} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("the mode of %s is %v (%v), want 0700", dir, info.Mode(), err)
		}
	}
	if info, err := os.Stat(h.socket()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the mode of the socket is %v (%v), want 0600", info.Mode(), err)
	}
	h.run("doctor").want(t, 0, "endpoints   unix://"+h.socket()+" (treelock dev)\n")
	c := clientOf(t, "unix://"+h.socket())
	if _, err := c.Put(t.Context(), "a", "1"); err != nil {
		t.Fatal(err)
	}
	<-c.Watch(t.Context(), "a", clientv3.WithCreatedNotify())
	began := time.Now()
	if err := p.end(syscall.SIGTERM); err != nil || p.err.String() != "" {
		t.Errorf("dev ends with %v and says %q", err, p.err.String())
	}
	// etcd has a limit of 7 s for clients that do not end by themselves.
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("dev took %v to end", took)
	}
	if _, err := os.Lstat(h.socket()); !os.IsNotExist(err) {
		t.Errorf("the socket is still there (%v)", err)
	}
	p = h.dev()
	if resp, err := c.Get(t.Context(), "a"); err != nil || len(resp.Kvs) != 1 {
		t.Errorf("after a restart: %v, %v", resp, err)
	}
	if err := p.end(syscall.SIGINT); err != nil {
		t.Errorf("dev ends with %v", err)
	}
}

func TestSecondDevIsRefused(t *testing.T) {
	h := newHome(t)
	h.dev()
	h.run("dev").want(t, statusUnavailable, "treelock: start etcd: another server runs with its data in "+h.data()+"\n")
	h.run("dev", "--listen", "http://127.0.0.1:0").want(t, statusUnavailable, "with its data in "+h.data())
	h.run("dev", "--data", "").want(t, statusUnavailable, "treelock: start etcd: another server runs at "+h.socket()+"\n")
	other := h.dir + "/other.sock"
	l, err := net.Listen("unix", other)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	h.run("dev", "--data", "", "--listen", "unix://"+other).want(t, statusUnavailable, "another server runs at "+other)
	h.run("doctor").want(t, 0, "") // the first still serves
	if left, _ := filepath.Glob(h.dir + "/treelock-dev-*"); len(left) > 0 {
		t.Errorf("temporary data are left: %v", left)
	}
}

func TestDevTakesOverTheSocketOfADeadOne(t *testing.T) {
	h := newHome(t)
	h.dev().end(syscall.SIGKILL)
	if _, err := os.Lstat(h.socket()); err != nil {
		t.Fatalf("the dead dev left no socket, so the test shows nothing: %v", err)
	}
	h.run("doctor").want(t, statusConfig, "no treelock dev runs")
	h.dev()
	h.run("doctor").want(t, 0, "")
}

func TestDevWithTemporaryDataAndAPort(t *testing.T) {
	h := newHome(t)
	p := h.dev("--data", "", "--listen", "http://127.0.0.1:0")
	_, rest, _ := strings.Cut(p.line, ": use it with --etcd ")
	endpoint, _, ok := strings.Cut(rest, "; its data are in "+h.dir+"/treelock-dev-")
	if !ok || !strings.HasSuffix(p.line, " until it ends\n") || strings.HasSuffix(endpoint, ":0") {
		t.Fatalf("dev says %q", p.line)
	}
	h.run("doctor").want(t, statusConfig, "no treelock dev runs")
	h.run("doctor", "--etcd", endpoint).want(t, 0, endpoint+" answers")
	h.run("doctor", "--etcd", strings.TrimPrefix(endpoint, "http://")).want(t, 0, "agrees with this one")
	if err := p.end(syscall.SIGTERM); err != nil {
		t.Errorf("dev ends with %v", err)
	}
	if left, _ := filepath.Glob(h.dir + "/treelock*"); len(left) > 0 {
		t.Errorf("data are left: %v", left)
	}
}

func TestDevRefusesWhatItCannotListenOn(t *testing.T) {
	h := newHome(t)
	long := h.dir + "/" + strings.Repeat("x", 100)
	file := h.dir + "/file"
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		listen string
		status int
		want   string
	}{
		{"http://0.0.0.0:1234", statusUsage, "0.0.0.0 is not an address of this machine alone, such as 127.0.0.1"},
		{"http://localhost:1234", statusUsage, "localhost is not an address of this machine alone"},
		{"https://127.0.0.1:1234", statusUsage, `"https://127.0.0.1:1234" is neither unix:///SOCKET nor http://127.0.0.1:PORT`},
		{"http://127.0.0.1", statusUsage, "is neither"},
		{"/x.sock", statusUsage, "is neither"},
		{"unix://" + long, statusSoftware, "bytes, and at most 103 are allowed: " + long},
		{"unix://" + file, statusSoftware, file + " is not a socket"},
	} {
		h.run("dev", "--data", "", "--listen", test.listen).want(t, test.status, test.want)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
		t.Errorf("the file has %q (%v)", text, err)
	}
	h.run("dev", "x").want(t, statusUsage, "treelock: ")
}

// Each command and flag has its page, and the pages do not depend on the day.
func TestManualPagesAndCompletion(t *testing.T) {
	h := newHome(t)
	h.run("man", h.dir+"/man").want(t, 0, "")
	page, err := os.ReadFile(h.dir + "/man/treelock-dev.1")
	if err != nil || !strings.Contains(string(page), `\fB--listen\fP`) || strings.Contains(string(page), "Auto generated") {
		t.Errorf("the page of dev (%v):\n%s", err, page)
	}
	h.run("man").want(t, statusUsage, "accepts 1 arg(s)")
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		h.run("completion", shell).want(t, 0, "treelock")
	}
	h.run("__complete", "d").want(t, 0, "doctor\tSay where")
}
