package bucket

import (
	"context"
	"encoding/xml"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/net/webdav"

	"github.com/treelock/treelock/examples/webdav/internal/files"
)

// A folder is an open folder.
type folder struct {
	resource
	listed, more bool
	left         []fs.FileInfo
}

// Readdir returns the members that clients see. It lists all at the first call.
func (f *folder) Readdir(count int) (infos []fs.FileInfo, err error) {
	if !f.listed {
		if f.left, f.more, err = f.bucket.members(f.ctx, f.key); err != nil {
			return nil, err
		}
		f.listed = true
	}
	if count > 0 && len(f.left) > 0 {
		n := min(count, len(f.left))
		infos, f.left = f.left[:n], f.left[n:]
		return infos, nil
	}
	if f.more {
		return nil, failed("readdir", f.key, errTooMany)
	}
	if count > 0 {
		return nil, io.EOF
	}
	infos, f.left = f.left, nil
	return infos, nil
}

// members describes the members of a folder that clients see, by their names. Beside a file, a
// folder of the same name is not shown. It reports whether there are more.
func (b *Bucket) members(ctx context.Context, key string) (infos []fs.FileInfo, more bool, err error) {
	objects, more, err := b.list(ctx, mark(key), "/", mostObjects)
	if err != nil {
		return nil, false, failed("readdir", key, err)
	}
	hasProps, err := b.withProps(ctx, key)
	if err != nil {
		return nil, false, failed("readdir", key, err)
	}
	found := map[string]fs.FileInfo{}
	for _, o := range objects {
		at := strings.TrimSuffix(o.Key, "/")
		if name := strings.TrimPrefix(at, mark(key)); at == key || !valid(name) || files.Hidden(name) {
			continue
		}
		if !o.IsDir && at == o.Key {
			i := &info{bucket: b, key: at, size: o.Size, changed: o.ModTime, etag: entityTag(o.MD5, "")}
			found[at] = &member{resource{ctx, i}, hasProps(at)}
		} else if found[at] == nil {
			found[at] = &info{bucket: b, key: at, folder: true, changed: noTime}
		}
	}
	for _, i := range found {
		infos = append(infos, i)
	}
	slices.SortFunc(infos, func(a, b fs.FileInfo) int { return strings.Compare(a.Name(), b.Name()) })
	return infos, more, nil
}

// withProps returns a function that reports which members of a folder may have properties.
func (b *Bucket) withProps(ctx context.Context, key string) (func(key string) bool, error) {
	objects, more, err := b.list(ctx, path.Dir(propsKey(mark(key)+"x"))+"/", "", mostObjects)
	some := map[string]bool{}
	for _, o := range objects {
		some[o.Key] = true
	}
	return func(key string) bool { return more || some[propsKey(key)] }, err
}

// A member is a file that its folder describes.
type member struct {
	resource
	hasProps bool // perhaps
}

var _ files.Member = (*member)(nil)

// DeadProps implements [files.Member].
func (m *member) DeadProps() (map[xml.Name]webdav.Property, error) {
	if !m.hasProps {
		return nil, nil
	}
	return m.resource.DeadProps()
}
