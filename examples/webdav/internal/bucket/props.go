package bucket

import (
	"context"
	"encoding/xml"
	"net/http"

	"gocloud.dev/blob"
	"golang.org/x/net/webdav"

	"github.com/treelock/treelock/examples/webdav/internal/files"
)

var (
	_ webdav.DeadPropsHolder = (*resource)(nil)
	_ webdav.DeadPropsHolder = (*writer)(nil)
)

// readProps returns the text of the properties of a resource.
func (b *Bucket) readProps(ctx context.Context, key string) ([]byte, error) {
	text, err := b.objects.ReadAll(ctx, propsKey(key))
	if missing(err) {
		return nil, nil
	}
	return text, failed("read", key, err)
}

// writeProps replaces the properties of a resource in one step.
func (b *Bucket) writeProps(ctx context.Context, key string, text []byte) error {
	if len(text) == 0 {
		return b.remove(ctx, propsKey(key))
	}
	options := &blob.WriterOptions{ContentType: "application/json"}
	return failed("write", key, b.objects.WriteAll(ctx, propsKey(key), text, options))
}

// DeadProps returns the properties that clients have set.
func (r *resource) DeadProps() (map[xml.Name]webdav.Property, error) {
	text, err := r.bucket.readProps(r.ctx, r.key)
	if err != nil {
		return nil, err
	}
	return files.DecodeProps(text)
}

// Patch changes the properties, all or none.
func (r *resource) Patch(patches []webdav.Proppatch) ([]webdav.Propstat, error) {
	props, err := r.DeadProps()
	if err != nil {
		return nil, err
	}
	text, stat, err := files.PatchProps(props, patches)
	if err == nil && stat.Status == http.StatusOK {
		err = r.bucket.writeProps(r.ctx, r.key, text)
	}
	return []webdav.Propstat{stat}, err
}

// Patch keeps the properties for Close: there may never be a file that has them.
func (f *writer) Patch(patches []webdav.Proppatch) ([]webdav.Propstat, error) {
	props, err := f.DeadProps()
	if err != nil {
		return nil, err
	}
	text, stat, err := files.PatchProps(props, patches)
	if err == nil && stat.Status == http.StatusOK {
		f.props = &text
	}
	return []webdav.Propstat{stat}, err
}

// DeadProps returns the properties that Close will write, or those that are there.
func (f *writer) DeadProps() (map[xml.Name]webdav.Property, error) {
	if f.props != nil {
		return files.DecodeProps(*f.props)
	}
	return f.resource.DeadProps()
}
