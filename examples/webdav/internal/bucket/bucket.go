package bucket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
	"golang.org/x/sync/errgroup"

	"github.com/treelock/treelock/examples/webdav/internal/files"
)

// A store is what is used of a [blob.Bucket].
type store interface {
	Attributes(ctx context.Context, key string) (*blob.Attributes, error)
	ListPage(ctx context.Context, token []byte, size int, o *blob.ListOptions) ([]*blob.ListObject, []byte, error)
	NewRangeReader(ctx context.Context, key string, offset, length int64, o *blob.ReaderOptions) (*blob.Reader, error)
	NewWriter(ctx context.Context, key string, o *blob.WriterOptions) (*blob.Writer, error)
	ReadAll(ctx context.Context, key string) ([]byte, error)
	WriteAll(ctx context.Context, key string, data []byte, o *blob.WriterOptions) error
	Copy(ctx context.Context, to, from string, o *blob.CopyOptions) error
	Delete(ctx context.Context, key string) error
	Close() error
}

// A Bucket is an open bucket as a [files.System].
type Bucket struct{ objects store }

var _ files.System = (*Bucket)(nil)

// answerTime is how long a bucket may take to answer for the first time: its client may try for
// minutes.
const answerTime = 10 * time.Second

// Open opens the bucket at a URL of gocloud.dev/blob, and removes what uploads of an earlier server
// have left, after a day. It fails unless the bucket answers. The program imports the drivers.
func Open(ctx context.Context, url string) (*Bucket, error) {
	objects, err := blob.OpenBucket(ctx, url)
	if err != nil {
		return nil, err
	}
	b := &Bucket{objects}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if err := b.clean(ctx); err != nil {
		objects.Close()
		return nil, fmt.Errorf("open the bucket %s: %w", url, err)
	}
	return b, nil
}

// clean removes old uploads. Another server of the bucket may have new ones.
func (b *Bucket) clean(ctx context.Context) error {
	objects, _, err := b.list(ctx, files.Uploads+"/", "", mostObjects)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if time.Since(o.ModTime) > files.OldUpload {
			_ = b.objects.Delete(ctx, o.Key) // the next server tries again
		}
	}
	return nil
}

// Close closes the bucket.
func (b *Bucket) Close() error { return b.objects.Close() }

// missing reports whether an error says that there is no such object. A driver for folders has
// other errors for names below a file.
func missing(err error) bool {
	return gcerrors.Code(err) == gcerrors.NotFound || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// failed returns the error of an operation on a key, in the terms of package fs. It names no hidden
// object, but the folder that has it.
func failed(op, key string, err error) error {
	switch code := gcerrors.Code(err); {
	case err == nil:
		return nil
	case missing(err):
		err = fs.ErrNotExist // x/net/webdav wants this very error
	case code == gcerrors.PermissionDenied:
		err = fmt.Errorf("%w: %w", fs.ErrPermission, err)
	case code == gcerrors.AlreadyExists, code == gcerrors.FailedPrecondition:
		err = fmt.Errorf("%w: %w", fs.ErrExist, err)
	}
	return &fs.PathError{Op: op, Path: shown(key), Err: err}
}

// exists reports whether there is an object.
func (b *Bucket) exists(ctx context.Context, key string) (bool, error) {
	_, err := b.objects.Attributes(ctx, key)
	if missing(err) {
		return false, nil
	}
	return err == nil, err
}

// remove removes an object, if there is one.
func (b *Bucket) remove(ctx context.Context, key string) error {
	if err := b.objects.Delete(ctx, key); !missing(err) {
		return failed("remove", key, err)
	}
	return nil
}

// atOnce is how many calls of the store one method makes at a time.
const atOnce = 8

// each calls f for all items, some at a time, until one fails or ctx ends. It returns the first
// error, or why ctx ended.
func each[T any](ctx context.Context, items []T, f func(context.Context, T) error) error {
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, item := range items {
		if inner.Err() != nil {
			break
		}
		group.Go(func() error { return f(inner, item) })
	}
	err := group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
