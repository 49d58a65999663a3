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
	return f.transfer(ctx, aFile, src, dst, treelock.ReadNode(Path(src)).WriteNode(Path(dst)), false)
}

// RenameFile makes dst, which must not exist, of src, which is no more. It fails as RenameFolder
// does.
func (f *FS) RenameFile(ctx context.Context, src, dst string) error {
	return f.transfer(ctx, aFile, src, dst, treelock.WriteNode(Path(src), Path(dst)), true)
}

// CopyFolder makes dst, which must not exist, a copy of src. After a failure in the middle it
// removes what was copied; if that fails too, a [PartialError] says so.
func (f *FS) CopyFolder(ctx context.Context, src, dst string) error {
	return f.transfer(ctx, aFolder, src, dst, treelock.Read(Path(src)).Write(Path(dst)), false)
}

// RenameFolder makes dst, which must not exist, of src, which is no more. It copies and then
// deletes. A failure of the copy is as in CopyFolder. A failure of the deletion leaves dst whole
// and some of src: a [PartialError] says to delete it.
func (f *FS) RenameFolder(ctx context.Context, src, dst string) error {
	return f.transfer(ctx, aFolder, src, dst, treelock.Write(Path(src), Path(dst)), true)
}

// transfer copies src to dst, and then deletes src if move.
func (f *FS) transfer(ctx context.Context, k kind, src, dst string, req lock.Request, move bool) error {
	op := operation{"copy " + k.String(), src, dst}
	if move {
		op[0] = "rename " + k.String()
	}
	inside := strings.HasPrefix(dst+"/", src+"/") || strings.HasPrefix(src+"/", dst+"/")
	if src == dst || k == aFolder && inside { // the request would be granted
		return op.failed(ErrOverlap)
	}
	return f.guarded(ctx, op, req, func() error {
		rests, err := f.copyAll(ctx, k, src, dst)
		if err != nil || !move {
			return err
		}
		return f.remove(ctx, src, rests, &PartialError{
			Left: "the destination is whole and some of the source may be there too",
			Do:   fmt.Sprintf("delete %v %q to finish", k, src),
		})
	})
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
		return nil, f.takeBack(ctx, k, dst, rests, err)
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
// deleted it although its answer was lost. If remove fails it returns partly, with the reason.
func (f *FS) remove(ctx context.Context, key string, rests []string, partly *PartialError) error {
	partly.Err = each(ctx, rests, func(ctx context.Context, rest string) error {
		if err := f.store.Delete(ctx, key+rest); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	if partly.Err != nil {
		return partly
	}
	return nil
}

// takeBack removes what a copy to dst may have made before it failed with err. An object whose
// own copy failed may be there too, as only the answer may have been lost. takeBack goes on when
// ctx has ended, as that may be the reason for the failure.
func (f *FS) takeBack(ctx context.Context, k kind, dst string, rests []string, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeBackTime)
	defer cancel()
	partly := &PartialError{
		Left: "the destination may hold some of the copies",
		Do:   fmt.Sprintf("delete %v %q before you try again", k, dst),
	}
	if failure := f.remove(ctx, dst, rests, partly); failure != nil {
		partly.Err = errors.Join(err, partly.Err)
		return partly
	}
	return err
}
