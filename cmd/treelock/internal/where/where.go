// Package where finds out which etcd the command uses, under which prefix, and opens it.
//
// Each setting comes from the first place that has it:
//
//  1. a flag
//  2. the environment: variables that begin with TREELOCK_, and those of etcdctl
//  3. the project's file, .treelock.toml in the root folder
//  4. the user's file, treelock/config.toml below [os.UserConfigDir]
//  5. the machine's file, /etc/treelock/config.toml, except on Windows
//  6. the default
//
// If no place has endpoints, the endpoint is the socket of treelock dev, if that answers.
//
// A project's file comes with a cloned repository, so it is not trusted: it may set no password, no
// file of a key or certificate, and no password from another place is sent to its endpoints.
package where

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

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
	Dev       bool     // the endpoint is the socket of treelock dev
	Sources   []Source // where each setting comes from, in the order of docs/command.md

	tls      tlsFiles
	user     string
	password string
	config   clientv3.Config
}

// A Source says where a setting comes from.
type Source struct {
	Key   string `json:"key"`   // as in a file
	Value string `json:"value"` // "set" for a password
	Place string `json:"place"` // such as "--prefix", "ETCDCTL_USER", the name of a file, or "default"
}

// String returns a line for readers.
func (s Source) String() string { return s.Key + " " + s.Value + " (" + s.Place + ")" }

// The kinds of errors of this package: errors.Is tells which one an error is.
var (
	ErrUsage       = errors.New("wrong flag")
	ErrConfig      = errors.New("wrong setting")
	ErrUnavailable = errors.New("etcd does not answer, or refuses")
)

// ErrNoServer says that no place has endpoints, and that no treelock dev runs. It is an ErrConfig.
var ErrNoServer error = &kindError{ErrConfig, errors.New("no etcd is configured, and no treelock dev runs; start one with: treelock dev")}

// A kindError is an error of one kind. The kind is not in its text.
type kindError struct{ kind, err error }

func (e *kindError) Error() string   { return e.err.Error() }
func (e *kindError) Unwrap() []error { return []error{e.kind, e.err} }

// Logger returns where a manager tells of etcd's failures: out if s.Verbose, else nowhere.
func (s *Settings) Logger(out io.Writer) *slog.Logger {
	if s.Verbose {
		return slog.New(slog.NewTextHandler(out, nil))
	}
	return slog.New(slog.DiscardHandler)
}

// Etcd returns the endpoints as --etcd takes them.
func (s *Settings) Etcd() string { return strings.Join(s.Endpoints, ",") }
