package cluster

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// Option changes how a manager works. See the functions that return one.
type Option func(*options)

type options struct {
	name   string
	ttl    time.Duration
	logger *slog.Logger
	local  []manager.Option
}

// Bounds of the time to live of a lease.
const (
	defaultTTL = 10 * time.Second
	minTTL     = 2 * time.Second
	maxTTL     = 60 * time.Second
)

func buildOptions(opts []Option) options {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	o := options{name: fmt.Sprintf("%s:%d", host, os.Getpid()), ttl: defaultTTL, logger: slog.Default()}
	for i, opt := range opts {
		if opt == nil {
			panic(fmt.Sprintf("treelock: option %d of %d is nil", i+1, len(opts)))
		}
		opt(&o)
	}
	return o
}

// WithTTL sets the time to live of the lease, in whole seconds, rounded up: how long what a process
// holds stays taken after it has died. A process that cannot reach etcd for that long, less a
// tenth, loses its grants. The default is 10 s; less than 2 s means 2 s, and more than a minute
// means a minute. The time that etcd grants counts.
func WithTTL(d time.Duration) Option {
	return func(o *options) { o.ttl = min(max(d, minTTL), maxTTL) }
}

// WithName sets the name of this process in the errors and snapshots of all processes. The default
// is the host and the number of the process. Of more than [treelock.MaxLabel] bytes the first are
// kept; the empty name means the default.
func WithName(name string) Option {
	return func(o *options) {
		// The log has no process without a name.
		if name = strings.ToValidUTF8(name[:min(len(name), treelock.MaxLabel)], ""); name != "" {
			o.name = name
		}
	}
}

// WithLogger sets where the manager tells of etcd's failures. The default is [slog.Default]; nil
// means the default.
func WithLogger(l *slog.Logger) Option {
	return func(o *options) {
		if l != nil {
			o.logger = l
		}
	}
}

// WithManager passes options to the manager of this process: limits, slow log, names of blockers.
// They concern the requests of this process.
func WithManager(opts ...manager.Option) Option {
	return func(o *options) { o.local = append(o.local, opts...) }
}
