package dav

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"

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
