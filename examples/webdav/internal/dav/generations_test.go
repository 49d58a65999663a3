package dav

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/treelock/treelock/examples/webdav/internal/davlock"
	"github.com/treelock/treelock/examples/webdav/internal/files"
	"github.com/treelock/treelock/examples/webdav/internal/workload"
	"github.com/treelock/treelock/manager"
)

// served is how long the clients of a comparison work at each server.
const served = time.Second

// generations runs the workload at a server that start makes, and on a slow machine again, each
// time at a new one, until the counts show enough.
func generations(t *testing.T, start func() http.Handler, enough func(*workload.Counts) bool) (n *workload.Counts) {
	for range 10 {
		server := httptest.NewServer(start())
		ctx, cancel := context.WithTimeout(t.Context(), served)
		var err error
		n, err = workload.Generations(ctx, server.URL)
		cancel()
		server.Close()
		if err != nil {
			t.Fatal(err)
		}
		if enough(n) {
			break
		}
	}
	return n
}

// newHandler serves a temporary directory.
func newHandler(t testing.TB, wrap func(*files.Dir) files.System) *Handler {
	dir, err := files.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	m := manager.Start(t.Context())
	return New(Config{Files: wrap(dir), Locker: m, Locks: davlock.Start(t.Context(), m, davlock.Limits{}, nil), Logger: slog.New(slog.DiscardHandler)})
}

func TestNoMethodSeesTheHalfOfAnother(t *testing.T) {
	plain := generations(t, func() http.Handler {
		return &webdav.Handler{FileSystem: webdav.Dir(t.TempDir()), LockSystem: webdav.NewMemLS()}
	}, func(n *workload.Counts) bool { return n.Faults() > 0 })
	t.Logf("golang.org/x/net/webdav: %v", plain)
	ours := generations(t, func() http.Handler {
		return newHandler(t, func(d *files.Dir) files.System { return d })
	}, func(n *workload.Counts) bool { return n.Faults() > 0 || n.Each() })
	t.Logf("with the lock:           %v", ours)
	if ours.Faults() != 0 {
		t.Errorf("with the lock: %v", ours)
	}
	if !ours.Each() {
		t.Errorf("too little happened to show anything: %v", ours)
	}
	if plain.Faults() == 0 {
		t.Errorf("the clients find nothing at a server without the lock: %v", plain)
	}
}
