package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/treelock/treelock"
)

// A reservation that was lost is not there, also before it is noted that it was.
func TestLostReservationCoversNothing(t *testing.T) {
	m := process(t, "alice")
	held := newReservations(t.Context(), m)
	held.tell = func(string) {}
	first, err := held.reserve(t.Context(), treelock.Write("/a"), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	held.do(func(l *ledger) { // the loss is noted after this
		if err := m.Revoke(t.Context(), first.grant.Number(), errors.New("a test")); err != nil {
			t.Fatal(err)
		}
		<-first.grant.Lost()
		for _, req := range []treelock.Request[treelock.Path]{treelock.Write("/a"), treelock.Write("/")} {
			if known, _, err := l.begin(t.Context(), req); known != nil || err != nil {
				t.Errorf("%v: %v, %v, want that it is reserved anew", req, known, err)
			}
		}
	})
}

// A rawServer is a treelock mcp whose client is the test.
type rawServer struct {
	*exec.Cmd
	in    io.WriteCloser
	out   io.ReadCloser
	ended chan struct{} // closed when it has ended; nothing is sent
}

// newRawServer starts a server, which has been greeted.
func newRawServer(t *testing.T, args ...string) rawServer {
	t.Helper()
	s := rawServer{Cmd: command(t, append([]string{"mcp", "--raw"}, args...)...), ended: make(chan struct{})}
	var err1, err2 error
	s.in, err1 = s.StdinPipe()
	s.out, err2 = s.StdoutPipe()
	if err := errors.Join(err1, err2, s.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.out.Close() })
	go func() {
		s.Process.Wait()
		close(s.ended)
	}()
	fmt.Fprintln(s.in, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
	fmt.Fprintln(s.in, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return s
}

// The client sends requests and does not read the answers.
func TestSignalEndsAServerThatIsNotRead(t *testing.T) {
	s := newRawServer(t)
	go func() {
		for i := range 200 {
			fmt.Fprintf(s.in, `{"jsonrpc":"2.0","id":%d,"method":"tools/list"}`+"\n", i+2)
		}
	}()
	time.Sleep(time.Second) // the pipe is full
	s.Process.Signal(syscall.SIGTERM)
	s.wantEnd(t)
}

// The client is gone when the server answers: what it held is free before its lease ends.
func TestServerThatIsNotReadReleases(t *testing.T) {
	m := process(t, "worker-1")
	s := newRawServer(t, "--ttl", "1m")
	fmt.Fprintln(s.in, `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"reserve","arguments":{"write":["/a"],"reason":"r"}}}`)
	for out := bufio.NewReader(s.out); ; {
		line, err := out.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, `"id":2`) {
			break
		}
	}
	s.out.Close()
	fmt.Fprintln(s.in, `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"list","arguments":{}}}`)
	time.Sleep(200 * time.Millisecond) // it answers
	s.in.Close()
	s.wantEnd(t)
	wantFree(t, m, treelock.Write("/a")) // within the deadline of tests, which comes earlier
}

func (s rawServer) wantEnd(t *testing.T) {
	t.Helper()
	select {
	case <-s.ended:
	case <-time.After(deadline / 2):
		t.Error("the server has not ended")
		s.Process.Kill()
	}
}
