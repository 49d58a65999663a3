package dav

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/webdav"
	"golang.org/x/sync/errgroup"

	"github.com/treelock/treelock/examples/webdav/internal/davlock"
	"github.com/treelock/treelock/examples/webdav/internal/files"
	"github.com/treelock/treelock/manager"
)

// served is how long the clients of a comparison work at each server.
const served = time.Second

// A client sends requests to a handler over the loopback network.
type client struct {
	url  string
	http *http.Client
}

func (c client) do(method, target, destination, body string) (status int, answer string, err error) {
	r, err := http.NewRequest(method, c.url+target, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Overwrite", "T")
	if destination != "" {
		r.Header.Set("Destination", c.url+destination)
	}
	w, err := c.http.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	return w.StatusCode, string(text), err
}

// Counts are what the clients saw.
type counts struct {
	moves, failed, copies, mixed, reads, missing atomic.Int64
}

func (c *counts) String() string {
	return fmt.Sprintf("%d of %d moves failed, %d of %d copies mixed two generations, %d of %d reads found nothing",
		c.failed.Load(), c.moves.Load(), c.mixed.Load(), c.copies.Load(), c.missing.Load(), c.reads.Load())
}

// generations is how many files a generation has.
const generationFiles = 8

// replace builds folders of one generation each and moves them to /live, in turn.
func (c client) replace(ctx context.Context, name string, n *counts) error {
	for i := 0; ctx.Err() == nil; i++ {
		stage := "/stage-" + name
		if err := c.build(stage, fmt.Sprintf("%s-%d", name, i)); err != nil {
			return err
		}
		status, _, err := c.do("MOVE", stage, "/live", "")
		if err != nil {
			return err
		}
		if n.moves.Add(1); status >= 300 {
			n.failed.Add(1)
			if _, _, err := c.do("DELETE", stage, "", ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// build makes a folder in which all files have one content.
func (c client) build(folder, content string) error {
	if status, _, err := c.do("MKCOL", folder, "", ""); err != nil || status != 201 {
		return fmt.Errorf("MKCOL %s: %d, %w", folder, status, err)
	}
	for i := range generationFiles {
		if status, _, err := c.do("PUT", fmt.Sprintf("%s/%d", folder, i), "", content); err != nil || status != 201 {
			return fmt.Errorf("PUT %s/%d: %d, %w", folder, i, status, err)
		}
	}
	return nil
}

// copyLive copies /live, and looks whether the copy is one generation. A copy that fails counts for
// nothing.
func (c client) copyLive(ctx context.Context, name string, n *counts) error {
	for ctx.Err() == nil {
		status, _, err := c.do("COPY", "/live", "/copy-"+name, "")
		if err != nil {
			return err
		}
		if status >= 300 {
			continue
		}
		n.copies.Add(1)
		seen := map[string]bool{}
		for i := range generationFiles {
			status, text, err := c.do("GET", fmt.Sprintf("/copy-%s/%d", name, i), "", "")
			if err != nil {
				return err
			}
			seen[fmt.Sprint(status, text)] = true
		}
		if len(seen) != 1 {
			n.mixed.Add(1)
		}
	}
	return nil
}

// read gets files below /live.
func (c client) read(ctx context.Context, n *counts) error {
	for i := 0; ctx.Err() == nil; i++ {
		status, _, err := c.do("GET", fmt.Sprintf("/live/%d", i%generationFiles), "", "")
		if err != nil {
			return err
		}
		if n.reads.Add(1); status != 200 {
			n.missing.Add(1)
		}
	}
	return nil
}

// generations lets two clients replace a folder, four copy it and four read below it.
func generations(t *testing.T, h http.Handler) *counts {
	server := httptest.NewServer(h)
	defer server.Close()
	c := client{server.URL, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	defer c.http.CloseIdleConnections()
	if err := c.build("/live", "first"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), served)
	defer cancel()
	var n counts
	var group errgroup.Group
	for i := range 2 {
		group.Go(func() error { return c.replace(ctx, fmt.Sprint(i), &n) })
	}
	for i := range 4 {
		group.Go(func() error { return c.copyLive(ctx, fmt.Sprint(i), &n) })
		group.Go(func() error { return c.read(ctx, &n) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return &n
}

// newHandler serves a temporary directory.
func newHandler(t testing.TB, wrap func(*files.Dir) FileSystem) *Handler {
	dir, err := files.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	m := manager.Start(t.Context())
	return New(Config{Files: wrap(dir), Locker: m, Locks: davlock.Start(t.Context(), m, davlock.Limits{}, nil), Logger: slog.New(slog.DiscardHandler)})
}

func TestNoMethodSeesTheHalfOfAnother(t *testing.T) {
	plain := generations(t, &webdav.Handler{FileSystem: webdav.Dir(t.TempDir()), LockSystem: webdav.NewMemLS()})
	t.Logf("golang.org/x/net/webdav: %v", plain)
	ours := generations(t, newHandler(t, func(d *files.Dir) FileSystem { return d }))
	t.Logf("with the lock:           %v", ours)
	if ours.failed.Load()+ours.mixed.Load()+ours.missing.Load() != 0 {
		t.Errorf("with the lock: %v", ours)
	}
	if ours.moves.Load() == 0 || ours.copies.Load() == 0 || ours.reads.Load() == 0 {
		t.Errorf("too little happened to show anything: %v", ours)
	}
	if plain.failed.Load()+plain.mixed.Load()+plain.missing.Load() == 0 {
		t.Errorf("the clients find nothing at a server without the lock: %v", plain)
	}
}
