package dav

import (
	"net/http"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/webdav/internal/davlock"
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
				return refuse(c.answer.status, "the copy failed, and may be incomplete")
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
			if err := h.Files.Rename(c.Context(), string(c.path), string(to)); err != nil {
				return err
			}
			return h.Locks.Drop(c.Context(), c.path, true)
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
// copies or moves. Changes are those beside the destination. It runs inside claim.
func (h *Handler) transferTo(c *call, to Path, changes []davlock.Claim, f func() error) error {
	if err := h.exists(c); err != nil {
		return err
	}
	_, err := h.Files.Stat(c.Context(), string(to))
	isNew := err != nil
	switch {
	case isNew && !h.folder(c, parentOf(to)):
		return refuse(http.StatusConflict, "the parent of the destination is no folder")
	case !isNew && c.Header.Get("Overwrite") == "F":
		return refuse(http.StatusPreconditionFailed, "the destination exists")
	}
	return h.permitted(c, append(changes, create(to, isNew)...), func() error {
		status := http.StatusCreated
		if !isNew {
			status = http.StatusNoContent
			if err := h.Files.RemoveAll(c.Context(), string(to)); err != nil {
				return err
			}
		}
		if err := f(); err != nil {
			return err
		}
		c.answer.status = status
		c.answer.body.Reset()
		return h.Locks.Drop(c.Context(), to, false)
	})
}
