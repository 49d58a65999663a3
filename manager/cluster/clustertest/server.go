// Package clustertest runs etcd servers in processes of their own, for the tests of package
// cluster. A process can be killed, stopped and continued, as a machine can fail.
package clustertest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// serverEnv has the JSON of a member in the environment of a process that is one.
const serverEnv = "TREELOCK_ETCD_MEMBER"

// A member is what a server needs to know.
type member struct {
	Name, Dir    string
	Client, Peer string // URLs
	Initial      string // all members
	Quota        int64  // bytes of data; 0 means etcd's default
	TokenTTL     uint   // seconds that the token of a user counts; 0 means etcd's default
	Sync         bool   // its data survive a crash of the machine, as benchmarks need it
}

// ServeIfAsked runs an etcd server, and does not return, if this process was started to be one. It
// must be called first in main or TestMain.
func ServeIfAsked() {
	text := os.Getenv(serverEnv)
	if text == "" {
		return
	}
	var m member
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		exit(err)
	}
	exit(serve(m))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve runs a member until its standard input ends, so that it does not outlive its parent.
func serve(m member) error {
	client, err := url.Parse(m.Client)
	if err != nil {
		return err
	}
	peer, err := url.Parse(m.Peer)
	if err != nil {
		return err
	}
	cfg := embed.NewConfig()
	cfg.Name, cfg.Dir, cfg.InitialCluster = m.Name, m.Dir, m.Initial
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	cfg.QuotaBackendBytes, cfg.BcryptCost = m.Quota, 4 // passwords of tests need no protection
	cfg.UnsafeNoFsync = !m.Sync
	if m.TokenTTL > 0 {
		cfg.AuthTokenTTL = m.TokenTTL
	}
	cfg.LogLevel, cfg.Logger, cfg.LogOutputs = "error", "zap", []string{"stderr"}
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return err
	}
	defer e.Close()
	select {
	case <-e.Server.ReadyNotify():
	case err := <-e.Err():
		return err
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	return nil
}

// A Server is an etcd server in a process of its own.
type Server struct {
	member
	cmd   *exec.Cmd
	stdin io.Closer
}

// Start starts a cluster of n servers with data below dir, and waits until they are ready. Their
// data survive the end of a process, and not a crash of the machine: a disk that is busy with other
// work can take a second to sync, which is longer than the leases of many tests allow. Each set
// says how the servers differ from that.
func Start(dir string, n int, set ...func(*Server)) (servers []*Server, err error) {
	for range 3 { // another program may take a port that was free
		if servers, err = newServers(dir, n, set); err != nil {
			return nil, err
		}
		if err = runAll(servers); err == nil {
			return servers, nil
		}
		for _, s := range servers {
			s.Kill()
			os.RemoveAll(s.Dir)
		}
	}
	return nil, err
}

func newServers(dir string, n int, set []func(*Server)) (servers []*Server, err error) {
	var initial []string
	for i := range n {
		name := fmt.Sprintf("member%d", i)
		s, err := newServer(name, dir+"/"+name)
		if err != nil {
			return nil, err
		}
		for _, f := range set {
			f(s)
		}
		initial = append(initial, name+"="+s.Peer)
		servers = append(servers, s)
	}
	for _, s := range servers {
		s.Initial = strings.Join(initial, ",")
	}
	return servers, nil
}

func runAll(servers []*Server) error {
	ended := make(chan error, len(servers))
	for _, s := range servers {
		go func() { ended <- s.Run() }()
	}
	var errs []error
	for range servers {
		errs = append(errs, <-ended)
	}
	return errors.Join(errs...)
}

// newServer returns a server with ports that are free now.
func newServer(name, dir string) (*Server, error) {
	client, err := freeURL()
	if err != nil {
		return nil, err
	}
	peer, err := freeURL()
	if err != nil {
		return nil, err
	}
	return &Server{member: member{Name: name, Dir: dir, Client: client, Peer: peer}}, nil
}

// freeURL returns a URL of this machine with a port that is free now. It is none of those that the
// system gives to connections: one of them could have the port while the server is restarted.
func freeURL() (url string, err error) {
	for range 100 {
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))); err == nil {
			defer l.Close()
			return "http://" + l.Addr().String(), nil
		}
	}
	return "", err
}

// Run starts the process of s, and waits until the server is ready. It is for a server that was
// killed; its data are still there.
func (s *Server) Run() error {
	text, err := json.Marshal(s.member)
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	s.cmd = exec.Command(exe)
	s.cmd.Env = append(os.Environ(), serverEnv+"="+string(text))
	s.cmd.Stderr = os.Stderr
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	ready := make(chan error, 1)
	go func() {
		if !bufio.NewScanner(stdout).Scan() {
			ready <- fmt.Errorf("etcd server %s ended before it was ready", s.Name)
			return
		}
		ready <- nil
	}()
	select {
	case err := <-ready:
		return err
	case <-time.After(time.Minute):
		s.Kill()
		return fmt.Errorf("etcd server %s is not ready after a minute", s.Name)
	}
}

// Kill ends the process at once, if it runs.
func (s *Server) Kill() {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	s.cmd.Process.Kill()
	s.cmd.Wait()
	s.stdin.Close()
}

// Endpoints returns the URLs for clients of servers.
func Endpoints(servers []*Server) (urls []string) {
	for _, s := range servers {
		urls = append(urls, s.Client)
	}
	return urls
}
