package folder

import (
	"context"

	"github.com/treelock/treelock"
)

// ReadFile returns the bytes of a file.
func (f *FS) ReadFile(ctx context.Context, key string) (data []byte, err error) {
	err = f.guarded(ctx, operation{"read file", key}, treelock.ReadNode(Path(key)), func(ctx context.Context) error {
		data, err = f.store.Read(ctx, key)
		return err
	})
	return data, err
}

// WriteFile makes or replaces a file. If it fails, the file is either as it was or as it should
// be.
func (f *FS) WriteFile(ctx context.Context, key string, data []byte) error {
	return f.guarded(ctx, operation{"write file", key}, treelock.WriteNode(Path(key)), func(ctx context.Context) error {
		return f.store.Write(ctx, key, data)
	})
}

// DeleteFile removes a file. If it fails, the file may be there or not: delete it again.
func (f *FS) DeleteFile(ctx context.Context, key string) error {
	return f.guarded(ctx, operation{"delete file", key}, treelock.WriteNode(Path(key)), func(ctx context.Context) error {
		return f.store.Delete(ctx, key)
	})
}
