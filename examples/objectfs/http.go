package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/page"
)

const (
	pagePath      = "/debug/locks"
	readPatience  = 10 * time.Second // with a visitor who sends a request
	writePatience = time.Second      // at the end, with one who is being answered
)

// checkAddress refuses what is no address to listen on.
func checkAddress(address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return fmt.Errorf("objectfs: -http %q: use HOST:PORT or :PORT", address)
	}
	return nil
}

// servePage serves the page of m, and says where. The function that it returns ends that, and returns when it has ended.
func servePage(address string, m *manager.Manager[treelock.Path], stdout io.Writer) (stop func(), err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("objectfs: -http %s: %w: choose another address", address, err)
	}
	mux := http.NewServeMux()
	mux.Handle(pagePath, page.Handler(m))
	mux.Handle("/{$}", http.RedirectHandler(pagePath, http.StatusFound))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: readPatience}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ErrServerClosed
	}()
	fmt.Fprintf(stdout, "The locks, live: %s\n", pageURL(listener.Addr()))
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), writePatience)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // somebody does not take the answer
		}
		<-done
	}, nil
}

// pageURL returns where the page is for a browser on this machine.
func pageURL(addr net.Addr) string {
	tcp := addr.(*net.TCPAddr)
	host := tcp.IP.String()
	if tcp.IP.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, fmt.Sprint(tcp.Port)) + pagePath
}
