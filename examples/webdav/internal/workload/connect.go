package workload

import (
	"net"
	"net/http"
)

// Connect lets s serve one connection inside the process, whose times are those of a test bubble,
// and returns the end of the client. The caller closes both.
func Connect(s *http.Server) net.Conn {
	client, server := net.Pipe()
	l := &pipeListener{conn: make(chan net.Conn, 1), closed: make(chan bool)}
	l.conn <- server
	go s.Serve(l)
	return client
}

// A pipeListener has one connection.
type pipeListener struct {
	conn   chan net.Conn
	closed chan bool
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }
