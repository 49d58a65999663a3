// Package blobstore is the [store.Store] in a bucket of gocloud.dev/blob. A program that opens a
// bucket imports the driver for its URL.
package blobstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"
	"unicode/utf8"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/treelock/treelock/examples/objectfs/store"
)

// ErrKey means that a bucket cannot hold an object with this key, or takes several such keys for
// one.
var ErrKey = errors.New("the key is empty or not valid UTF-8")

// A Bucket is an open bucket.
type Bucket struct {
	blob *blob.Bucket
}

var _ store.Store = (*Bucket)(nil)

// Open opens the bucket at url. It fails unless the bucket answers within limit.
func Open(ctx context.Context, url string, limit time.Duration) (*Bucket, error) {
	b, err := blob.OpenBucket(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("bucket: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	found, err := b.IsAccessible(ctx)
	if err == nil && !found {
		err = fs.ErrNotExist
	}
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("bucket: open %s: %w", url, err)
	}
	return &Bucket{b}, nil
}

// Close closes the bucket.
func (b *Bucket) Close() error { return b.blob.Close() }

// List returns every key that starts with prefix, sorted.
func (b *Bucket) List(ctx context.Context, prefix string) ([]string, error) {
	var keys []string
	err := b.do(ctx, "list", prefix+"*", func() error { // a prefix may be empty
		objects := b.blob.List(&blob.ListOptions{Prefix: prefix})
		for {
			object, err := objects.Next(ctx)
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			keys = append(keys, object.Key)
		}
	})
	slices.Sort(keys)
	return keys, err
}

// Read returns the bytes of an object.
func (b *Bucket) Read(ctx context.Context, key string) (data []byte, err error) {
	err = b.do(ctx, "read", key, func() error {
		data, err = b.blob.ReadAll(ctx, key)
		return err
	})
	return data, err
}

// Write makes or replaces an object.
func (b *Bucket) Write(ctx context.Context, key string, data []byte) error {
	return b.do(ctx, "write", key, func() error { return b.blob.WriteAll(ctx, key, data, nil) })
}

// Copy makes or replaces the object dst with the bytes of src.
func (b *Bucket) Copy(ctx context.Context, src, dst string) error {
	return b.do(ctx, "copy to", dst, func() error {
		return b.do(ctx, "copy", src, func() error { return b.blob.Copy(ctx, dst, src, nil) })
	})
}

// Delete removes an object.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	return b.do(ctx, "delete", key, func() error { return b.blob.Delete(ctx, key) })
}

// do does work on the object key, and names it in the error. A bad key and an ended context are
// refused here, as not every driver does so.
func (b *Bucket) do(ctx context.Context, verb, key string, work func() error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	err := ErrKey
	if key != "" && utf8.ValidString(key) {
		err = work()
	}
	if gcerrors.Code(err) == gcerrors.NotFound {
		err = fs.ErrNotExist
	}
	if err != nil {
		return fmt.Errorf("bucket: %s %q: %w", verb, key, err)
	}
	return nil
}
