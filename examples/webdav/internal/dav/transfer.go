package dav

import (
	"context"
	"errors"
	"net/http"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/webdav/internal/davlock"
	"github.com/treelock/treelock/examples/webdav/internal/files"
)

func (h *Handler) copy(c *call) error {
	to, err := h.transfer(c, "0", "infinity")
	if err != nil {
		return err
	}
	return h.claim(c, withParents(treelock.Read(c.path).Write(to), to), func() error {
		return h.transferTo(c, to, nil, func() error {
			c.Header.Set("Overwrite", "T")
			c.Header.Set("Destination", href(to, false))
			if h.serveInner(c); c.answer.status >= 300 {
				return refuse(c.answer.status, "the copy failed")
			}
			return nil
		})
	})
}

func (h *Handler) move(c *call) error {
	to, err := h.transfer(c, "infinity")
	if err != nil {
		return err
	}
	if c.path == "/" {
		return refuse(http.StatusForbidden, "the root stays")
	}
	return h.claim(c, withParents(treelock.Write(c.path, to), c.path, to), func() error {
		from := []davlock.Claim{davlock.ChangeAll(c.path), davlock.Change(parentOf(c.path))}
		return h.transferTo(c, to, from, func() error {
			err := h.Files.Rename(c.Context(), string(c.path), string(to))
			if err == nil {
				h.Locks.Drop(c.Context(), c.path, true)
			}
			return err
		})
	})
}

// transfer checks the headers of COPY and MOVE and returns the destination.
func (h *Handler) transfer(c *call, depths ...string) (Path, error) {
	to, err := c.destination()
	if err != nil {
		return "", err
	}
	known := c.Header.Get("Depth") == ""
	for _, d := range depths {
		known = known || c.Header.Get("Depth") == d
	}
	overwrite := c.Header.Get("Overwrite")
	switch {
	case !known:
		return "", refuse(http.StatusBadRequest, "the Depth is not one of %v", depths)
	case overwrite != "" && overwrite != "T" && overwrite != "F":
		return "", refuse(http.StatusBadRequest, "Overwrite is neither T nor F")
	case to == c.path || c.path.Contains(to) && c.Header.Get("Depth") != "0" || to.Contains(c.path):
		return "", refuse(http.StatusForbidden, "the source and the destination are the same, or one is inside the other")
	}
	return to, nil
}

// transferTo checks what is left to check, and then makes room at the destination and runs f, which
// copies or moves. If f fails, the destination is again what it was. Changes are those beside the
// destination. It runs inside claim.
func (h *Handler) transferTo(c *call, to Path, changes []davlock.Claim, f func() error) error {
	if err := h.exists(c); err != nil {
		return err
	}
	old, err := h.find(c, to)
	if err != nil {
		return err
	}
	if old == nil {
		if err := h.parentIsFolder(c, to); err != nil {
			return err
		}
	} else if c.Header.Get("Overwrite") == "F" {
		return refuse(http.StatusPreconditionFailed, "the destination exists")
	}
	return h.permitted(c, append(changes, create(to, old == nil)...), func() error {
		status := http.StatusCreated
		var aside files.Aside
		if old != nil {
			status = http.StatusNoContent
			if aside, err = h.Files.SetAside(c.Context(), string(to)); err != nil {
				return err
			}
		}
		if err := f(); err != nil {
			return h.putBack(c, to, aside, err)
		}
		if aside != nil {
			aside.Discard()
		}
		h.Locks.Drop(c.Context(), to, false)
		c.answer.status = status
		c.answer.body.Reset()
		return nil
	})
}

// putBack makes the destination of a COPY or MOVE that failed what it was, and returns why it
// failed. If the source has gone, it is at the destination, and stays there. If that cannot be
// known, or a part has gone, both stay, and what was set aside.
func (h *Handler) putBack(c *call, to Path, aside files.Aside, why error) error {
	ctx := context.WithoutCancel(c.Context())
	_, err := h.Files.Stat(ctx, string(c.path))
	switch {
	case errors.Is(why, files.ErrHalfway):
		return why
	case err != nil:
		if aside != nil && statusOf(err) == http.StatusNotFound {
			aside.Discard()
		}
		return errors.Join(why, err)
	case aside != nil:
		err = aside.Restore(ctx)
	default:
		if err = h.Files.RemoveAll(ctx, string(to)); statusOf(err) == http.StatusNotFound {
			err = nil
		}
	}
	if err != nil {
		h.Logger.Error("webdav", "method", c.Method, "path", to, "err", err)
	}
	return why
}
