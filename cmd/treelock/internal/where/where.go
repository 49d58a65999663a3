// Package where finds out which etcd the command uses, under which prefix, and opens it.
//
// Each setting comes from the first place that has it: a flag, the environment, the project's file
// .treelock.toml in the root folder, the user's file treelock/config.toml below
// [os.UserConfigDir], /etc/treelock/config.toml, and the default. If no place has endpoints, they
// are the socket of treelock dev, if one runs.
package where

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"github.com/treelock/treelock/manager/cluster"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// Flags are the flags that all parts of the command have.
type Flags struct {
	set                *pflag.FlagSet
	endpoints          []string
	prefix, root, name string
	raw, verbose       bool
	ttl, connect       time.Duration
}

// Settings are what was found.
type Settings struct {
	Endpoints []string
	Prefix    string        // of the keys in etcd; one prefix is one tree
	Root      string        // the absolute name of the folder that paths are relative to
	Raw       bool          // paths are taken as they are
	Name      string        // of this process, in the errors and lists of all
	TTL       time.Duration // of the lease
	Connect   time.Duration // how long to wait for etcd at the start
	Verbose   bool

	config clientv3.Config
}

// ErrNoServer says that no place has endpoints, and that no treelock dev runs.
var ErrNoServer = errors.New("no etcd is configured, and no treelock dev runs; start one with: treelock dev")

// Add adds the flags to a set.
func (f *Flags) Add(set *pflag.FlagSet) {
	f.set = set
	set.StringSliceVar(&f.endpoints, "etcd", nil, "`endpoints` of etcd, with commas between")
	set.StringVar(&f.prefix, "prefix", "/treelock", "`prefix` of the keys in etcd: one prefix is one tree")
	set.StringVar(&f.root, "root", "", "the `folder` that paths are relative to (the git repository's top folder)")
	set.StringVar(&f.name, "name", "", "`name` of this process in the errors and lists of all (user@host:pid)")
	set.BoolVar(&f.raw, "raw", false, "take paths as they are, and not as names of files")
	set.BoolVarP(&f.verbose, "verbose", "v", false, "show what was claimed, and where the settings come from")
	set.DurationVar(&f.ttl, "ttl", 10*time.Second, "how long what a dead process held stays taken")
	set.DurationVar(&f.connect, "connect-timeout", 5*time.Second, "how long to wait for etcd at the start")
}

// Find returns the settings.
func (f *Flags) Find() (*Settings, error) {
	s := &Settings{Endpoints: f.endpoints, Prefix: f.prefix, Root: f.root, Raw: f.raw, Name: f.name, TTL: f.ttl,
		Connect: f.connect, Verbose: f.verbose}
	if env := os.Getenv("ETCDCTL_ENDPOINTS"); len(s.Endpoints) == 0 && env != "" {
		s.Endpoints = strings.Split(env, ",")
	}
	if len(s.Endpoints) == 0 {
		return nil, ErrNoServer
	}
	if s.Root == "" {
		s.Root, _ = os.Getwd()
	}
	if s.Name == "" {
		s.Name = defaultName()
	}
	s.config = clientv3.Config{Endpoints: s.Endpoints, DialTimeout: s.Connect, Logger: zap.NewNop()}
	return s, nil
}

func defaultName() string {
	name, host := "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return fmt.Sprintf("%s@%s:%d", name, host, os.Getpid())
}

// Client connects to etcd. It does not wait for an answer.
func (s *Settings) Client() (*clientv3.Client, error) { return clientv3.New(s.config) }

// Start connects to etcd and starts a manager, within s.Connect. The manager lives until stop is
// called, or ctx ends. stop must be called: it shuts the manager down and closes the client.
func (s *Settings) Start(ctx context.Context, log *slog.Logger) (m *cluster.Manager, stop func(), err error) {
	client, err := s.Client()
	if err != nil {
		return nil, nil, err
	}
	// The context of a manager ends it, so the time for the start must not be one of it.
	live, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(s.Connect, func() {
		cancel(fmt.Errorf("etcd at %s did not answer within %v", strings.Join(s.Endpoints, ", "), s.Connect))
	})
	m, err = cluster.Start(live, client, s.Prefix, cluster.WithName(s.Name), cluster.WithTTL(s.TTL), cluster.WithLogger(log))
	if !timer.Stop() && err == nil {
		<-m.Done()
		err = context.Cause(live)
	}
	if err != nil {
		cancel(nil)
		client.Close()
		return nil, nil, err
	}
	return m, func() {
		m.Shutdown(live)
		cancel(nil)
		<-m.Done()
		client.Close()
	}, nil
}
