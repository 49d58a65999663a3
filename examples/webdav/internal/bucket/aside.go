package bucket

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"

	"gocloud.dev/blob"

	"github.com/treelock/treelock/examples/webdav/internal/files"
)

// An aside is a file or folder that was moved to a folder of its own below uploads: as "it", and
// its properties as "props". The server that comes next removes it if this one dies.
type aside struct {
	was      *info
	ctx      context.Context // does not end
	at       string
	restored bool // or it was tried
}

func (a *aside) place() place { return place{a.at + "/it", a.at + "/props"} }

// SetAside implements [files.System].
func (b *Bucket) SetAside(ctx context.Context, name string) (files.Aside, error) {
	key, err := memberKey("set aside", name)
	if err != nil {
		return nil, err
	}
	a, err := b.setAside(ctx, key)
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (b *Bucket) setAside(ctx context.Context, key string) (*aside, error) {
	i, err := b.find(ctx, "set aside", key)
	if err != nil {
		return nil, err
	}
	if !i.folder { // what is below would become members of what comes in its place
		some, err := b.hasBelow(ctx, key)
		if err == nil && some {
			err = fmt.Errorf("%w: there are objects below a file", fs.ErrPermission)
		}
		if err != nil {
			return nil, failed("set aside", key, err)
		}
	}
	a := &aside{was: i, ctx: context.WithoutCancel(ctx), at: files.Uploads + "/" + rand.Text()}
	if err := b.move(ctx, "set aside", i, placeOf(key), a.place()); err != nil {
		return nil, err
	}
	return a, nil
}

// Restore implements [files.Aside].
func (a *aside) Restore(ctx context.Context) error {
	a.restored = true
	b := a.was.bucket
	if err := b.RemoveAll(ctx, a.was.key); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	it := *a.was
	it.key = a.place().key
	return b.move(ctx, "restore", &it, a.place(), placeOf(a.was.key))
}

// Discard implements [files.Aside].
func (a *aside) Discard() {
	if a.restored {
		return
	}
	b := a.was.bucket
	objects, _, err := b.list(a.ctx, a.at+"/", "", mostObjects)
	if err != nil {
		return // Open removes what stays
	}
	_ = each(a.ctx, objects, func(ctx context.Context, o *blob.ListObject) error { return b.remove(ctx, o.Key) })
}
