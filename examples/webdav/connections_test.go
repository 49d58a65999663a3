package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

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
