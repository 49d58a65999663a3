package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/webdav/internal/dav"
	"github.com/treelock/treelock/examples/webdav/internal/davlock"
	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/page"
)

// A config is what the flags say.
type config struct {
	dir, bucket                      string
	addr, pageAddr, users, cert, key string
	etcd, prefix                     string
	maxBody                          int64
	connections                      int
	locks                            davlock.Limits
	quiet, hash                      bool
	ttl                              time.Duration
}

// parse reads the flags.
func parse(args []string, stderr io.Writer) (config, error) {
	var c config
	f := flag.NewFlagSet("webdav", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&c.dir, "dir", "", "the directory to serve (default a temporary one with a few files)")
	f.StringVar(&c.bucket, "bucket", "", "the bucket to serve instead of a directory: s3://NAME?region=REGION, file:///FOLDER or mem://")
	f.StringVar(&c.addr, "addr", "127.0.0.1:8080", "the address to serve at")
	f.StringVar(&c.pageAddr, "page", "", "the address of the live page of all locks, which shows all paths (default none)")
	f.StringVar(&c.etcd, "etcd", "", "the endpoints of etcd, with commas between, to share locks with other servers (default none)")
	f.StringVar(&c.prefix, "prefix", "/treelock-webdav", "the prefix of the keys in etcd; servers of one directory or bucket have one")
	f.DurationVar(&c.ttl, "ttl", 10*time.Second, "how long the locks of a server that dies stay, with -etcd")
	f.StringVar(&c.users, "users", "", "a file of users: a line for each, name:hash, as -hash prints it (default all may do all)")
	f.StringVar(&c.cert, "tls-cert", "", "the file of the certificate, with -tls-key")
	f.StringVar(&c.key, "tls-key", "", "the file of the key of the certificate")
	f.Int64Var(&c.maxBody, "max-body", 1<<30, "how many bytes a file may have")
	f.IntVar(&c.connections, "max-connections", 256, "how many connections one address may have; 0 for any number, as behind a proxy")
	f.IntVar(&c.locks.PerUser, "max-locks", 1000, "how many WebDAV locks a user may have")
	f.DurationVar(&c.locks.Longest, "max-timeout", time.Hour, "how long a WebDAV lock lasts at most without a refresh")
	f.BoolVar(&c.hash, "hash", false, "read a password from the standard input and print its hash for -users")
	f.BoolVar(&c.quiet, "quiet", false, "write no access log")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	if f.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if c.bucket != "" && c.dir != "" {
		return c, errors.New("-bucket and -dir exclude each other")
	}
	if (c.cert == "") != (c.key == "") {
		return c, errors.New("-tls-cert and -tls-key go together")
	}
	return c, nil
}

// run serves until ctx ends. Then it finishes the requests that are under way.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if c.hash {
		return printHash(os.Stdin, stdout)
	}
	served, end, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer end()
	var users *userList
	if c.users != "" {
		if users, err = readUsers(c.users); err != nil {
			return err
		}
	}
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	// The manager ends last, so that requests under way keep what they hold.
	locks, err := startLocks(context.WithoutCancel(ctx), c, logger)
	if err != nil {
		return err
	}
	defer locks.close()
	handler := http.Handler(dav.New(dav.Config{
		Files: served, Locker: locks.locker, Locks: locks.table, Logger: logger, MaxBody: c.maxBody,
	}))
	if users != nil {
		handler = users.guard(handler)
	}
	if users != nil && c.cert == "" && !loopback(c.addr) {
		logger.Warn("passwords go over the network in the clear: give -tls-cert and -tls-key, or serve behind a proxy that does", "addr", c.addr)
	}
	if !c.quiet {
		handler = logged(logger, handler)
	}
	return serve(ctx, c, handler, locks.manager, stdout)
}

// serve listens, says where, and serves until ctx ends.
func serve(ctx context.Context, c config, handler http.Handler, m *manager.Manager[treelock.Path], stdout io.Writer) error {
	listener, err := net.Listen("tcp", c.addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	scheme := "http"
	if c.cert != "" {
		certificate, err := tls.LoadX509KeyPair(c.cert, c.key)
		if err != nil {
			return err
		}
		listener = tls.NewListener(listener, &tls.Config{
			Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12,
		})
		scheme = "https"
	}
	failed := make(chan error, 2)
	if c.pageAddr != "" {
		pageListener, err := net.Listen("tcp", c.pageAddr)
		if err != nil {
			return err
		}
		defer pageListener.Close()
		fmt.Fprintf(stdout, "live page at http://%s/\n", pageListener.Addr())
		pages := newServer(page.Handler(m))
		pages.ReadTimeout = 0 // a page is open for long
		go func() { failed <- pages.Serve(pageListener) }()
	}
	url := fmt.Sprintf("%s://%s/", scheme, listener.Addr())
	fmt.Fprintf(stdout, "serving %s at %s\n%s", c.what(), url, howToMount(url))
	server := newServer(handler)
	if c.connections > 0 {
		server.ConnState = limitConnections(c.connections)
	}
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(last)
}

// loopback reports whether an address is reached from this machine alone.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// newServer returns a server that does not wait for clients that send no header, nor for the body
// of a request that is refused. The handler gives those that send a body more time, and bounds that
// of answers.
func newServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
}

func howToMount(url string) string {
	return "Linux:   sudo mount -t davfs " + url + " /mnt    or: cadaver " + url + "\n" +
		"macOS:   Finder, Go, Connect to Server: " + url + "\n" +
		"Windows: net use * " + url + "\n" +
		"rclone:  rclone ls :webdav: --webdav-url " + url + "\n"
}
