package files

import (
	"context"
	"io"

	"golang.org/x/net/webdav"
)

// A System is what the server serves. Its RemoveAll and Rename leave all as it was if they fail, as
// far as what stores the files lets them.
type System interface {
	webdav.FileSystem

	// Upload reads the content of a file that has no name yet. It needs no lock: clients may be
	// slow.
	Upload(ctx context.Context, content io.Reader) (Upload, error)

	// SetAside takes a file or folder with its properties out of the tree, so that it can be put
	// back.
	SetAside(ctx context.Context, name string) (Aside, error)
}

// An Upload is the content of a file before it has its name.
type Upload interface {
	// Commit gives the content a name, in one step, and returns its entity tag.
	Commit(ctx context.Context, name string) (etag string, err error)

	// Discard removes it, unless it was committed.
	Discard()
}

// An Aside is a file or folder that was set aside.
type Aside interface {
	// Restore puts it back, in the place of what has its name now.
	Restore(ctx context.Context) error

	// Discard removes it, unless Restore was called: what could not be put back stays.
	Discard()
}
