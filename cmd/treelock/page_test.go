package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
	"github.com/treelock/treelock/manager/page"
)

func TestPageShowsAllProcesses(t *testing.T) {
	a := process(t, "worker-1")
	acquire(t, a, treelock.Write("/src").Labeled("deploy 7"))
	cmd := command(t, "page")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Fatalf("%q, %v: want the address of the page", url, err)
	}
	get := func(host string) (int, string) {
		req, err := http.NewRequest("GET", strings.TrimSpace(url), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(text)
	}
	if status, text := get(""); status != 200 || !strings.Contains(text, "deploy 7") {
		t.Errorf("the page has status %d, and no request of the other process: %.200q", status, text)
	}
	if status, _ := get("evil.example:80"); status != http.StatusForbidden {
		t.Errorf("by the name of a web site: status %d, want 403", status)
	}
	cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		t.Errorf("page after a signal: %v", err)
	}
}

func TestPageIsForThisMachineUnlessAskedOtherwise(t *testing.T) {
	for listen, ok := range map[string]bool{
		"127.0.0.1:0": true, "localhost:80": true, "[::1]:0": true, "127.1.2.3:1": true,
		":80": false, "0.0.0.0:0": false, "[::]:0": false, "192.168.1.1:80": false, "example.com:80": false, "8080": false,
	} {
		if err := checkListen(listen, false); (err == nil) != ok {
			t.Errorf("checkListen(%q, false) = %v, want ok %v", listen, err, ok)
		}
		if err := checkListen(listen, true); (err == nil) != (listen != "8080") {
			t.Errorf("checkListen(%q, true) = %v", listen, err)
		}
	}
	run(t, "page", "--listen", ":0").want(t, 64, "--public")
}

// Without an answer of etcd the page does not show that nothing is held.
func TestPageSaysThatItCannotKnow(t *testing.T) {
	l := &looker{Settings: &where.Settings{Connect: 300 * time.Millisecond}, locks: process(t, "page")}
	h := l.onlyWhileKnown(page.Handler(l.locks.Manager))
	get := func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		return w
	}
	if w := get(); w.Code != http.StatusOK {
		t.Errorf("status %d: %.200s", w.Code, w.Body)
	}
	l.locks.Shutdown(context.Background())
	if w := get(); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "cannot be known") {
		t.Errorf("status %d: %.200s, want %d", w.Code, w.Body, http.StatusServiceUnavailable)
	}
}
