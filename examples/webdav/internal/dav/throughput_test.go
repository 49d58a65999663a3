package dav

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/webdav"
	"golang.org/x/sync/errgroup"

	"github.com/treelock/treelock/examples/webdav/internal/files"
)

// remote is a file system in which each call takes 20 ms, as with a remote store.
type remote struct{ *files.Dir }

const roundTrip = 20 * time.Millisecond

func (r remote) Stat(ctx context.Context, name string) (os.FileInfo, error) {
	time.Sleep(roundTrip)
	return r.Dir.Stat(ctx, name)
}

func (r remote) OpenFile(ctx context.Context, name string, flag int, perm os.FileMode) (webdav.File, error) {
	time.Sleep(roundTrip)
	return r.Dir.OpenFile(ctx, name, flag, perm)
}

func (r remote) RemoveAll(ctx context.Context, name string) error {
	time.Sleep(roundTrip)
	return r.Dir.RemoveAll(ctx, name)
}

func (r remote) Rename(ctx context.Context, from, to string) error {
	time.Sleep(roundTrip)
	return r.Dir.Rename(ctx, from, to)
}

// bigLock puts one RWMutex around a handler.
func bigLock(h http.Handler) http.Handler {
	var big sync.RWMutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "GET" {
			big.RLock()
			defer big.RUnlock()
		} else {
			big.Lock()
			defer big.Unlock()
		}
		h.ServeHTTP(w, r)
	})
}

// work lets 32 clients write, move and read files, each in its own folder, and counts their
// requests.
func work(t *testing.T, dir *files.Dir, h http.Handler) int64 {
	var done atomic.Int64
	const clients = 32
	for i := range clients {
		if err := dir.Mkdir(t.Context(), fmt.Sprintf("/%d", i), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), served)
	defer cancel()
	send := func(method, target, destination string) error {
		r := httptest.NewRequest(method, target, strings.NewReader("content"))
		r.ContentLength = -1
		if method != "PUT" {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("")), 0
		}
		r.Header.Set("Destination", destination)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code >= 300 {
			return fmt.Errorf("%s %s: %d", method, target, w.Code)
		}
		if ctx.Err() == nil {
			done.Add(1)
		}
		return nil
	}
	var group errgroup.Group
	for i := range clients {
		group.Go(func() (err error) {
			folder := fmt.Sprintf("/%d", i)
			for err == nil && ctx.Err() == nil {
				for _, step := range [][3]string{{"PUT", "/f", ""}, {"MOVE", "/f", "/g"}, {"GET", "/g", ""}, {"DELETE", "/g", ""}} {
					if err = send(step[0], folder+step[1], folder+step[2]); err != nil {
						break
					}
				}
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return done.Load()
}

func TestWorkInDifferentFoldersRunsAtOnce(t *testing.T) {
	dir, err := files.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	big := work(t, dir, bigLock(&webdav.Handler{FileSystem: remote{dir}, LockSystem: webdav.NewMemLS()}))
	h := newHandler(t, func(d *files.Dir) files.System { return remote{d} })
	ours := work(t, h.Files.(remote).Dir, h)
	t.Logf("requests in %v: %d with one RWMutex, %d with the lock, %.1f times as many", served, big, ours, float64(ours)/float64(big))
	if ours < 5*big {
		t.Errorf("%d requests, less than five times %d", ours, big)
	}
}
