package bucket

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"golang.org/x/net/webdav"
)

// OpenFile opens a file or folder. A folder, and a file without O_TRUNC, is opened for reading,
// whatever flag says, so that x/net/webdav can change its properties. All else is done with ctx.
func (b *Bucket) OpenFile(ctx context.Context, name string, flag int, _ os.FileMode) (webdav.File, error) {
	key, err := keyOf("open", name)
	if err != nil {
		return nil, err
	}
	i, err := b.find(ctx, "open", key)
	switch {
	case err == nil && flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL:
		return nil, failed("open", key, fs.ErrExist)
	case err == nil && i.folder:
		return &folder{resource: resource{ctx, i}}, nil
	case err == nil && flag&os.O_TRUNC == 0:
		return &reader{resource: resource{ctx, i}}, nil
	case err == nil:
		return b.writer(ctx, key), nil
	case !errors.Is(err, fs.ErrNotExist) || flag&os.O_CREATE == 0:
		return nil, err
	}
	if err := b.needFolder(ctx, "open", parent(key)); err != nil {
		return nil, err
	}
	return b.writer(ctx, key), nil
}

// A resource is what open files and folders have in common. Its methods are those that most of them
// refuse.
type resource struct {
	ctx context.Context // that of OpenFile
	*info
}

func (r *resource) Stat() (fs.FileInfo, error) { return r.info, nil }

func (r *resource) refuse(op string) error { return failed(op, r.key, fs.ErrInvalid) }

func (r *resource) Close() error                       { return nil }
func (r *resource) Read([]byte) (int, error)           { return 0, r.refuse("read") }
func (r *resource) Write([]byte) (int, error)          { return 0, r.refuse("write") }
func (r *resource) Seek(int64, int) (int64, error)     { return 0, r.refuse("seek") }
func (r *resource) Readdir(int) ([]fs.FileInfo, error) { return nil, r.refuse("readdir") }
