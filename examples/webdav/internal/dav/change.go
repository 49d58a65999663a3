package dav

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/webdav/internal/davlock"
	"github.com/treelock/treelock/examples/webdav/internal/xmlbody"
)

// claim runs f while the call holds req in the tree of methods, and after the conditions hold. It
// also claims the resources that the If header names.
func (h *Handler) claim(c *call, req treelock.Request[Path], f func() error) error {
	ctx, cancel := context.WithTimeout(c.Context(), h.Patient)
	defer cancel()
	for _, list := range c.cond.ifHeader.Lists {
		if p, ok := c.tagged(list.Tag); ok && p != c.path {
			req = req.ReadNode(p)
		}
	}
	grant, err := h.Locker.Acquire(ctx, davlock.Run(req.Labeled(c.Method+" by "+c.name())))
	if err != nil {
		return err
	}
	defer grant.Release()
	defer c.endWith(grant)()
	if c.cond.hasIf || c.Method != "GET" && c.Method != "HEAD" {
		if err := h.Locks.Sync(ctx); err != nil {
			return err
		}
	}
	if err := h.check(c); err != nil {
		return err
	}
	if err := grant.Err(); err != nil {
		return err
	}
	return f()
}

// endWith ends the context of the call when its grant is lost, so that a method makes no further
// change. What it returns is called when the method is over.
func (c *call) endWith(grant treelock.Grant[Path]) (over func()) {
	ctx, end := context.WithCancelCause(c.Context())
	c.Request = c.Request.WithContext(ctx)
	lost, done := grant.Lost(), make(chan struct{})
	go func() {
		select {
		case <-lost:
			end(grant.Err())
		case <-done: // ctx goes on until the answer is sent
		}
	}()
	return func() { close(done) }
}

func (c *call) name() string {
	if c.user == "" {
		return "anonymous"
	}
	return c.user
}

// permitted runs f if the locks permit the changes. It runs inside claim.
func (h *Handler) permitted(c *call, changes []davlock.Claim, f func() error) error {
	pass, err := h.Locks.Enter(c.Context(), c.user, c.cond.tokens, changes...)
	if err != nil {
		return h.locked(c, err)
	}
	defer pass.Leave()
	return f()
}

// locked makes the answer to a method that a lock refuses. A lock below the resource is told in a
// multistatus, as the resource itself is not locked.
func (h *Handler) locked(c *call, err error) error {
	var locked *davlock.LockedError
	if !errors.As(err, &locked) {
		return err
	}
	condition := "lock-token-submitted"
	if c.Method == "LOCK" {
		condition = "no-conflicting-lock"
	}
	var responses []xmlbody.Response
	var roots []string
	for _, l := range locked.Locks {
		root := h.href(c, l.Root)
		if len(roots) > 0 && roots[len(roots)-1] == root {
			continue // shared locks of one resource
		}
		roots = append(roots, root)
		if h.below(c, l.Root) {
			responses = append(responses, xmlbody.Response{Href: root, Status: http.StatusLocked, Condition: condition, Hrefs: []string{root}})
		}
	}
	if len(responses) < len(roots) {
		return &refusal{status: http.StatusLocked, body: xmlbody.Error(condition, roots...)}
	}
	if c.Method == "LOCK" {
		responses = append(responses, xmlbody.Response{Href: h.href(c, c.path), Status: http.StatusFailedDependency})
	}
	return &refusal{status: http.StatusMultiStatus, body: xmlbody.Multistatus(responses)}
}

// below reports whether p is a member of the resource of the call, or of its destination.
func (h *Handler) below(c *call, p Path) bool {
	if p != c.path && c.path.Contains(p) {
		return true
	}
	to, err := c.destination()
	return err == nil && p != to && to.Contains(p)
}

// href returns the URL path of a resource that may be a folder.
func (h *Handler) href(c *call, p Path) string {
	info, err := h.Files.Stat(c.Context(), string(p))
	return href(p, err == nil && info.IsDir())
}

// create returns what a method changes that gives p its content: p, and its parent if p is new.
func create(p Path, isNew bool) []davlock.Claim {
	changes := []davlock.Claim{davlock.ChangeAll(p)}
	if parent, ok := p.Parent(); ok && isNew {
		changes = append(changes, davlock.Change(parent))
	}
	return changes
}

// withParents adds the parents of nodes to what is written.
func withParents(req treelock.Request[Path], nodes ...Path) treelock.Request[Path] {
	for _, p := range nodes {
		if parent, ok := p.Parent(); ok {
			req = req.WriteNode(parent)
		}
	}
	return req
}

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

func parentOf(p Path) Path {
	parent, _ := p.Parent()
	return parent
}

// find describes a resource. It returns nil if there is none, and an error only if it cannot know.
func (h *Handler) find(c *call, p Path) (fs.FileInfo, error) {
	info, err := h.Files.Stat(c.Context(), string(p))
	if err != nil && statusOf(err) == http.StatusNotFound {
		return nil, nil
	}
	return info, err
}

// parentIsFolder fails unless the parent of p is a folder.
func (h *Handler) parentIsFolder(c *call, p Path) error {
	info, err := h.find(c, parentOf(p))
	if err == nil && (info == nil || !info.IsDir()) {
		return refuse(http.StatusConflict, "the parent is no folder")
	}
	return err
}

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

// exists fails if the resource does not exist, or is a file with a slash behind its name.
func (h *Handler) exists(c *call) error {
	info, err := h.Files.Stat(c.Context(), string(c.path))
	if err != nil {
		return refuse(statusOf(err), "%s", http.StatusText(statusOf(err)))
	}
	if c.slash && !info.IsDir() {
		return refuse(http.StatusNotFound, "this is no folder")
	}
	return nil
}

// serveInner lets x/net/webdav do the work. Its answer is that of the call.
func (h *Handler) serveInner(c *call) {
	r := c.Request.Clone(c.Context())
	r.Header.Del("If")
	r.URL.Path = string(c.path)
	r.Body = io.NopCloser(bytes.NewReader(c.body))
	h.inner.ServeHTTP(&c.answer, r)
}

func (h *Handler) mkcol(c *call) error {
	if len(c.body) > 0 {
		return refuse(http.StatusUnsupportedMediaType, "MKCOL takes no body")
	}
	return h.claim(c, withParents(treelock.Write(c.path), c.path), func() error {
		info, err := h.find(c, c.path)
		if err != nil {
			return err
		}
		if info != nil {
			return refuse(http.StatusMethodNotAllowed, "the resource exists")
		}
		if err := h.parentIsFolder(c, c.path); err != nil {
			return err
		}
		return h.permitted(c, create(c.path, true), func() error {
			c.answer.status = http.StatusCreated
			return h.Files.Mkdir(c.Context(), string(c.path), 0o777)
		})
	})
}

func (h *Handler) proppatch(c *call) error {
	if err := xmlbody.Check(c.body); err != nil {
		return refuse(http.StatusBadRequest, "%v", err)
	}
	return h.claim(c, treelock.WriteNode(c.path), func() error {
		if err := h.exists(c); err != nil {
			return err
		}
		return h.permitted(c, []davlock.Claim{davlock.Change(c.path)}, func() error {
			h.serveInner(c)
			return nil
		})
	})
}
