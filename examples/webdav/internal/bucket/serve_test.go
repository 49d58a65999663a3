package bucket

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"gocloud.dev/blob"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/webdav/internal/buckettest"
	"github.com/treelock/treelock/examples/webdav/internal/dav"
	"github.com/treelock/treelock/examples/webdav/internal/davlock"
	"github.com/treelock/treelock/examples/webdav/internal/workload"
	"github.com/treelock/treelock/manager"
)

// A rig is a server over a store that fails.
type rig struct {
	system
	objects *blob.Bucket
	handler http.Handler
	locks   *manager.Manager[treelock.Path]
	flaky   *flakyStore
	mu      sync.Mutex
	left    int // calls until it fails; it does not below 0
	outage  int // how many calls fail then
	failed  bool
	calls   int
}

func newRig(t *testing.T) *rig {
	objects, _ := inMemory(t)
	r := &rig{objects: objects, left: -1, outage: 1}
	r.flaky = &flakyStore{store: objects, before: r.before}
	b := &Bucket{r.flaky}
	r.system = system{t, b}
	r.handler, r.locks = serve(t, b)
	return r
}

// serve returns a server of a bucket, and its lock manager.
func serve(t *testing.T, b *Bucket) (http.Handler, *manager.Manager[treelock.Path]) {
	ctx, stop := context.WithCancel(context.Background())
	m := manager.Start(ctx)
	t.Cleanup(func() { stop(); <-m.Done() })
	return dav.New(dav.Config{
		Files: b, Locker: m, Locks: davlock.Start(ctx, m, davlock.Limits{}, nil), Logger: slog.New(slog.DiscardHandler),
	}), m
}

func (r *rig) before(string, string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if r.left < 0 {
		return nil
	}
	if r.left > 0 {
		r.left--
		return nil
	}
	if r.outage--; r.outage == 0 {
		r.left = -1
	}
	r.failed = true
	return errStore
}

// do sends a request while the store fails at the n-th call, and returns the answer.
func (r *rig) do(n int, method, from, to string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, from, nil)
	req.Header.Set("Destination", to)
	req.Header.Set("Depth", "infinity")
	if method == "PROPFIND" {
		req.Header.Set("Depth", "1")
	}
	r.left = n
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	r.left = -1
	return w
}

// tree makes a folder with three files of a content and properties.
func (r *rig) tree(name, content string) {
	r.mkdir(name, name+"/sub")
	for _, file := range []string{"/f", "/g", "/sub/h"} {
		r.write(name+file, content)
		r.set(name+file, content)
	}
	r.set(name, content)
}

// isTree fails unless there is such a tree.
func (r *rig) isTree(name, content string) {
	r.Helper()
	r.has(name, "f", "g", "sub/")
	r.has(name+"/sub", "h")
	for _, file := range []string{"/f", "/g", "/sub/h"} {
		r.holds(name+file, content)
		r.isSet(name+file, content)
	}
}

// No method sees the half of another, over a bucket as over a directory.
func TestNoMethodOverABucketSeesTheHalfOfAnother(t *testing.T) {
	for name, start := range map[string]func(*testing.T) string{
		"memory": func(*testing.T) string { return buckettest.Memory },
		"S3":     func(t *testing.T) string { return buckettest.S3(t, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			handler, _ := serve(t, opened(t, start(t)))
			server := httptest.NewServer(handler)
			defer server.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			n, err := workload.Generations(ctx, server.URL)
			if err != nil {
				t.Fatal(err)
			}
			t.Log(n)
			if n.Faults() != 0 || !n.Each() {
				t.Error("some failed, or nothing happened")
			}
		})
	}
}

// A PROPFIND of a folder takes some calls of the store, not some for each member, and tells the
// same of each as a PROPFIND of it.
func TestPropfindOfAFolderTakesFewCalls(t *testing.T) {
	r := newRig(t)
	r.tree("/a", "x")
	for i := range 100 {
		r.write(fmt.Sprintf("/a/%d", i), "y")
	}
	r.calls = 0
	all := r.do(-1, "PROPFIND", "/a", "").Body.String()
	if r.calls > 20 {
		t.Errorf("%d calls for 104 members", r.calls)
	}
	for _, name := range []string{"/a/f", "/a/7"} {
		one := r.do(-1, "PROPFIND", name, "").Body.String()
		if _, one, _ = strings.Cut(one, "<D:response>"); len(one) < 100 || !strings.Contains(all, strings.TrimSuffix(strings.TrimSpace(one), "</D:multistatus>")) {
			t.Errorf("not in the answer for the folder: %s", one)
		}
	}
}

// A GET asks the store for the content while it claims the file, though it is sent later.
func TestGetOpensItsFileWhileItClaimsIt(t *testing.T) {
	r := newRig(t)
	r.write("/f", "x")
	opened := 0
	r.flaky.before = func(op, key string) error {
		if op != "open" {
			return nil
		}
		opened++
		s, err := r.locks.Snapshot(t.Context(), manager.Query[treelock.Path]{})
		if err != nil || len(s.Holders) != 1 {
			t.Errorf("%s is opened with %v held, %v", key, s.Holders, err)
		}
		return nil
	}
	if w := r.do(-1, "GET", "/f", ""); w.Body.String() != "x" || opened != 1 {
		t.Errorf("GET = %d %q, with %d calls", w.Code, w.Body, opened)
	}
	if r.do(-1, "PROPFIND", "/f", ""); opened != 1 {
		t.Error("PROPFIND opens the file")
	}
}
