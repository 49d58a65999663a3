package bucket

import (
	"context"
	"crypto/rand"
	"io"
	"io/fs"
	"os"

	"gocloud.dev/blob"

	"github.com/treelock/treelock/examples/webdav/internal/files"
)

// Mkdir makes a folder: its mark.
func (b *Bucket) Mkdir(ctx context.Context, name string, _ os.FileMode) error {
	key, err := keyOf("mkdir", name)
	if err != nil {
		return err
	}
	if _, err := b.find(ctx, "mkdir", key); err == nil {
		return failed("mkdir", key, fs.ErrExist)
	} else if !missing(err) {
		return err
	}
	if err := b.needFolder(ctx, "mkdir", parent(key)); err != nil {
		return err
	}
	return b.writeMark(ctx, "mkdir", key)
}

func (b *Bucket) writeMark(ctx context.Context, op, key string) error {
	options := &blob.WriterOptions{ContentType: "application/x-directory"}
	return failed(op, key, b.objects.WriteAll(ctx, mark(key), nil, options))
}

// A writer is a file that is open for writing. Its object is made by Close, in one step, and only
// if nothing failed before.
type writer struct {
	resource
	w     *blob.Writer // nil before the first Write
	abort context.CancelFunc
	from  *reader // the file whose content it gets, if it is one of this bucket
	props *[]byte // the text of the properties that Close writes; nil for those that are there
	err   error
}

func (b *Bucket) writer(ctx context.Context, key string) *writer {
	return &writer{resource: resource{ctx, &info{bucket: b, key: key}}}
}

// begin opens the object.
func (f *writer) begin() error {
	if f.w != nil {
		return nil
	}
	ctx, abort := context.WithCancel(f.ctx)
	w, err := f.bucket.objects.NewWriter(ctx, f.key, nil)
	if err != nil {
		abort()
		return failed("write", f.key, err)
	}
	f.w, f.abort = w, abort
	return nil
}

func (f *writer) Write(p []byte) (n int, err error) {
	if f.err == nil && f.from != nil {
		f.err = f.refuse("write")
	}
	if f.err == nil {
		f.err = f.begin()
	}
	if f.err != nil {
		return 0, f.err
	}
	n, err = f.w.Write(p)
	f.size += int64(n)
	f.err = failed("write", f.key, err)
	return n, f.err
}

// ReadFrom lets io.Copy say here that what it reads has failed, so that Close makes no object of a
// part. Of a file of this bucket nothing is read: the store copies it.
func (f *writer) ReadFrom(from io.Reader) (n int64, err error) {
	if r, ok := from.(*reader); ok && r.bucket == f.bucket && r.pos == 0 && f.w == nil && f.err == nil {
		f.from, f.size, r.pos = r, r.size, r.size
		return r.size, nil
	}
	n, err = io.Copy(struct{ io.Writer }{f}, from)
	if err != nil {
		f.err = err
	}
	return n, err
}

// Close makes the object, and its properties if they were changed.
func (f *writer) Close() error {
	if f.err == nil && f.from == nil {
		f.err = f.begin()
	}
	if f.w != nil {
		if f.err != nil {
			f.abort() // before Close, which would make the object
		}
		err := f.w.Close()
		f.abort()
		if f.w = nil; f.err == nil {
			f.err = failed("write", f.key, err)
		}
	} else if f.err == nil {
		f.err = failed("write", f.key, f.bucket.objects.Copy(f.ctx, f.key, f.from.key, nil))
	}
	if f.err != nil {
		return f.err
	}
	f.err = failed("write", f.key, fs.ErrClosed)
	if f.props != nil {
		return f.bucket.writeProps(f.ctx, f.key, *f.props)
	}
	return nil
}

// An upload is an object below uploads.
type upload struct {
	bucket *Bucket
	ctx    context.Context // does not end
	key    string
}

// Upload implements [files.System].
func (b *Bucket) Upload(ctx context.Context, content io.Reader) (files.Upload, error) {
	u := &upload{b, context.WithoutCancel(ctx), files.Uploads + "/" + rand.Text()}
	w := b.writer(ctx, u.key)
	_, err := w.ReadFrom(content)
	if closeErr := w.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	return u, nil
}

// Commit implements [files.Upload]. The caller knows that there is the folder of the name, and no
// folder at the name. A file that is being read stays as it is for its reader.
func (u *upload) Commit(ctx context.Context, name string) (etag string, err error) {
	key, err := memberKey("write", name)
	if err != nil {
		return "", err
	}
	if err := u.bucket.objects.Copy(ctx, key, u.key, nil); err != nil {
		return "", failed("write", key, err)
	}
	attributes, err := u.bucket.objects.Attributes(ctx, key)
	if err != nil {
		return "", failed("write", key, err)
	}
	return entityTag(attributes.MD5, attributes.ETag), nil
}

// Discard implements [files.Upload]. The object of an upload goes away in any case.
func (u *upload) Discard() {
	_ = u.bucket.remove(u.ctx, u.key) // Open removes what stays
}
