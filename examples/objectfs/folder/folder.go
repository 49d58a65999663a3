package folder

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/treelock/treelock"
)

// Files is the content of a folder: the bytes of each file, by the rest of its key ("b/c" for
// "a/b/c" in the folder "a").
type Files map[string][]byte

// List returns the names of all files in a folder, at any depth, sorted.
func (f *FS) List(ctx context.Context, folder string) (names []string, err error) {
	err = f.guarded(ctx, operation{"list folder", folder}, treelock.Read(Path(folder)), func(ctx context.Context) error {
		names, err = f.existing(ctx, aFolder, folder)
		for i := range names {
			names[i] = names[i][len("/"):]
		}
		return err
	})
	return names, err
}

// ReadFolder returns all files of a folder, as they were at one moment.
func (f *FS) ReadFolder(ctx context.Context, folder string) (Files, error) {
	files := make(Files)
	err := f.guarded(ctx, operation{"read folder", folder}, treelock.Read(Path(folder)), func(ctx context.Context) error {
		rests, err := f.existing(ctx, aFolder, folder)
		if err != nil {
			return err
		}
		var mu sync.Mutex // guards files
		return each(ctx, rests, func(ctx context.Context, rest string) error {
			data, err := f.store.Read(ctx, folder+rest)
			mu.Lock()
			defer mu.Unlock()
			files[rest[len("/"):]] = data
			return midway(err)
		})
	})
	if err != nil {
		return nil, err
	}
	return files, nil
}

// WriteFolder makes folder hold exactly files. [ErrPartial] means that some of the new files may be
// there, beside some of the old ones: write the folder again, or delete it.
func (f *FS) WriteFolder(ctx context.Context, folder string, files Files) error {
	return f.guarded(ctx, operation{"write folder", folder}, treelock.Write(Path(folder)), func(ctx context.Context) error {
		old, err := f.list(ctx, aFolder, folder)
		if err != nil {
			return err
		}
		err = each(ctx, slices.Collect(maps.Keys(files)), func(ctx context.Context, name string) error {
			return f.store.Write(ctx, folder+"/"+name, files[name])
		})
		if err != nil {
			return because(ErrPartial, err)
		}
		obsolete := slices.DeleteFunc(old, func(rest string) bool {
			_, kept := files[rest[len("/"):]]
			return kept
		})
		return because(ErrPartial, f.remove(ctx, folder, obsolete))
	})
}

// DeleteFolder removes all files of a folder. [ErrPartial] means that some may be left: delete it
// again.
func (f *FS) DeleteFolder(ctx context.Context, folder string) error {
	return f.guarded(ctx, operation{"delete folder", folder}, treelock.Write(Path(folder)), func(ctx context.Context) error {
		rests, err := f.existing(ctx, aFolder, folder)
		if err != nil {
			return err
		}
		return because(ErrPartial, f.remove(ctx, folder, rests))
	})
}
