package bucket

import (
	"context"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"gocloud.dev/blob"
	"golang.org/x/net/webdav"
)

// mostObjects bounds how many objects of a folder one method takes: they are in memory.
const mostObjects = 100_000

var errTooMany = fmt.Errorf("the folder has more than %d objects", mostObjects)

// onePage is how many objects a store returns at once.
const onePage = 1000

// An info describes a file or folder.
type info struct {
	bucket  *Bucket
	key     string
	size    int64
	changed time.Time
	etag    string // "" for a folder, and if a list did not tell it
	folder  bool
	marked  bool // a folder with a mark
}

func (i *info) Name() string       { return path.Base("/" + i.key) }
func (i *info) Size() int64        { return i.size }
func (i *info) ModTime() time.Time { return i.changed }
func (i *info) IsDir() bool        { return i.folder }
func (i *info) Sys() any           { return nil }

func (i *info) Mode() fs.FileMode {
	if i.folder {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

// ETag implements [webdav.ETager].
func (i *info) ETag(ctx context.Context) (string, error) {
	if i.folder {
		return "", webdav.ErrNotImplemented
	}
	if i.etag == "" {
		attributes, err := i.bucket.objects.Attributes(ctx, i.key)
		if err != nil {
			return "", failed("stat", i.key, err)
		}
		i.etag = entityTag(attributes.MD5, attributes.ETag)
	}
	return i.etag, nil
}

// entityTag returns the entity tag of an object: its hash, which lists tell as well, or else what
// the store says. In S3 the hash is what the store says, or is missing.
func entityTag(md5 []byte, tag string) string {
	if len(md5) > 0 {
		return `"` + hex.EncodeToString(md5) + `"`
	}
	return tag
}

// noTime is the time of a folder without a mark.
var noTime = time.Unix(0, 0)

// Stat describes a file or folder.
func (b *Bucket) Stat(ctx context.Context, name string) (os.FileInfo, error) {
	key, err := keyOf("stat", name)
	if err != nil {
		return nil, err
	}
	i, err := b.find(ctx, "stat", key)
	if err != nil {
		return nil, err
	}
	return i, nil
}

// find describes a file or folder. A file takes one call of the store, a folder two or three.
func (b *Bucket) find(ctx context.Context, op, key string) (*info, error) {
	i := &info{bucket: b, key: key, folder: true, changed: noTime}
	if key == "" {
		return i, nil
	}
	attributes, err := b.objects.Attributes(ctx, key)
	if err == nil {
		i.folder, i.size, i.changed = false, attributes.Size, attributes.ModTime
		i.etag = entityTag(attributes.MD5, attributes.ETag)
		return i, nil
	}
	if !missing(err) {
		return nil, failed(op, key, err)
	}
	attributes, err = b.objects.Attributes(ctx, mark(key))
	if err == nil {
		i.marked, i.changed = true, attributes.ModTime
		return i, nil
	}
	if !missing(err) {
		return nil, failed(op, key, err)
	}
	some, err := b.hasBelow(ctx, key)
	if err == nil && !some {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, failed(op, key, err)
	}
	return i, nil
}

// hasBelow reports whether there is an object below a key.
func (b *Bucket) hasBelow(ctx context.Context, key string) (bool, error) {
	objects, _, err := b.objects.ListPage(ctx, blob.FirstPageToken, 1, &blob.ListOptions{Prefix: mark(key)})
	return len(objects) > 0, err
}

// needFolder fails unless there is a folder.
func (b *Bucket) needFolder(ctx context.Context, op, key string) error {
	i, err := b.find(ctx, op, key)
	if err == nil && !i.folder {
		err = failed(op, key, fs.ErrNotExist)
	}
	return err
}

// list returns at most so many objects, and whether there are more. It asks for all that follow the
// first page at once, from the start: the driver for folders leaves some out behind a page.
func (b *Bucket) list(ctx context.Context, prefix, delimiter string, most int) (objects []*blob.ListObject, more bool, err error) {
	options := &blob.ListOptions{Prefix: prefix, Delimiter: delimiter}
	objects, next, err := b.objects.ListPage(ctx, blob.FirstPageToken, min(onePage, most), options)
	if err == nil && len(next) > 0 && onePage < most {
		objects, next, err = b.objects.ListPage(ctx, blob.FirstPageToken, most, options)
	}
	return objects, len(next) > 0, err
}

// below returns the keys of all objects of a folder. It fails if one is no path.
func (b *Bucket) below(ctx context.Context, op string, i *info) ([]string, error) {
	objects, more, err := b.list(ctx, mark(i.key), "", mostObjects)
	if err == nil && more {
		err = errTooMany
	}
	if err != nil {
		return nil, failed(op, i.key, err)
	}
	keys := make([]string, 0, len(objects)+1)
	for _, o := range objects {
		if !valid(strings.TrimSuffix(o.Key, "/")) {
			return nil, failed(op, i.key, fmt.Errorf("%w: the key %q is no path", fs.ErrPermission, o.Key))
		}
		keys = append(keys, o.Key)
	}
	if i.marked && !slices.Contains(keys, mark(i.key)) { // the driver for folders does not list it
		keys = append(keys, mark(i.key))
	}
	return keys, nil
}
