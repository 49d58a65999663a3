package dav

import (
	"io"
	"net/http"
	"time"

	"github.com/treelock/treelock"
)

// put handles PUT. The body is read before anything is claimed.
func (h *Handler) put(c *call) error {
	if c.slash {
		return refuse(http.StatusMethodNotAllowed, "a folder has no content")
	}
	if c.Header.Get("Content-Range") != "" {
		return refuse(http.StatusBadRequest, "a part of a file cannot be written")
	}
	if c.ContentLength > h.MaxBody {
		return refuse(http.StatusRequestEntityTooLarge, "the file has more than %d bytes", h.MaxBody)
	}
	upload, err := h.Files.Upload(c.Context(), &bodyReader{c: c, left: h.MaxBody})
	if err != nil {
		return err
	}
	defer upload.Discard()
	return h.claim(c, withParents(treelock.Write(c.path), c.path), func() error {
		info, err := h.find(c, c.path)
		status := http.StatusNoContent
		switch {
		case err != nil:
			return err
		case info == nil:
			status = http.StatusCreated
			if err := h.parentIsFolder(c, c.path); err != nil {
				return err
			}
		case info.IsDir():
			return refuse(http.StatusMethodNotAllowed, "this is a folder")
		}
		return h.permitted(c, create(c.path, info == nil), func() error {
			etag, err := upload.Commit(c.Context(), string(c.path))
			c.answer.header.Set("ETag", etag)
			c.answer.status = status
			return err
		})
	})
}

// A bodyReader reads a body of bounded size from a client that must go on sending.
type bodyReader struct {
	c    *call
	left int64
}

func (b *bodyReader) Read(p []byte) (int, error) {
	_ = b.c.control.SetReadDeadline(time.Now().Add(bodyTime))
	n, err := b.c.Body.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, refuse(http.StatusRequestEntityTooLarge, "the file is too large")
	}
	switch err {
	case nil:
	case io.EOF:
		_ = b.c.control.SetReadDeadline(time.Time{})
	default: // the deadline stays: net/http reads on before it answers
		err = refuse(http.StatusBadRequest, "the body could not be read")
	}
	return n, err
}
