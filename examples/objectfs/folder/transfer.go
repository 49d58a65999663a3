package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/objectfs/lock"
)

// takeBackTime bounds how long a failed operation goes on to clean up.
const takeBackTime = 30 * time.Second

// A kind is what follows the key of a file, or of a folder, in the keys of its objects.
type kind string

const (
	aFile   kind = ""
	aFolder kind = "/"
)

func (k kind) String() string {
	if k == aFolder {
		return "folder"
	}
	return "file"
}

// CopyFile makes dst, which must not exist, a copy of src. It fails as CopyFolder does.
func (f *FS) CopyFile(ctx context.Context, src, dst string) error {
	req, rest := treelock.ReadNode(Path(src)).WriteNode(Path(dst)), treelock.ReadNode(Path(dst))
	return f.transfer(ctx, aFile, src, dst, req, &rest)
}

// RenameFile makes dst, which must not exist, of src, which is no more. It fails as RenameFolder
// does.
func (f *FS) RenameFile(ctx context.Context, src, dst string) error {
	return f.transfer(ctx, aFile, src, dst, treelock.WriteNode(Path(src), Path(dst)), nil)
}

// CopyFolder makes dst, which must not exist, a copy of src. If it fails, it removes its copies.
// [ErrPartial] means that this failed too: delete dst.
//
// Once all is copied, src may change and others may read dst, while CopyFolder looks whether the
// store lists each copy. [ErrUnverified] means that this failed: read dst, or delete it.
func (f *FS) CopyFolder(ctx context.Context, src, dst string) error {
	req, rest := treelock.Read(Path(src)).Write(Path(dst)), treelock.Read(Path(dst))
	return f.transfer(ctx, aFolder, src, dst, req, &rest)
}

// RenameFolder makes dst, which must not exist, of src, which is no more. It copies, and fails as
// CopyFolder does, and then deletes. [ErrLeftover] means that this failed: delete src.
func (f *FS) RenameFolder(ctx context.Context, src, dst string) error {
	return f.transfer(ctx, aFolder, src, dst, treelock.Write(Path(src), Path(dst)), nil)
}

// transfer copies src to dst. Then it deletes src if rest is nil. Else it narrows what it holds to
// rest, and verifies the copy.
func (f *FS) transfer(ctx context.Context, k kind, src, dst string, req lock.Request, rest *lock.Request) error {
	op := operation{"copy " + k.String(), src, dst}
	if rest == nil {
		op[0] = "rename " + k.String()
	}
	inside := strings.HasPrefix(dst+"/", src+"/") || strings.HasPrefix(src+"/", dst+"/")
	if src == dst || k == aFolder && inside { // the request would be granted
		return op.failed(ErrOverlap)
	}
	held, err := f.lock(ctx, op, req)
	if err != nil {
		return err
	}
	defer held.Unlock()
	ctx = held.Context(ctx)
	copied, err := f.copyAll(ctx, k, src, dst)
	if err == nil && rest == nil {
		err = because(ErrLeftover, f.remove(ctx, src, copied))
	}
	if err = f.finish(ctx, op, err); err != nil || rest == nil {
		return err
	}
	if err = held.Narrow(*rest); err == nil {
		err = f.verify(ctx, k, dst, copied)
	}
	return op.failed(because(ErrUnverified, err))
}

// verify fails unless the objects of key are those that were copied.
func (f *FS) verify(ctx context.Context, k kind, key string, copied []string) error {
	rests, err := f.list(ctx, k, key)
	if err == nil && !slices.Equal(slices.Sorted(slices.Values(rests)), slices.Sorted(slices.Values(copied))) {
		return ErrChanged
	}
	return err
}

// copyAll copies src to dst and returns what follows src in the keys that it copied.
func (f *FS) copyAll(ctx context.Context, k kind, src, dst string) ([]string, error) {
	var rests, taken []string
	group, listing := errgroup.WithContext(ctx)
	group.Go(func() (err error) { rests, err = f.existing(listing, k, src); return err })
	group.Go(func() (err error) { taken, err = f.list(listing, k, dst); return err })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if len(taken) > 0 {
		return nil, fmt.Errorf("destination: %w", fs.ErrExist)
	}
	err := each(ctx, rests, func(ctx context.Context, rest string) error {
		return midway(f.store.Copy(ctx, src+rest, dst+rest))
	})
	if err != nil {
		return nil, f.takeBack(ctx, dst, rests, err)
	}
	return rests, nil
}

// list returns what follows key in the keys of its objects, nothing if there are none.
func (f *FS) list(ctx context.Context, k kind, key string) ([]string, error) {
	keys, err := f.store.List(ctx, key+string(k))
	if k == aFile {
		keys = slices.DeleteFunc(keys, func(other string) bool { return other != key })
	}
	for i := range keys {
		keys[i] = keys[i][len(key):]
	}
	return keys, err
}

// existing is list for a file or folder that must exist.
func (f *FS) existing(ctx context.Context, k kind, key string) ([]string, error) {
	rests, err := f.list(ctx, k, key)
	if err == nil && len(rests) == 0 {
		return nil, fmt.Errorf("%v %q: %w", k, key, fs.ErrNotExist)
	}
	return rests, err
}

// remove deletes objects whose keys begin with key. A missing one is no failure: a store may have
// deleted it although its answer was lost.
func (f *FS) remove(ctx context.Context, key string, rests []string) error {
	return each(ctx, rests, func(ctx context.Context, rest string) error {
		if err := f.store.Delete(ctx, key+rest); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

// takeBack removes what a copy to dst may have made before it failed with err. An object whose own
// copy failed may be there too, as only the answer may have been lost. takeBack goes on when ctx
// has ended, as that may be the reason for the failure.
func (f *FS) takeBack(ctx context.Context, dst string, rests []string, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeBackTime)
	defer cancel()
	if failure := f.remove(ctx, dst, rests); failure != nil {
		return fmt.Errorf("%w: %w; %w", ErrPartial, err, failure)
	}
	return err
}
