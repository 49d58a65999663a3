package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock/examples/webdav/internal/workload"
)

// A client that stops is not waited for: in its header, or in the body of a request that is
// refused.
func TestStoppedClientIsNotWaitedFor(t *testing.T) {
	for head, want := range map[string]time.Duration{
		"GET / HT": 10 * time.Second,
		"PUT /f HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf": 30 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }))
			conn := workload.Connect(s)
			defer s.Close()
			defer conn.Close()
			began := time.Now()
			if _, err := io.WriteString(conn, head); err != nil {
				t.Fatal(err)
			}
			_, err := io.Copy(io.Discard, conn) // the answer, until the server closes
			if took := time.Since(began); err != nil || took < want || took > want+time.Second {
				t.Errorf("%.5q: the connection is closed after %v, %v, want %v", head, took, err, want)
			}
		})
	}
}

func TestConnectionsOfAnAddressAreLimited(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = limitConnections(2)
	server.Start()
	defer server.Close()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	answers := func(c net.Conn) bool {
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") // an error shows below
		var b [12]byte
		_, err := io.ReadFull(c, b[:])
		return err == nil && string(b[9:]) == "200"
	}
	first, second := dial(), dial()
	if !answers(first) || !answers(second) {
		t.Fatal("a connection within the limit is refused")
	}
	third := dial()
	if answers(third) {
		t.Error("a third connection is served")
	}
	third.Close()
	first.Close()
	fourth := dial()
	for !answers(fourth) { // until the server has seen that the first has gone
		fourth.Close()
		fourth = dial()
	}
	fourth.Close()
	second.Close()
}
