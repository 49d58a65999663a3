// Package folder gives files and whole folders over an object store that has neither: [FS] reads, writes,
// deletes, renames and copies them. A store copies and deletes one object at a time, so a folder operation is
// many steps; what makes it look like one is the lock that it holds meanwhile.
//
// # Keys and folders
//
// A file is an object. The folder "a" is every object whose key starts with "a/": "a/../b" lies in it,
// "ab/x" does not, and the object "a" itself is a file beside it. A folder without files does not exist.
// No key is cleaned: "a/b" and "a//b" are two files, and their locks are apart too, because [Path] keeps
// any two keys apart.
//
// # Requests
//
// Each operation makes one request for all that it touches, waits for it, and releases it at its end, whatever
// the end is. It never asks for a lock while it holds one, so there is no deadlock.
//
//	read a file             read-node  key
//	write, delete a file    write-node key
//	rename a file           write-node src, dst
//	copy a file             read-node  src, write-node dst
//	list, read a folder     read  folder
//	write, delete a folder  write folder
//	rename a folder         write src, dst
//	copy a folder           read  src, write dst
//
// # Failures
//
// An operation whose store fails, or whose context ends, in the middle leaves what its comment says. All
// files of an object store are whole or absent, so what can be left is always about which files are there.
// Errors start with "objectfs: " and name the operation. They match:
//
//   - [io/fs.ErrNotExist]: the file or folder to act on is not there; nothing was touched;
//   - [io/fs.ErrExist]: the destination is there already; nothing was touched;
//   - [ErrOverlap]: the destination cannot be used with this source; nothing was touched;
//   - [PartialError]: the operation was done in part; it says what is left and how to mend it;
//   - [ErrChanged]: somebody does not take the locks.
package folder

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/objectfs/lock"
	"github.com/treelock/treelock/examples/objectfs/store"
)

// parallel is how many objects one folder operation works on at a time. A remote store answers in
// milliseconds and serves many calls at once, so one by one would waste most of the time.
const parallel = 16

// FS is a folder API over an object store. Every program that writes to the same objects must go through
// the same Locker. An FS is safe for concurrent use; it holds no state of its own.
type FS struct {
	store store.Store
	locks lock.Locker
	then  func(err error)
}

// New returns the folder API over s, guarded by locks.
func New(s store.Store, locks lock.Locker) *FS {
	return &FS{store: s, locks: locks}
}

// Then returns an FS like f that calls record at the end of each operation, with the operation's
// error, while the operation still holds its request: what record notes elsewhere (a catalogue, a ledger) is
// noted in the order in which conflicting operations took place. It is not called if the request was not
// granted, nor for operations that are refused without asking for one. record must not use an FS with the same Locker:
// it would wait while it holds.
func (f *FS) Then(record func(err error)) *FS {
	with := *f
	with.then = record
	return &with
}

// Path returns the node that guards key: a file, or a folder and all in it. Different keys always have
// different paths, and the path of a folder is an ancestor of those of all its files.
func Path(key string) treelock.Path {
	return treelock.PathOf(strings.Split(key, "/")...)
}

// guarded does work while it holds req, which says what for. Every operation is one call of it.
func (f *FS) guarded(ctx context.Context, op operation, req treelock.Request[treelock.Path], work func() error) error {
	unlock, err := f.locks.Lock(ctx, req.Labeled(op.label()))
	if err != nil {
		return failed(op, err)
	}
	defer unlock()
	err = failed(op, work())
	if f.then != nil {
		f.then(err)
	}
	return err
}

// An operation is something that was asked for.
type operation struct {
	verb string
	keys []string
}

// String names the operation for an error: rename folder "a" to "b".
func (op operation) String() string {
	quoted := make([]string, len(op.keys))
	for i, key := range op.keys {
		quoted[i] = strconv.Quote(key)
	}
	return op.verb + " " + strings.Join(quoted, " to ")
}

// label names the operation for those who look at the locks, where the whole keys can be seen anyway: rename folder a → b. It has the
// last two names of each key at most, and not what two keys have in common.
func (op operation) label() string {
	ends := make([][]string, len(op.keys))
	for i, key := range op.keys {
		ends[i] = strings.Split(key, "/")
	}
	for len(ends) == 2 && len(ends[0]) > 1 && len(ends[1]) > 1 && ends[0][0] == ends[1][0] {
		ends[0], ends[1] = ends[0][1:], ends[1][1:]
	}
	names := make([]string, len(ends))
	for i, end := range ends {
		names[i] = strings.Join(end[max(0, len(end)-2):], "/")
	}
	return op.verb + " " + strings.Join(names, " → ")
}

func failed(op operation, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("objectfs: %v: %w", op, err)
}

// each calls work for every one of names, several at a time, until one fails.
func each(ctx context.Context, names []string, work func(ctx context.Context, name string) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, name := range names {
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx) // one has failed: no need to ask the store for the rest
			}
			return work(ctx, name)
		})
	}
	return group.Wait()
}
