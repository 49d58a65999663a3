package bucket

import (
	"errors"
	"io"

	"gocloud.dev/blob"

	"github.com/treelock/treelock/examples/webdav/internal/files"
)

// errChanged means that an object was replaced while it was read.
var errChanged = errors.New("the object was replaced while it was read")

// firstBytes is how many bytes are kept, for a look at the kind of a file before it is sent.
const firstBytes = 512

// A reader is a file that is open for reading. It calls the store when it is read first, or by
// Hold.
type reader struct {
	resource
	pos   int64        // of the next Read
	r     *blob.Reader // nil until the first Read
	at    int64        // where r is
	first []byte       // what comes first, if r began there
}

var _ files.Holder = (*reader)(nil)

// Hold implements [files.Holder].
func (f *reader) Hold() error {
	if f.r != nil {
		return nil
	}
	return f.open(0, false)
}

// open begins to read at an offset. It fails if the object is not the one that OpenFile found. If
// that may be long ago, it asks the store once more: a time may have only seconds.
func (f *reader) open(at int64, longAgo bool) error {
	f.end()
	r, err := f.bucket.objects.NewRangeReader(f.ctx, f.key, at, -1, nil)
	if err != nil {
		return failed("read", f.key, err)
	}
	f.r, f.at = r, at
	same := r.Size() == f.size && r.ModTime().Equal(f.changed)
	if same && longAgo {
		now, err := f.bucket.objects.Attributes(f.ctx, f.key)
		same = err == nil && entityTag(now.MD5, now.ETag) == f.etag
	}
	if !same {
		f.end()
		return failed("read", f.key, errChanged)
	}
	if at == 0 {
		f.first = make([]byte, min(firstBytes, f.size))
		if _, err := io.ReadFull(r, f.first); err != nil {
			f.end()
			f.first = nil
			return failed("read", f.key, err)
		}
		f.at = int64(len(f.first))
	}
	return nil
}

func (f *reader) Read(p []byte) (int, error) {
	if f.pos >= f.size {
		return 0, io.EOF
	}
	if f.pos >= int64(len(f.first)) && (f.r == nil || f.pos != f.at) {
		if err := f.open(f.pos, true); err != nil {
			return 0, err
		}
	}
	if f.pos < int64(len(f.first)) {
		n := copy(p, f.first[f.pos:])
		f.pos += int64(n)
		return n, nil
	}
	n, err := f.r.Read(p)
	f.at += int64(n)
	f.pos = f.at
	if err == io.EOF && f.pos < f.size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		err = failed("read", f.key, err)
	}
	return n, err
}

// Seek makes the next Read begin elsewhere, with a new call of the store.
func (f *reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.pos
	case io.SeekEnd:
		offset += f.size
	}
	if offset < 0 {
		return 0, f.refuse("seek")
	}
	f.pos = offset
	return offset, nil
}

// end ends a call of the store.
func (f *reader) end() error {
	r := f.r
	if f.r = nil; r == nil {
		return nil
	}
	return r.Close()
}

func (f *reader) Close() error { return f.end() }
