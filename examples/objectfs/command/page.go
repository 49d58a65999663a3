package command

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/page"
)

const pagePath = "/debug/locks"

// servePage serves the page of m, and says where. stop returns when it is no longer served.
func servePage(address string, m *manager.Manager[treelock.Path], stdout io.Writer) (stop func(), err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("objectfs: -http: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle(pagePath, page.Handler(m))
	mux.Handle("/{$}", http.RedirectHandler(pagePath, http.StatusFound))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ErrServerClosed
	}()
	addr := listener.Addr().(*net.TCPAddr)
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "localhost"
	}
	fmt.Fprintf(stdout, "The locks, live: http://%s%s\n", net.JoinHostPort(host, fmt.Sprint(addr.Port)), pagePath)
	return func() { _ = server.Close(); <-done }, nil
}
