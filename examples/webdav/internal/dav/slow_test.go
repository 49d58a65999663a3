package dav

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock/examples/webdav/internal/davlock"
	"github.com/treelock/treelock/examples/webdav/internal/workload"
)

// connect returns a connection to a server of h, which is inside the process.
func connect(t *testing.T, h http.Handler) net.Conn {
	s := &http.Server{Handler: h}
	client := workload.Connect(s)
	t.Cleanup(func() {
		client.Close()
		s.Close()
	})
	return client
}

// A client that stops sending gets its answer when its time is over, and its connection is closed.
func TestStoppedSenderIsRefusedInTime(t *testing.T) {
	for _, head := range []string{
		"PUT /a/f HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf",
		"PROPFIND /a/f HTTP/1.1\r\nHost: x\r\nDepth: 0\r\nContent-Length: 100\r\n\r\n<",
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, davlock.Limits{})
			conn := connect(t, r.handler)
			began := time.Now()
			if _, err := io.WriteString(conn, head); err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil || answer.StatusCode != 400 || time.Since(began) != bodyTime {
				t.Errorf("%.8q that stops: %v, %v after %v, want 400 after %v", head, answer, err, time.Since(began), bodyTime)
			}
			if n, err := conn.Read(make([]byte, 1<<10)); err == nil && n == 1<<10 {
				t.Error("the connection stays open")
			}
			r.holds("/a/f", "old")
			r.idle(0)
		})
	}
}

// A client that stops reading loses its connection when its time is over; one that reads slowly
// gets all.
func TestStoppedReaderLosesItsConnection(t *testing.T) {
	for _, stops := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			const size = 1 << 20
			r := newRig(t, davlock.Limits{})
			r.do(201, "PUT /big", "="+strings.Repeat("x", size))
			conn := connect(t, r.handler)
			if _, err := io.WriteString(conn, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			total := 0
			for pieces := 0; err == nil; pieces++ {
				pause := bodyTime / 100
				if stops && pieces == 1 {
					pause = bodyTime + time.Second
				}
				time.Sleep(pause)
				n := 0
				n, err = answer.Body.Read(make([]byte, 4<<10))
				total += n
			}
			if whole := total == size; whole == stops {
				t.Errorf("a client that stops (%t) got %d of %d bytes: %v", stops, total, size, err)
			}
			r.idle(0)
		})
	}
}
