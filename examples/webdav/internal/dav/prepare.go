package dav

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/webdav/internal/files"
	"github.com/treelock/treelock/examples/webdav/internal/ifheader"
	"github.com/treelock/treelock/examples/webdav/internal/xmlbody"
)

// Bounds of a path, so that a lineage and the names of files stay short.
const (
	longestPath = 4096
	deepestPath = 128
)

// bodyTime is how long a client may take for a body of XML, or between two parts of a file or of an
// answer.
const bodyTime = 30 * time.Second

type userKey struct{}

// WithUser returns a context for a request of an authenticated user.
func WithUser(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, userKey{}, name)
}

// prepare reads what is in the request but the content of a file, before anything is claimed.
func (h *Handler) prepare(c *call) (err error) {
	c.user, _ = c.Context().Value(userKey{}).(string)
	c.slash = strings.HasSuffix(c.URL.Path, "/")
	if c.path, err = parsePath(c.URL.Path); err != nil {
		return err
	}
	if err = c.cond.parse(c.Request); err != nil {
		return err
	}
	if c.Method == "PUT" {
		return nil
	}
	_ = c.control.SetReadDeadline(time.Now().Add(bodyTime)) // not all connections have deadlines
	c.body, err = io.ReadAll(io.LimitReader(c.Body, xmlbody.Longest+1))
	switch {
	case err != nil:
		return refuse(http.StatusBadRequest, "the body could not be read")
	case len(c.body) > xmlbody.Longest:
		return refuse(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", xmlbody.Longest)
	}
	// Not before: of a body that is not complete net/http reads a part before it answers.
	_ = c.control.SetReadDeadline(time.Time{})
	return nil
}

// parsePath returns the resource of a URL path.
func parsePath(p string) (Path, error) {
	if len(p) > longestPath || strings.Count(p, "/") > deepestPath {
		return "", refuse(http.StatusRequestURITooLong, "the path is too long, or too deep")
	}
	if !strings.HasPrefix(p, "/") || strings.ContainsAny(p, "\x00\\") {
		return "", refuse(http.StatusBadRequest, "the path is malformed")
	}
	for name := range strings.SplitSeq(p, "/") {
		if name == ".." || name == "." {
			return "", refuse(http.StatusBadRequest, "the path is malformed")
		}
	}
	if files.Hidden(p) {
		return "", refuse(http.StatusForbidden, "this name is the server's")
	}
	return treelock.CleanPath(p), nil
}

// destination returns the target of a COPY or MOVE.
func (c *call) destination() (Path, error) {
	u, err := url.Parse(c.Header.Get("Destination"))
	if err != nil || u.Path == "" {
		return "", refuse(http.StatusBadRequest, "no Destination, or a malformed one")
	}
	if u.Host != "" && u.Host != c.Host {
		return "", refuse(http.StatusBadGateway, "the Destination is on another server")
	}
	return parsePath(u.Path)
}

// href returns the URL path of a resource.
func href(p Path, folder bool) string {
	text := (&url.URL{Path: string(p)}).EscapedPath()
	if folder && p != "/" {
		text += "/"
	}
	return text
}

// statusOf returns the status for an error of the file system.
func statusOf(err error) int {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return http.StatusNotFound
	case errors.Is(err, fs.ErrPermission):
		return http.StatusForbidden
	case errors.Is(err, fs.ErrExist):
		return http.StatusMethodNotAllowed
	case errors.Is(err, syscall.ENOSPC):
		return http.StatusInsufficientStorage
	case errors.Is(err, syscall.ENAMETOOLONG):
		return http.StatusRequestURITooLong
	}
	return http.StatusInternalServerError
}

// conditions are the headers that a request depends on.
type conditions struct {
	ifHeader         ifheader.Header
	match, noneMatch string
	hasIf            bool
	tokens           []string
}

func (c *conditions) parse(r *http.Request) (err error) {
	c.match, c.noneMatch = r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	text := strings.Join(r.Header.Values("If"), " ")
	if text == "" {
		return nil
	}
	if c.ifHeader, err = ifheader.Parse(text); err != nil {
		return refuse(http.StatusBadRequest, "%v", err)
	}
	c.hasIf, c.tokens = true, c.ifHeader.Tokens()
	return nil
}

// check evaluates the conditions, while the method holds its claims.
func (h *Handler) check(c *call) error {
	if c.cond.hasIf && !c.cond.ifHeader.Holds(func(tag string, cond ifheader.Condition) bool { return h.matches(c, tag, cond) }) {
		return refuse(http.StatusPreconditionFailed, "the If header does not hold")
	}
	if c.Method == "GET" || c.Method == "HEAD" || c.cond.match == "" && c.cond.noneMatch == "" {
		return nil // http.ServeContent looks at the other headers
	}
	etag := h.etag(c, c.path)
	if c.cond.match != "" && (etag == "" || !listed(c.cond.match, etag)) ||
		c.cond.noneMatch != "" && etag != "" && listed(c.cond.noneMatch, etag) {
		return refuse(http.StatusPreconditionFailed, "If-Match or If-None-Match does not hold")
	}
	return nil
}

// tagged returns the resource of a list of the If header. It reports false if it is none of this
// server.
func (c *call) tagged(tag string) (Path, bool) {
	if tag == "" {
		return c.path, true
	}
	u, err := url.Parse(tag)
	if err != nil || u.Host != "" && u.Host != c.Host {
		return "", false
	}
	p, err := parsePath(u.Path)
	return p, err == nil
}

// matches reports whether a resource is in the state that a condition of the If header names.
func (h *Handler) matches(c *call, tag string, cond ifheader.Condition) bool {
	p, ok := c.tagged(tag)
	if !ok {
		return false
	}
	if cond.ETag != "" {
		return cond.ETag == h.etag(c, p)
	}
	locks, err := h.Locks.Covering(p)
	if err != nil {
		return false
	}
	for _, l := range locks {
		if l.Token == cond.Token {
			return true
		}
	}
	return false
}

// folderETag is in the place of the entity tag of a folder, which has none but exists.
const folderETag = "folder"

// etag returns the entity tag of a resource, "" if it does not exist.
func (h *Handler) etag(c *call, p Path) string {
	info, err := h.Files.Stat(c.Context(), string(p))
	if err != nil {
		return ""
	}
	if info.IsDir() {
		return folderETag
	}
	return files.ETag(info)
}

// listed reports whether a list of entity tags has one, or is "*".
func listed(list, etag string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item == "*" || item == etag {
			return true
		}
	}
	return false
}
