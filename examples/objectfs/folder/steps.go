package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// takeBackTime bounds how long an operation that failed goes on to clean up.
const takeBackTime = 30 * time.Second

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

// keys returns the keys of the files called names in folder.
func keys(folder string, names []string) []string {
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = folder + "/" + name
	}
	return keys
}

// remove deletes files. One that is gone already is as it should be: a store may have carried out a deletion
// whose answer was lost. If it fails it returns partly, with the reason.
func (f *FS) remove(ctx context.Context, keys []string, partly *PartialError) error {
	err := each(ctx, keys, func(ctx context.Context, key string) error {
		if err := f.store.Delete(ctx, key); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	if err != nil {
		partly.Err = err
		return partly
	}
	return nil
}

// takeBack removes the files that an operation may have made before it failed because of err. All of them,
// even if their copy failed: a store may have made one whose answer was lost. It goes on when ctx has ended,
// as that may be the reason for the failure.
func (f *FS) takeBack(ctx context.Context, made []string, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeBackTime)
	defer cancel()
	partly := &PartialError{
		Left: "the destination may hold some of the copies",
		Do:   "delete the destination before you try again",
	}
	if failure := f.remove(ctx, made, partly); failure != nil {
		partly.Err = errors.Join(err, partly.Err)
		return partly
	}
	return err
}

// midway turns a missing file into [ErrChanged]: it was listed under the lock that is still held.
// It must not match [fs.ErrNotExist], which says that nothing was touched.
func midway(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (%v)", ErrChanged, err)
	}
	return err
}
