package files

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"

	"golang.org/x/net/webdav"
)

// ErrHalfway means that a Rename or SetAside failed when it had removed a part of the source, and
// could not put it back. All of it is at the target.
var ErrHalfway = errors.New("a part of the source is only at the target")

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

// A Holder is an open file whose content may be another one by the time it is read.
type Holder interface {
	// Hold sees to it that the content is that of now, if it is read from the start. Any other read
	// fails if the content is another one by then.
	Hold() error
}

// A Member is what Readdir returns for a file if it tells all that a PROPFIND asks for. Then the
// file need not be opened.
type Member interface {
	fs.FileInfo
	DeadProps() (map[xml.Name]webdav.Property, error)
}
