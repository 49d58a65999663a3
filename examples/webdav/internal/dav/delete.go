package dav

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/webdav/internal/davlock"
	"github.com/treelock/treelock/examples/webdav/internal/xmlbody"
)

func (h *Handler) delete(c *call) error {
	if c.path == "/" {
		return refuse(http.StatusForbidden, "the root stays")
	}
	if d := c.Header.Get("Depth"); d != "" && d != "infinity" {
		return refuse(http.StatusBadRequest, "DELETE has the depth infinity")
	}
	return h.claim(c, withParents(treelock.Write(c.path), c.path), func() error {
		if err := h.exists(c); err != nil {
			return err
		}
		changes := []davlock.Claim{davlock.ChangeAll(c.path), davlock.Change(parentOf(c.path))}
		return h.permitted(c, changes, func() error {
			if err := h.Files.RemoveAll(c.Context(), string(c.path)); err != nil {
				return h.notDeleted(c, err)
			}
			h.Locks.Drop(c.Context(), c.path, true)
			c.answer.status = http.StatusNoContent
			return nil
		})
	})
}

// notDeleted makes the answer to a DELETE that failed, and ends the locks of what it has removed. A
// member that stays is told in a multistatus.
func (h *Handler) notDeleted(c *call, err error) error {
	infos, listErr := h.Locks.Below(c.path)
	for _, l := range infos {
		if info, err := h.find(c, l.Root); err == nil && info == nil {
			h.Locks.Drop(c.Context(), l.Root, true)
		}
	}
	var failed *fs.PathError
	if !errors.As(err, &failed) {
		return errors.Join(err, listErr)
	}
	p := treelock.CleanPath("/" + strings.TrimPrefix(failed.Path, "/"))
	if p == c.path || !c.path.Contains(p) {
		return errors.Join(err, listErr)
	}
	h.Logger.Error("webdav", "method", c.Method, "path", c.path, "err", err)
	return &refusal{status: http.StatusMultiStatus, body: xmlbody.Multistatus([]xmlbody.Response{{Href: h.href(c, p), Status: statusOf(err)}})}
}
