// Package folder gives files and whole folders over an object store that has neither. A store
// copies and deletes one object at a time, so an operation on a folder takes many steps. The lock
// that [FS] holds meanwhile makes them look like one.
//
// # Keys and folders
//
// A file is an object. The folder "a" is every object whose key starts with "a/": "a/../b" lies in
// it, "ab/x" does not, and the object "a" itself is a file beside it. A folder without files does
// not exist. No key is cleaned: "a/b" and "a//b" are two files, with two locks; see [Path].
//
// # Requests
//
// Each operation makes one request for all that it touches, waits for it, and releases it at its
// end. It asks for no lock while it holds one, so there is no deadlock. A copy narrows what it
// holds to a read of dst, once all is copied. [FS.InFolder] makes requests inside what it holds.
//
//	read a file             read-node  key
//	write, delete a file    write-node key
//	rename a file           write-node src, dst
//	copy a file             read-node  src, write-node dst
//	list, read a folder     read  folder
//	write, delete a folder  write folder
//	work in a folder        write folder
//	rename a folder         write src, dst
//	copy a folder           read  src, write dst
//
// # Failures
//
// Errors start with "objectfs: " and name the operation. After an error that matches [ErrPartial],
// [ErrLeftover] or [ErrUnverified] the operation is done in part; after any other one nothing has
// changed. Errors match:
//
//   - [io/fs.ErrNotExist]: the file or folder to act on is not there;
//   - [io/fs.ErrExist]: the destination is there already;
//   - [ErrOverlap]: the destination cannot be used with this source;
//   - [ErrChanged]: a writer does not take the locks.
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

// parallel is how many objects one operation works on at a time, as a remote store is slow to
// answer, and serves many calls at once.
const parallel = 16

// FS is a folder API over an object store. Every program that writes to the same objects must go
// through the same Locker. An FS is safe for concurrent use; it holds no state of its own.
type FS struct {
	store store.Store
	locks lock.Locker
	then  func(ctx context.Context, err error) error
}

// New returns the folder API over s, guarded by locks.
func New(s store.Store, locks lock.Locker) *FS {
	return &FS{s, locks, func(_ context.Context, err error) error { return err }}
}

// Then returns an FS like f that calls record at the end of each operation, with its error, while
// the operation still holds its request. So conflicting operations are recorded in the order in
// which they took place. The operation returns the error of record. record is not called for an
// operation that got no grant. It must not use an FS with the same Locker, as it would wait while
// it holds.
func (f *FS) Then(record func(ctx context.Context, err error) error) *FS {
	return &FS{f.store, f.locks, record}
}

// InFolder holds a folder for writing while it calls work, which works with inside on parts of it,
// on several goroutines if it likes. Operations of inside exclude one another only. They must have
// ended when work returns.
func (f *FS) InFolder(
	ctx context.Context, folder string, work func(ctx context.Context, inside *FS) error,
) error {
	op := operation{"work in folder", folder}
	held, err := f.lock(ctx, op, treelock.Write(Path(folder)))
	if err != nil {
		return err
	}
	defer held.Unlock()
	ctx = held.Context(ctx)
	return f.finish(ctx, op, work(ctx, New(f.store, held.Inside())))
}

// Path returns the node that guards key: a file, or a folder and all in it. Different keys have
// different paths, and the path of a folder is an ancestor of the paths of all its files.
func Path(key string) treelock.Path {
	return treelock.PathOf(strings.Split(key, "/")...)
}

// guarded does work while it holds req. Every operation is one call of it, or of lock and finish.
func (f *FS) guarded(
	ctx context.Context, op operation, req lock.Request, work func(ctx context.Context) error,
) error {
	held, err := f.lock(ctx, op, req)
	if err != nil {
		return err
	}
	defer held.Unlock()
	ctx = held.Context(ctx)
	return f.finish(ctx, op, work(ctx))
}

// lock waits for req, which op needs.
func (f *FS) lock(ctx context.Context, op operation, req lock.Request) (lock.Held, error) {
	held, err := f.locks.Lock(ctx, req.Labeled(op.String()))
	return held, op.failed(err)
}

// finish records the outcome of op, and returns it. All that op has changed must still be held.
func (f *FS) finish(ctx context.Context, op operation, err error) error {
	return f.then(ctx, op.failed(err))
}

// An operation is a verb with its keys. It names the request and errors.
type operation []string

// String is rename folder "a" to "b".
func (op operation) String() string {
	quoted := make([]string, len(op)-1)
	for i, key := range op[1:] {
		quoted[i] = strconv.Quote(key)
	}
	return op[0] + " " + strings.Join(quoted, " to ")
}

func (op operation) failed(err error) error {
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
				return context.Cause(ctx) // else a store that is down is asked for all the rest
			}
			return work(ctx, name)
		})
	}
	return group.Wait()
}
