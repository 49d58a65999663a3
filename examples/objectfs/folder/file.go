package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/treelock/treelock"
)

// ReadFile returns the bytes of a file.
func (f *FS) ReadFile(ctx context.Context, key string) ([]byte, error) {
	var data []byte
	err := f.guarded(ctx, operation{"read file", []string{key}}, treelock.ReadNode(Path(key)), func() (err error) {
		data, err = f.store.Read(ctx, key)
		return err
	})
	return data, err
}

// WriteFile makes or replaces a file. If it fails, the file is either as it was or as it should be.
func (f *FS) WriteFile(ctx context.Context, key string, data []byte) error {
	return f.guarded(ctx, operation{"write file", []string{key}}, treelock.WriteNode(Path(key)), func() error {
		return f.store.Write(ctx, key, data)
	})
}

// DeleteFile removes a file. If it fails, the file may be there or not: delete it again.
func (f *FS) DeleteFile(ctx context.Context, key string) error {
	return f.guarded(ctx, operation{"delete file", []string{key}}, treelock.WriteNode(Path(key)), func() error {
		return f.store.Delete(ctx, key)
	})
}

// CopyFile makes dst, which must not exist, a copy of src. If it fails, dst is removed again.
func (f *FS) CopyFile(ctx context.Context, src, dst string) error {
	op := operation{"copy file", []string{src, dst}}
	if src == dst {
		return failed(op, ErrOverlap)
	}
	return f.guarded(ctx, op, treelock.ReadNode(Path(src)).WriteNode(Path(dst)), func() error {
		return f.copyFile(ctx, src, dst)
	})
}

// RenameFile makes dst, which must not exist, of src, which is no more. If the copy fails, dst is removed
// again and src is untouched; if the deletion of src fails, dst stays, and src may be there too.
func (f *FS) RenameFile(ctx context.Context, src, dst string) error {
	op := operation{"rename file", []string{src, dst}}
	if src == dst {
		return failed(op, ErrOverlap)
	}
	return f.guarded(ctx, op, treelock.WriteNode(Path(src), Path(dst)), func() error {
		if err := f.copyFile(ctx, src, dst); err != nil {
			return err
		}
		// dst is not taken back if this fails: the store may have deleted src all the same.
		return f.remove(ctx, []string{src}, &PartialError{
			Left: "the destination is whole and the source may be there too",
			Do:   fmt.Sprintf("delete file %q to finish", src),
		})
	})
}

func (f *FS) copyFile(ctx context.Context, src, dst string) error {
	switch found, err := f.store.Exists(ctx, dst); {
	case err != nil:
		return err
	case found:
		return fmt.Errorf("destination: %w", fs.ErrExist)
	}
	err := f.store.Copy(ctx, src, dst)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return f.takeBack(ctx, []string{dst}, err)
}
