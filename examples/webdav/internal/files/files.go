// Package files is the directory that the server serves, as a file system of x/net/webdav. All
// access goes through an [os.Root], so nothing outside of the directory is read or written, not
// even through a symbolic link.
//
// Each folder may have a folder named .DAV, which clients do not see. It has a file for each member
// with properties. The one of the root also has the properties of the root, and what is being
// uploaded.
package files

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/net/webdav"
)

// hidden is the name of the folder that clients do not see.
const hidden = ".DAV"

// Uploads is the folder of files that are not complete, and of what is set aside.
const Uploads = hidden + "/uploads"

// Dir is a directory as a [System].
type Dir struct{ root *os.Root }

var _ System = (*Dir)(nil)

// OldUpload is the age at which an upload is none of a server that runs, as that ends clients that
// do not send.
const OldUpload = 24 * time.Hour

// Open opens a directory, and removes what uploads of an earlier server have left, after a day.
func Open(name string) (*Dir, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	d := &Dir{root}
	if err := d.clean(); err != nil {
		root.Close()
		return nil, err
	}
	return d, nil
}

// clean removes old uploads. Another server of the directory may have new ones.
func (d *Dir) clean() error {
	left, err := fs.ReadDir(d.root.FS(), Uploads)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range left {
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > OldUpload {
			_ = d.root.RemoveAll(Uploads + "/" + entry.Name()) // the next server tries again
		}
	}
	return err
}

// Close closes the directory.
func (d *Dir) Close() error { return d.root.Close() }

// Hidden reports whether clients must not see a path.
func Hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.EqualFold(part, hidden) {
			return true
		}
	}
	return false
}

// local returns the name of a path in the root.
func local(op, name string) (string, error) {
	if Hidden(name) {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrPermission}
	}
	if name = strings.TrimPrefix(path.Clean("/"+name), "/"); name == "" {
		return ".", nil
	}
	return name, nil
}

// Mkdir makes a folder.
func (d *Dir) Mkdir(_ context.Context, name string, perm os.FileMode) error {
	name, err := local("mkdir", name)
	if err != nil {
		return err
	}
	return d.root.Mkdir(name, perm)
}

// OpenFile opens a file or folder. A folder is opened for reading, whatever flag says, so that
// x/net/webdav can change its properties.
func (d *Dir) OpenFile(_ context.Context, name string, flag int, perm os.FileMode) (webdav.File, error) {
	name, err := local("open", name)
	if err != nil {
		return nil, err
	}
	if info, err := d.root.Stat(name); err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission} // a pipe would block
	} else if err == nil && info.IsDir() {
		flag = os.O_RDONLY
	}
	f, err := d.root.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &file{f, d, name}, nil
}

// RemoveAll removes a file, or a folder and all below, with their properties: all or, if it fails,
// nothing.
func (d *Dir) RemoveAll(_ context.Context, name string) error {
	a, err := d.setAside(name)
	if err != nil {
		return err
	}
	a.Discard()
	return nil
}

// Rename renames a file or folder, with its properties: both, or neither.
func (d *Dir) Rename(_ context.Context, from, to string) error {
	from, err := local("rename", from)
	if err != nil {
		return err
	}
	if to, err = local("rename", to); err != nil {
		return err
	}
	if err := d.root.Rename(from, to); err != nil {
		return err
	}
	if err := d.renameProps(from, to); err != nil {
		return errors.Join(err, d.root.Rename(to, from))
	}
	return nil
}

// Stat describes a file or folder.
func (d *Dir) Stat(_ context.Context, name string) (os.FileInfo, error) {
	name, err := local("stat", name)
	if err != nil {
		return nil, err
	}
	return d.root.Stat(name)
}

// An upload is a file below uploads.
type upload struct {
	dir  *Dir
	temp string
	done bool
}

// Upload implements [System].
func (d *Dir) Upload(_ context.Context, content io.Reader) (Upload, error) {
	if err := d.root.MkdirAll(Uploads, 0o755); err != nil {
		return nil, err
	}
	u := &upload{dir: d, temp: Uploads + "/" + rand.Text()}
	f, err := d.root.OpenFile(u.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(f, content)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		u.Discard()
		return nil, err
	}
	return u, nil
}

// Commit implements [Upload]. A file that is being read stays as it is for its reader. The time of
// the file is that of the call, in nanoseconds: the clock of a file system may give two contents
// one time, and the entity tag is made of it.
func (u *upload) Commit(_ context.Context, name string) (etag string, err error) {
	if name, err = local("write", name); err != nil {
		return "", err
	}
	now := time.Now()
	if err := u.dir.root.Chtimes(u.temp, now, now); err != nil {
		return "", err
	}
	info, err := u.dir.root.Stat(u.temp)
	if err != nil {
		return "", err
	}
	if err := u.dir.root.Rename(u.temp, name); err != nil {
		return "", err
	}
	u.done = true
	return ETag(info), nil
}

// Discard implements [Upload].
func (u *upload) Discard() {
	if !u.done {
		_ = u.dir.root.Remove(u.temp) // Open removes what stays
	}
}

// ETag returns the entity tag of a file, as x/net/webdav makes it: that of the file system if it
// has one.
func ETag(info os.FileInfo) string {
	if e, ok := info.(webdav.ETager); ok {
		if tag, err := e.ETag(context.Background()); err == nil {
			return tag
		}
	}
	return fmt.Sprintf(`"%x%x"`, info.ModTime().UnixNano(), info.Size())
}
