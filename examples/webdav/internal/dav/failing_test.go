package dav

import (
	"context"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/webdav/internal/davlock"
	"github.com/treelock/treelock/examples/webdav/internal/files"
)

// A failing file system fails where fail says so, and counts its Stats.
type failing struct {
	files.System
	fail  func(op, name string) error
	stats atomic.Int64
}

func (f *failing) Stat(ctx context.Context, name string) (os.FileInfo, error) {
	f.stats.Add(1)
	if err := f.fail("stat", name); err != nil {
		return nil, err
	}
	return f.System.Stat(ctx, name)
}

func (f *failing) Rename(ctx context.Context, from, to string) error {
	if err := f.fail("rename", from); err != nil {
		return err
	}
	return f.System.Rename(ctx, from, to)
}

func (f *failing) RemoveAll(ctx context.Context, name string) error {
	if err := f.fail("remove", name); err != nil {
		return err
	}
	return f.System.RemoveAll(ctx, name)
}

func (f *failing) OpenFile(ctx context.Context, name string, flag int, perm os.FileMode) (webdav.File, error) {
	if flag&os.O_CREATE != 0 {
		if err := f.fail("create", name); err != nil {
			return nil, err
		}
	}
	return f.System.OpenFile(ctx, name, flag, perm)
}

// fail makes the file system of the rig fail. What it logs is not wanted.
func (r *rig) fail(f func(op, name string) error) *failing {
	failing := &failing{System: r.handler.Files, fail: f}
	c := r.handler.Config
	c.Files = failing
	r.handler = New(c)
	return failing
}

const ioError = syscall.EIO

// What cannot be looked at may exist: it is not overwritten, and not made anew.
func TestWhatCannotBeKnownIsNotMissing(t *testing.T) {
	for _, test := range [][]string{
		{"PUT /a/f", "=new"}, {"MKCOL /a/f"}, {"LOCK /a/f", lockBody("exclusive")}, {"DELETE /a/f"},
		{"COPY /b/g", "Destination: /a/f"}, {"MOVE /b/g", "Destination: /a/f"},
	} {
		r := newRig(t, davlock.Limits{})
		r.do(201, "PUT /b/g", "=other")
		failing := r.fail(func(op, name string) error {
			if op == "stat" && name == "/a/f" {
				return ioError
			}
			return nil
		})
		r.do(500, test[0], test[1:]...)
		failing.fail = func(string, string) error { return nil }
		r.holds("/a/f", "old")
		r.holds("/b/g", "other")
		r.idle(0)
	}
}

// A COPY or MOVE that fails leaves the destination, with its properties, as it was.
func TestTransferThatFailsChangesNothing(t *testing.T) {
	const set = `=<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="u:">kept</x></D:prop></D:set></D:propertyupdate>`
	const get = `=<D:propfind xmlns:D="DAV:"><D:prop><x xmlns="u:"/></D:prop></D:propfind>`
	// x/net/webdav answers 403 to all errors of a COPY.
	for method, status := range map[string]int{"COPY": 403, "MOVE": 500} {
		r := newRig(t, davlock.Limits{})
		r.do(201, "PUT /a/g", "=second")
		r.do(201, "PUT /b/f", "=kept")
		r.do(207, "PROPPATCH /b", set)
		token := r.lock("/b/f", "exclusive", "0")
		r.fail(func(op, name string) error {
			if op == "rename" || op == "create" && strings.HasSuffix(name, "/g") {
				return ioError // of a COPY, when one file is there
			}
			return nil
		})
		for _, to := range []string{"/b", "/new"} {
			req := []string{"Destination: " + to, "If: <http://example.com/b/f> (" + token + ") (Not " + token + ")"}
			r.do(status, method+" /a", req...)
		}
		r.holds("/b/f", "kept")
		r.says(r.do(207, "PROPFIND /b", "Depth: 0", get), "kept")
		r.do(404, "GET /b/g")
		r.do(404, "GET /new/")
		r.holds("/a/f", "old")
		r.holds("/a/g", "second")
		r.idle(1)
	}
}

// A DELETE that fails in the middle names what stays, and ends the locks of what has gone.
func TestDeleteThatFailsNamesWhatStays(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	r.do(201, "PUT /a/g", "=stays")
	gone, stays := r.lock("/a/f", "exclusive", "0"), r.lock("/a/g", "exclusive", "0")
	inner := r.handler.Files
	r.fail(func(op, name string) error {
		if op != "remove" {
			return nil
		}
		if err := inner.RemoveAll(t.Context(), "/a/f"); err != nil {
			t.Error(err)
		}
		return &fs.PathError{Op: "remove", Path: "a/g", Err: fs.ErrPermission}
	})
	w := r.do(207, "DELETE /a", "If: <http://example.com/a/f> ("+gone+") <http://example.com/a/g> ("+stays+")")
	r.says(w, "<D:href>/a/g</D:href><D:status>HTTP/1.1 403")
	r.idle(1)
	r.do(409, "UNLOCK /a/f", "Lock-Token: "+gone)
	r.do(204, "UNLOCK /a/g", "Lock-Token: "+stays)
}

// Who asks for other properties does not pay for locks, and an answer is bounded.
func TestLocksMakeNoAnswerLarge(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	failing := r.fail(func(string, string) error { return nil })
	owner := strings.Replace(lockBody("shared"), "http://me/", strings.Repeat("x", 4000), 1)
	for range 1000 {
		r.do(200, "LOCK /", owner)
	}
	for _, name := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"} {
		if err := r.handler.Files.Mkdir(t.Context(), "/"+name, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	failing.stats.Store(0)
	w := r.do(207, "PROPFIND /", "Depth: 1", `=<D:propfind xmlns:D="DAV:"><D:prop><D:displayname/></D:prop></D:propfind>`)
	if w.Body.Len() > 10_000 || failing.stats.Load() > 5 {
		t.Errorf("a PROPFIND of names: %d bytes, %d looks at files", w.Body.Len(), failing.stats.Load())
	}
	failing.stats.Store(0)
	r.do(207, "PROPFIND /", "Depth: 0")
	if n := failing.stats.Load(); n > 10 {
		t.Errorf("%d looks at files for the locks of one", n)
	}
	r.do(507, "PROPFIND /", "Depth: 1")
}

// The state of a resource that the If header names stays while the method runs.
func TestTaggedResourceIsClaimed(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	r.handler.Patient = 50 * time.Millisecond
	method, err := r.locks.Acquire(t.Context(), davlock.Run(treelock.Write("/b")))
	if err != nil {
		t.Fatal(err)
	}
	r.do(503, "PUT /a/f", "=x", "If: <http://example.com/b/g> (Not <urn:x>)")
	method.Release()
	r.do(204, "PUT /a/f", "=x", "If: <http://example.com/b/g> (Not <urn:x>)")
	r.idle(0)
}

// A store that does not answer holds a method up for a bounded time.
func TestSilentStoreHoldsNothing(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	c := r.handler.Config
	c.Patient = 50 * time.Millisecond
	c.Locks = davlock.Start(t.Context(), r.locks, davlock.Limits{}, silentStore{})
	r.handler = New(c)
	w := r.do(http.StatusServiceUnavailable, "PUT /a/f", "=x")
	if w.Header().Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	r.idle(0)
	r.holds("/a/f", "old")
}

// A silentStore never answers.
type silentStore struct{ davlock.Store }

func (silentStore) Records(ctx context.Context) ([]davlock.Record, int64, error) {
	<-ctx.Done()
	return nil, 0, ctx.Err()
}

func (silentStore) Changed() <-chan struct{} { return nil }
