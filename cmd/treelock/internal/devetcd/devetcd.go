// Package devetcd runs an etcd server of one member in this process, for the programs of one user
// on this machine.
//
// Two lock files keep a second server away: one in the folder of the data, and one beside the
// socket. The operating system frees them when the process ends, however it ends. So the holder of
// both may remove the socket of a server that has died.
package devetcd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/treelock/treelock/cmd/treelock/internal/where"
	"go.etcd.io/etcd/client/pkg/v3/fileutil"
	"go.etcd.io/etcd/server/v3/embed"
	"google.golang.org/grpc"
)

// A Server is a running server.
type Server struct {
	Endpoint string // for clients
	etcd     *embed.Etcd
	clients  chan *grpc.Server // has the part that serves the clients, once it does
	locks    []*fileutil.LockedFile
}

// Why a server does not start.
var (
	ErrBusy   = errors.New("another server runs") // and uses the data or the socket
	ErrListen = errors.New("cannot listen there") // on that URL
)

// Start starts a server with its data in the folder data, which listens on a unix socket or at a
// port of this machine. It returns when the server answers. If temporary is true the data need not
// survive a crash of the machine.
func Start(ctx context.Context, data, listen string, temporary bool) (*Server, error) {
	at, err := parseListen(listen)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrListen, err)
	}
	s := &Server{clients: make(chan *grpc.Server, 1)}
	if err := s.start(ctx, data, at, temporary); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, data string, at url.URL, temporary bool) (err error) {
	if err := s.lockData(data); err != nil {
		return err
	}
	if at.Scheme == "unix" {
		if err := s.lockSocket(at.Path); err != nil {
			return err
		}
	}
	cfg := config(data, at, temporary)
	cfg.ServiceRegister = func(clients *grpc.Server) { s.clients <- clients }
	if s.etcd, err = startEtcd(cfg); err != nil {
		return err
	}
	s.Endpoint = "http://" + s.etcd.Clients[0].Addr().String()
	if at.Scheme == "unix" {
		s.Endpoint = where.SocketEndpoint(at.Path)
		if err := os.Chmod(at.Path, 0o600); err != nil {
			return err
		}
	}
	select {
	case <-s.etcd.Server.ReadyNotify():
		return nil
	case err := <-s.etcd.Err():
		return err
	case <-s.etcd.Server.StopNotify():
		return errors.New("it has stopped")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Err returns a channel that has an error when the server fails.
func (s *Server) Err() <-chan error { return s.etcd.Err() }

// Close ends the server, and the streams of its clients. It ends the streams first: etcd can wait
// 7 s for them (about 1 time in 20, with a watch of an idle client).
func (s *Server) Close() {
	select {
	case clients := <-s.clients:
		clients.Stop()
	default:
	}
	if s.etcd != nil {
		s.etcd.Close()
	}
	for _, l := range s.locks {
		l.Close()
	}
}

// config returns the configuration. The gateway for JSON is off: by it a page in a browser could
// reach the server.
func config(data string, at url.URL, temporary bool) *embed.Config {
	cfg := embed.NewConfig()
	cfg.Name, cfg.Dir = "dev", data
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{at}, []url.URL{at}
	// It has no peers, and listens for none. The URL is what the data call the member.
	self := url.URL{Scheme: "http", Host: "localhost:2380"}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = nil, []url.URL{self}
	cfg.InitialCluster = cfg.Name + "=" + self.String()
	cfg.AutoCompactionMode, cfg.AutoCompactionRetention = embed.CompactorModePeriodic, "1m"
	cfg.UnsafeNoFsync, cfg.EnableGRPCGateway = temporary, false
	// A failure comes by Err. What else etcd calls an error is that its listeners end with it.
	cfg.LogLevel, cfg.Logger, cfg.LogFormat, cfg.LogOutputs = "fatal", "zap", "console", []string{"stderr"}
	return cfg
}

// parseListen parses the URL to listen on. It is a socket, or a port that only this machine
// reaches: the server trusts all that reach it.
func parseListen(text string) (url.URL, error) {
	if name, ok := strings.CutPrefix(text, "unix:"); ok {
		name, err := filepath.Abs(strings.TrimPrefix(name, "//"))
		return url.URL{Scheme: "unix", Path: name}, err
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.Port() == "" || strings.Trim(u.Path, "/") != "" {
		return url.URL{}, fmt.Errorf("%q is neither unix:///SOCKET nor http://127.0.0.1:PORT", text)
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsLoopback() {
		return url.URL{}, fmt.Errorf("%s is not an address of this machine alone, such as 127.0.0.1", u.Hostname())
	}
	return url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// lockData makes the folder of the data, and locks it.
func (s *Server) lockData(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	err := s.lock(filepath.Join(dir, "treelock.lock"))
	if errors.Is(err, fileutil.ErrLocked) {
		return fmt.Errorf("%w with its data in %s", ErrBusy, dir)
	}
	return err
}

// maxSocketName is how long the name of a unix socket may be on all systems.
const maxSocketName = 103

// lockSocket makes the folder of a socket, locks the socket, and checks that what is there is the
// socket of a server that has died: etcd removes it.
func (s *Server) lockSocket(name string) error {
	if len(name) > maxSocketName {
		return fmt.Errorf("the name of the socket has %d bytes, and at most %d are allowed: %s", len(name), maxSocketName, name)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	err := s.lock(name + ".lock")
	if errors.Is(err, fileutil.ErrLocked) {
		return fmt.Errorf("%w at %s", ErrBusy, name)
	}
	if err != nil {
		return err
	}
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&os.ModeSocket == 0:
		return fmt.Errorf("%s is not a socket", name)
	case where.SocketAnswers(name):
		return fmt.Errorf("%w at %s", ErrBusy, name)
	}
	return nil
}

// lockTime is how long a lock may take. The process that had it may be about to end.
const lockTime = 300 * time.Millisecond

// lock takes a lock file until the process ends.
func (s *Server) lock(name string) (err error) {
	for began := time.Now(); ; time.Sleep(lockTime / 10) {
		l, err := fileutil.TryLockFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
		if err == nil {
			s.locks = append(s.locks, l)
			return nil
		}
		if !errors.Is(err, fileutil.ErrLocked) || time.Since(began) > lockTime {
			return err
		}
	}
}
