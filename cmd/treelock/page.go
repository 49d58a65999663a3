package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/signal"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
	"github.com/treelock/treelock/internal/nodetext"
	"github.com/treelock/treelock/manager/page"
)

func newPage(flags *where.Flags) *cobra.Command {
	var listen string
	var public bool
	cmd := &cobra.Command{
		Use:   "page",
		Short: "Serve a web page of all requests",
		Long: `Page serves a web page that shows the tree with all requests of all processes, live. It prints the
address, and ends with a signal. The page changes nothing, and asks for no password: so only this
machine can reach it, unless --public allows another address.`,
		Example: `  treelock page
  treelock page --listen :8080 --public`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkListen(listen, public); err != nil {
				return usageError(err)
			}
			l, stop, err := openLooker(cmd, flags)
			if err != nil {
				return err
			}
			defer stop()
			return l.serve(cmd, listen)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "the `address` to listen at; port 0 is any that is free")
	cmd.Flags().BoolVar(&public, "public", false, "allow an address that other machines can reach")
	return cmd
}

// checkListen refuses an address that other machines can reach.
func checkListen(listen string, public bool) error {
	host, _, err := net.SplitHostPort(listen)
	switch {
	case err != nil:
		return fmt.Errorf("--listen: %w", err)
	case public || isLoopback(host):
		return nil
	}
	return fmt.Errorf("other machines can reach %s, and the page asks for no password: use --public, or 127.0.0.1", listen)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// serve serves the page until a signal comes or the manager ends.
func (l *looker) serve(cmd *cobra.Command, listen string) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return usageError(err)
	}
	addr := listener.Addr().(*net.TCPAddr)
	handler := l.onlyWhileKnown(page.Handler(l.locks.Manager))
	note := "other machines can reach it"
	if addr.IP.IsLoopback() {
		handler = onlyThisHost(handler)
		note = "only this machine can reach it"
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	ctx, stop := signal.NotifyContext(cmd.Context(), endSignals()...)
	defer stop()
	ended := make(chan error, 1) // gets the one result of Serve
	go func() { ended <- server.Serve(listener) }()
	fmt.Fprintf(cmd.OutOrStdout(), "http://%s/\n", addr)
	fmt.Fprintf(cmd.ErrOrStderr(), "treelock: %s\n", note)
	select {
	case err := <-ended:
		return err
	case <-l.locks.Done():
		err = unavailableError(errors.New("the manager has stopped"))
	case <-ctx.Done():
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	server.Shutdown(wait)
	server.Close()
	return err
}

// onlyWhileKnown refuses requests while etcd does not answer: the page would show that nothing is
// held.
func (l *looker) onlyWhileKnown(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), l.Connect)
		defer cancel()
		if err := l.locks.Check(ctx, treelock.For[treelock.Path]()); err != nil {
			http.Error(w, "what is locked cannot be known: "+nodetext.Escaped(err.Error(), maxErrorLen), http.StatusServiceUnavailable)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// onlyThisHost refuses requests by a name that is not of this machine. A web site could otherwise
// let its own name mean 127.0.0.1, and read the page in a browser here.
func onlyThisHost(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if !isLoopback(strings.Trim(host, "[]")) {
			http.Error(w, "this page is for this machine alone", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}
