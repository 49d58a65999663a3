package store

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// pageSize is how many keys one page of a listing has.
const pageSize = 1000

// A KeyError says that a key cannot be used with this store, and why.
type KeyError struct {
	Key    string
	Reason string
}

// Error quotes the key.
func (e *KeyError) Error() string {
	return fmt.Sprintf("store: key %q is refused: %s", e.Key, e.Reason)
}

// Bucket is the [Store] in a bucket of gocloud.dev/blob. Its keys must be valid UTF-8, as those of all
// such buckets.
//
// A bucket in a directory (file://) keeps objects as files, and the file system would take several keys
// for one file ("a/./b" and "a/b", "/a" and "a"). Locks could not keep such keys apart, so that
// they are refused with a [*KeyError].
type Bucket struct {
	bucket *blob.Bucket
	files  bool // objects are files in a directory
}

var _ Store = (*Bucket)(nil)

// NewBucket returns the store in b. Closing b stays with the caller.
func NewBucket(b *blob.Bucket) *Bucket {
	var dir os.FileInfo // what only the driver for file:// knows of itself
	return &Bucket{bucket: b, files: b.As(&dir)}
}

// List returns every key that starts with prefix, sorted, each once.
func (b *Bucket) List(ctx context.Context, prefix string) ([]string, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := b.check(strings.TrimSuffix(prefix, "/")); err != nil {
		return nil, err
	}
	if b.files && strings.HasPrefix(prefix, "/") {
		return nil, &KeyError{prefix, unclean}
	}
	var keys []string
	size := pageSize
	for token := blob.FirstPageToken; len(token) > 0; {
		objects, next, err := b.bucket.ListPage(ctx, token, size, &blob.ListOptions{Prefix: prefix})
		if err != nil {
			return nil, failed("list", prefix, err)
		}
		if b.files && len(next) > 0 {
			// The driver walks directories by name, so that it meets "a/x" before "a-b", but a page goes on
			// after the greatest key of the one before: it would leave "a-b" out. One page has no such seam.
			size *= 8
			continue
		}
		for _, object := range objects {
			keys = append(keys, object.Key)
		}
		token = next
	}
	slices.Sort(keys)
	return keys, nil
}

// Exists says whether there is an object with this very key.
func (b *Bucket) Exists(ctx context.Context, key string) (bool, error) {
	if err := b.ready(ctx, key); err != nil {
		return false, err
	}
	found, err := b.bucket.Exists(ctx, key)
	return found, failed("look up", key, err)
}

// Read returns the bytes of an object.
func (b *Bucket) Read(ctx context.Context, key string) ([]byte, error) {
	if err := b.ready(ctx, key); err != nil {
		return nil, err
	}
	data, err := b.bucket.ReadAll(ctx, key)
	return data, failed("read", key, err)
}

// Write makes or replaces an object.
func (b *Bucket) Write(ctx context.Context, key string, data []byte) error {
	if err := b.ready(ctx, key); err != nil {
		return err
	}
	return failed("write", key, b.bucket.WriteAll(ctx, key, data, nil))
}

// Copy makes or replaces the object dst with the bytes of src.
func (b *Bucket) Copy(ctx context.Context, src, dst string) error {
	for _, key := range []string{src, dst} {
		if err := b.ready(ctx, key); err != nil {
			return err
		}
	}
	return failed("copy", src, b.bucket.Copy(ctx, dst, src, nil))
}

// Delete removes an object.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	if err := b.ready(ctx, key); err != nil {
		return err
	}
	return failed("delete", key, b.bucket.Delete(ctx, key))
}

// ready refuses what must not reach the bucket: a key that it cannot hold, and work for a context that has
// ended, which not every driver heeds.
func (b *Bucket) ready(ctx context.Context, key string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if key == "" {
		return &KeyError{key, "an object needs a name: use a key that is not empty"}
	}
	return b.check(key)
}

const unclean = `a directory cannot keep it apart from other keys: use no empty, "." or ".." name with file://`

func (b *Bucket) check(key string) error {
	switch {
	case !utf8.ValidString(key):
		return &KeyError{key, "a bucket's keys must be valid UTF-8: encode it first"}
	case b.files && path.Clean("/"+key) != "/"+key:
		return &KeyError{key, unclean}
	case b.files && strings.HasSuffix(key, ".attrs"):
		return &KeyError{key, "file:// keeps attributes under such names: use another suffix"}
	}
	return nil
}

// failed says what could not be done with which key. A missing object is the one failure that callers
// tell from others.
func failed(verb, key string, err error) error {
	switch {
	case err == nil:
		return nil
	case gcerrors.Code(err) == gcerrors.NotFound:
		return fmt.Errorf("store: %s %q: %w", verb, key, fs.ErrNotExist)
	default:
		return fmt.Errorf("store: %s %q: %w", verb, key, err)
	}
}
