package files

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
)

// An aside is a file or folder in a folder of its own below uploads: as "it", and the file of its
// properties as "props". The server that comes next removes it if this one dies.
type aside struct {
	dir      *Dir
	name, at string
	restored bool // or it was tried
}

// SetAside implements [System]. It is one rename.
func (d *Dir) SetAside(_ context.Context, name string) (Aside, error) {
	return d.setAside(name)
}

func (d *Dir) setAside(name string) (*aside, error) {
	name, err := local("remove", name)
	if err == nil && name == "." {
		err = &fs.PathError{Op: "remove", Path: name, Err: fs.ErrPermission}
	}
	if err != nil {
		return nil, err
	}
	a := &aside{dir: d, name: name, at: Uploads + "/" + rand.Text()}
	if err := d.root.MkdirAll(a.at, 0o755); err != nil {
		return nil, err
	}
	if err := d.root.Rename(name, a.at+"/it"); err != nil {
		a.Discard()
		return nil, err
	}
	if err := ignoreMissing(d.root.Rename(PropsFile(name), a.at+"/props")); err != nil {
		return nil, errors.Join(err, a.Restore(context.Background()))
	}
	return a, nil
}

// Restore implements [Aside].
func (a *aside) Restore(ctx context.Context) error {
	a.restored = true
	if err := a.dir.RemoveAll(ctx, a.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := a.dir.root.Rename(a.at+"/it", a.name); err != nil {
		return err
	}
	if err := ignoreMissing(a.dir.root.Rename(a.at+"/props", PropsFile(a.name))); err != nil {
		return err
	}
	return a.dir.root.Remove(a.at)
}

// Discard implements [Aside].
func (a *aside) Discard() {
	if !a.restored {
		_ = a.dir.root.RemoveAll(a.at) // Open removes what stays
	}
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
