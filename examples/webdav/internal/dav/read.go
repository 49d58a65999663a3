package dav

import (
	"net/http"
	"os"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/webdav/internal/files"
)

func (h *Handler) options(c *call) error {
	c.answer.header.Set("Allow", allow)
	c.answer.header.Set("DAV", "1, 2, 3")
	c.answer.header.Set("MS-Author-Via", "DAV")
	c.answer.status = http.StatusOK
	return nil
}

// get handles GET and HEAD: it opens the file, which is sent when nothing is claimed any more.
func (h *Handler) get(c *call) error {
	return h.claim(c, treelock.ReadNode(c.path), func() error {
		f, err := h.Files.OpenFile(c.Context(), string(c.path), os.O_RDONLY, 0)
		if err != nil {
			return refuse(statusOf(err), "%s", http.StatusText(statusOf(err)))
		}
		info, err := f.Stat()
		if holder, ok := f.(files.Holder); ok && err == nil && c.Method == "GET" && c.Header.Get("Range") == "" {
			err = holder.Hold() // it is read when nothing is claimed any more
		}
		switch {
		case err != nil:
		case info.IsDir():
			err = h.list(c, f)
		case c.slash:
			err = refuse(http.StatusNotFound, "this is no folder")
		default:
			c.answer.header.Set("ETag", files.ETag(info))
			c.answer.header.Set("X-Content-Type-Options", "nosniff")
			c.answer.content, c.answer.changed = f, info.ModTime()
			return nil
		}
		f.Close()
		return err
	})
}
