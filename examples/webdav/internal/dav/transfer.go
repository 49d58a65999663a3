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
		return h.transferTo(c, to, h.create(c, to))
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
		return h.transferTo(c, to, append(from, h.create(c, to)...))
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

// transferTo copies or moves once all is checked. It runs inside claim.
func (h *Handler) transferTo(c *call, to Path, changes []davlock.Claim) error {
	if err := h.exists(c); err != nil {
		return err
	}
	if !h.folder(c, parentOf(to)) {
		return refuse(http.StatusConflict, "the parent of the destination is no folder")
	}
	_, err := h.Files.Stat(c.Context(), string(to))
	if err == nil && c.Header.Get("Overwrite") == "F" {
		return refuse(http.StatusPreconditionFailed, "the destination exists")
	}
	return h.permitted(c, changes, func() error {
		c.Header.Set("Overwrite", "T") // x/net/webdav takes a missing one for F, in MOVE
		c.Header.Set("Destination", href(to, false))
		if h.serveInner(c); c.answer.status >= 300 {
			return nil
		}
		if c.Method == "MOVE" {
			if err := h.Locks.Drop(c.path, true); err != nil {
				return err
			}
		}
		return h.Locks.Drop(to, false)
	})
}
