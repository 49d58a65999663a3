package folder

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/treelock/treelock"
)

// Files is what a folder holds: the bytes of each file, by the rest of its key ("b/c" for "a/b/c" in the
// folder "a").
type Files map[string][]byte

// List returns the names of all files in a folder, at any depth, sorted.
func (f *FS) List(ctx context.Context, folder string) ([]string, error) {
	var names []string
	err := f.guarded(ctx, operation{"list folder", []string{folder}}, treelock.Read(Path(folder)), func() (err error) {
		names, err = f.existing(ctx, folder)
		return err
	})
	return names, err
}

// ReadFolder returns all files of a folder, as they were at one moment.
func (f *FS) ReadFolder(ctx context.Context, folder string) (Files, error) {
	files := make(Files)
	err := f.guarded(ctx, operation{"read folder", []string{folder}}, treelock.Read(Path(folder)), func() error {
		names, err := f.existing(ctx, folder)
		if err != nil {
			return err
		}
		var mu sync.Mutex // guards files
		return each(ctx, names, func(ctx context.Context, name string) error {
			data, err := f.store.Read(ctx, folder+"/"+name)
			if err != nil {
				return midway(err)
			}
			mu.Lock()
			defer mu.Unlock()
			files[name] = data
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return files, nil
}

// WriteFolder makes folder hold exactly files, whatever it held before. A failure in the middle leaves some of
// the new files beside some of the old ones: write the folder again, or delete it.
func (f *FS) WriteFolder(ctx context.Context, folder string, files Files) error {
	return f.guarded(ctx, operation{"write folder", []string{folder}}, treelock.Write(Path(folder)), func() error {
		old, err := f.names(ctx, folder)
		if err != nil {
			return err
		}
		partly := &PartialError{
			Left: "the folder may hold old and new files",
			Do:   "write it again, or delete it",
		}
		err = each(ctx, slices.Collect(maps.Keys(files)), func(ctx context.Context, name string) error {
			return f.store.Write(ctx, folder+"/"+name, files[name])
		})
		if err != nil {
			partly.Err = err
			return partly
		}
		obsolete := slices.DeleteFunc(old, func(name string) bool {
			_, kept := files[name]
			return kept
		})
		return f.remove(ctx, keys(folder, obsolete), partly)
	})
}

// DeleteFolder removes all files of a folder. A failure in the middle leaves some of them: delete it again.
func (f *FS) DeleteFolder(ctx context.Context, folder string) error {
	return f.guarded(ctx, operation{"delete folder", []string{folder}}, treelock.Write(Path(folder)), func() error {
		names, err := f.existing(ctx, folder)
		if err != nil {
			return err
		}
		return f.remove(ctx, keys(folder, names), &PartialError{
			Left: "the folder may still hold some of its files",
			Do:   "delete it again",
		})
	})
}

// CopyFolder makes dst, which must not exist, a copy of src. A failure in the middle removes again what was
// copied; should that fail too, a [PartialError] says so.
func (f *FS) CopyFolder(ctx context.Context, src, dst string) error {
	op := operation{"copy folder", []string{src, dst}}
	if err := apart(src, dst); err != nil {
		return failed(op, err)
	}
	return f.guarded(ctx, op, treelock.Read(Path(src)).Write(Path(dst)), func() error {
		_, err := f.copyFolder(ctx, src, dst)
		return err
	})
}

// RenameFolder makes dst, which must not exist, of src, which is no more. A failure while files are copied
// removes the copies again and leaves src untouched; should that fail too, a [PartialError] says so. A
// failure while src is deleted leaves dst whole and some of src: a [PartialError] says to delete it.
func (f *FS) RenameFolder(ctx context.Context, src, dst string) error {
	op := operation{"rename folder", []string{src, dst}}
	if err := apart(src, dst); err != nil {
		return failed(op, err)
	}
	return f.guarded(ctx, op, treelock.Write(Path(src), Path(dst)), func() error {
		names, err := f.copyFolder(ctx, src, dst)
		if err != nil {
			return err
		}
		return f.remove(ctx, keys(src, names), &PartialError{
			Left: "the destination is whole and the source may still hold some of its files",
			Do:   fmt.Sprintf("delete folder %q to finish", src),
		})
	})
}

// copyFolder copies src to dst and returns the names that it copied.
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
		return nil, f.takeBack(ctx, keys(dst, names), err)
	}
	return names, nil
}
