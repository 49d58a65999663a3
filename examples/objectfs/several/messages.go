package main

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/objectfs/job"
)

// What workers say to the parent, and its answers, by package net/rpc.

// A Setup tells a worker what to do.
type Setup struct {
	Name      string
	Locks     string
	Endpoints []string // of etcd
	Prefix    string   // of the locks
	TTL       time.Duration

	Load    string // the directory whose files fill the folders
	Folders string // the prefix of the folders
	Latency time.Duration
	Clients int
	Ops     int
	Seed    uint64
	Numbers uint64
}

// By identifies the operation that makes a call: its number in the store, and the token of its
// grant. The zero By is no operation.
type By struct {
	Op    int
	Token uint64
}

// A Begin announces an operation that has been granted its claims.
type Begin struct {
	Token  uint64
	Label  string
	Claims []Claim
	Inside bool // it is part of an operation of the same process
	Waited time.Duration
	Takes  int // the number of the operation that it takes over; 0 if it is a new one
}

// A Left is an operation that a process has left half done, and that must be taken over first.
type Left struct {
	Op     int
	Label  string
	Writes []string // the folders that it was writing, in the order of its label
}

// A Call is an operation on the store.
type Call struct {
	By   By
	Verb verb
	Key  string
	Dst  string // of a copy
	Data []byte // of a write
}

type verb string

const (
	list   verb = "list"
	read   verb = "read"
	write  verb = "write"
	copies verb = "copy to"
	remove verb = "delete"
)

// changes reports whether c changes the store.
func (c Call) changes() bool { return c.Verb != list && c.Verb != read }

// claims returns what c touches.
func (c Call) claims() []Claim {
	switch c.Verb {
	case list, read:
		return []Claim{{c.Key, false}}
	case copies:
		return []Claim{{c.Key, false}, {c.Dst, true}}
	default:
		return []Claim{{c.Key, true}}
	}
}

// target returns the key that a writing call changes.
func (c Call) target() string {
	if c.Verb == copies {
		return c.Dst
	}
	return c.Key
}

// A Record is an entry of the ledger. Version is of a put; Outcome is of a transfer.
type Record struct {
	By       By
	Slot     string
	Version  job.Version
	Transfer job.Transfer
	Outcome  *Failure
}

// An Ended tells that an operation of a client has ended.
type Ended struct {
	Op    string
	Count job.Count
	Text  string // of the error
}

// A Reply is the answer to any call.
type Reply struct {
	Op       int    // of a Begin; 0 if there is nothing to take over any more
	Left     []Left // of a Begin: take these over, and begin again
	Keys     []string
	Data     []byte
	Versions []job.Version
	Between  bool // of a Call: call Between before the next write
	Failure  *Failure
}

// errLate means that the store has seen a larger token.
var errLate = fmt.Errorf("%w: a later grant has used the folder", treelock.ErrLost)

// kinds are the errors that a caller tells apart.
var kinds = []error{errLate, treelock.ErrLost, fs.ErrNotExist, fs.ErrExist}

// A Failure is an error on its way to another process.
type Failure struct {
	Text string
	Kind int // in kinds; len(kinds) for any other error
}

// failure returns err as a Failure, nil if it is nil.
func failure(err error) *Failure {
	if err == nil {
		return nil
	}
	for i, kind := range kinds {
		if errors.Is(err, kind) {
			return &Failure{err.Error(), i}
		}
	}
	return &Failure{err.Error(), len(kinds)}
}

// err is the reverse of failure.
func (f *Failure) err() error {
	if f == nil {
		return nil
	}
	return f
}

func (f *Failure) Error() string { return f.Text }

// Unwrap returns the kind of the error.
func (f *Failure) Unwrap() error {
	if f.Kind >= 0 && f.Kind < len(kinds) {
		return kinds[f.Kind]
	}
	return nil
}
