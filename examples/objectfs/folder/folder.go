package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/treelock/treelock"
)

// takeBackTime bounds how long a failed operation goes on to clean up.
const takeBackTime = 30 * time.Second

// Files is the content of a folder: the bytes of each file, by the rest of its key ("b/c" for
// "a/b/c" in the folder "a").
type Files map[string][]byte

// List returns the names of all files in a folder, at any depth, sorted.
func (f *FS) List(ctx context.Context, folder string) (names []string, err error) {
	err = f.guarded(ctx, operation{"list folder", folder}, treelock.Read(Path(folder)), func() error {
		names, err = f.existing(ctx, folder)
		return err
	})
	return names, err
}

// ReadFolder returns all files of a folder, as they were at one moment.
func (f *FS) ReadFolder(ctx context.Context, folder string) (Files, error) {
	files := make(Files)
	err := f.guarded(ctx, operation{"read folder", folder}, treelock.Read(Path(folder)), func() error {
		names, err := f.existing(ctx, folder)
		if err != nil {
			return err
		}
		var mu sync.Mutex // guards files
		return each(ctx, names, func(ctx context.Context, name string) error {
			data, err := f.store.Read(ctx, folder+"/"+name)
			mu.Lock()
			defer mu.Unlock()
			files[name] = data
			return midway(err)
		})
	})
	if err != nil {
		return nil, err
	}
	return files, nil
}

// WriteFolder makes folder hold exactly files. A failure in the middle leaves some of the new files
// beside some of the old ones: write the folder again, or delete it.
func (f *FS) WriteFolder(ctx context.Context, folder string, files Files) error {
	return f.guarded(ctx, operation{"write folder", folder}, treelock.Write(Path(folder)), func() error {
		old, err := f.names(ctx, folder)
		if err != nil {
			return err
		}
		partly := &PartialError{
			Left: "the folder may hold old and new files",
			Do:   "write it again, or delete it",
		}
		partly.Err = each(ctx, slices.Collect(maps.Keys(files)), func(ctx context.Context, name string) error {
			return f.store.Write(ctx, folder+"/"+name, files[name])
		})
		if partly.Err != nil {
			return partly
		}
		obsolete := slices.DeleteFunc(old, func(name string) bool {
			_, kept := files[name]
			return kept
		})
		return f.remove(ctx, folder, obsolete, partly)
	})
}

// DeleteFolder removes all files of a folder. A failure in the middle leaves some of them: delete it
// again.
func (f *FS) DeleteFolder(ctx context.Context, folder string) error {
	return f.guarded(ctx, operation{"delete folder", folder}, treelock.Write(Path(folder)), func() error {
		names, err := f.existing(ctx, folder)
		if err != nil {
			return err
		}
		return f.remove(ctx, folder, names, &PartialError{
			Left: "the folder may still hold some of its files",
			Do:   "delete it again",
		})
	})
}

// CopyFolder makes dst, which must not exist, a copy of src. After a failure in the middle it
// removes what was copied; if that fails too, a [PartialError] says so.
func (f *FS) CopyFolder(ctx context.Context, src, dst string) error {
	op := operation{"copy folder", src, dst}
	if err := apart(src, dst); err != nil {
		return op.failed(err)
	}
	return f.guarded(ctx, op, treelock.Read(Path(src)).Write(Path(dst)), func() error {
		_, err := f.copyFolder(ctx, src, dst)
		return err
	})
}

// RenameFolder makes dst, which must not exist, of src, which is no more. It copies and then deletes.
// A failure of the copy is as in CopyFolder. A failure of the deletion leaves dst whole and some of
// src: a [PartialError] says to delete it.
func (f *FS) RenameFolder(ctx context.Context, src, dst string) error {
	op := operation{"rename folder", src, dst}
	if err := apart(src, dst); err != nil {
		return op.failed(err)
	}
	return f.guarded(ctx, op, treelock.Write(Path(src), Path(dst)), func() error {
		names, err := f.copyFolder(ctx, src, dst)
		if err != nil {
			return err
		}
		return f.remove(ctx, src, names, &PartialError{
			Left: "the destination is whole and the source may still hold some of its files",
			Do:   fmt.Sprintf("delete folder %q to finish", src),
		})
	})
}

// copyFolder copies src to dst and returns the names of the files.
func (f *FS) copyFolder(ctx context.Context, src, dst string) ([]string, error) {
	var names, taken []string
	group, listing := errgroup.WithContext(ctx)
	group.Go(func() (err error) { names, err = f.existing(listing, src); return err })
	group.Go(func() (err error) { taken, err = f.names(listing, dst); return err })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if len(taken) > 0 {
		return nil, fmt.Errorf("destination: %w", fs.ErrExist)
	}
	err := each(ctx, names, func(ctx context.Context, name string) error {
		return midway(f.store.Copy(ctx, src+"/"+name, dst+"/"+name))
	})
	if err != nil {
		return nil, f.takeBack(ctx, dst, names, err)
	}
	return names, nil
}

// names returns the names of the files in a folder, none if it does not exist.
func (f *FS) names(ctx context.Context, folder string) ([]string, error) {
	names, err := f.store.List(ctx, folder+"/")
	for i, key := range names {
		names[i] = key[len(folder)+len("/"):]
	}
	return names, err
}

// existing is names for a folder that must exist.
func (f *FS) existing(ctx context.Context, folder string) ([]string, error) {
	names, err := f.names(ctx, folder)
	if err == nil && len(names) == 0 {
		return nil, fmt.Errorf("folder %q: %w", folder, fs.ErrNotExist)
	}
	return names, err
}

// remove deletes files of a folder. A missing one is no failure: a store may have deleted it although
// its answer was lost. If remove fails it returns partly, with the reason.
func (f *FS) remove(ctx context.Context, folder string, names []string, partly *PartialError) error {
	partly.Err = each(ctx, names, func(ctx context.Context, name string) error {
		if err := f.store.Delete(ctx, folder+"/"+name); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	if partly.Err != nil {
		return partly
	}
	return nil
}

// takeBack removes the files that a copy to dst may have made before it failed with err. A file whose
// own copy failed may be there too, as only the answer may have been lost. takeBack goes on when ctx
// has ended, as that may be the reason for the failure.
func (f *FS) takeBack(ctx context.Context, dst string, names []string, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeBackTime)
	defer cancel()
	partly := &PartialError{
		Left: "the destination may hold some of the copies",
		Do:   fmt.Sprintf("delete folder %q before you try again", dst),
	}
	if failure := f.remove(ctx, dst, names, partly); failure != nil {
		partly.Err = errors.Join(err, partly.Err)
		return partly
	}
	return err
}
