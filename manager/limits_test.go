package manager_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// TestRealNamesFit: the longest key of an object store, and the longest path of Linux.
func TestRealNamesFit(t *testing.T) {
	m := manager.Start(t.Context())
	key := treelock.PathOf(strings.Split(strings.Repeat("/", 1024), "/")...)
	for _, p := range []path{key, path(strings.Repeat("/n", 4095/2)), path("/" + strings.Repeat("n", 4094))} {
		grant, err := m.TryAcquire(treelock.Write(p))
		if err != nil {
			t.Errorf("TryAcquire(%.20s..., %d bytes) = %v, want a grant", p, len(p), err)
		}
		grant.Release()
	}
}

func TestLongPathIsRefused(t *testing.T) {
	for limit, m := range map[int]*manager.Manager[path]{
		100: manager.Start(t.Context(), manager.WithMaxPath(100)), 64 << 10: manager.Start(t.Context(), manager.WithMaxPath(0)),
	} {
		fits, long := path("/"+strings.Repeat("x", limit-1)), path("/"+strings.Repeat("x", limit))
		grant, err := m.TryAcquire(treelock.Write(fits))
		if err != nil {
			t.Errorf("limit %d: TryAcquire(as long as that) = %v, want a grant", limit, err)
		}
		_, err = m.Acquire(t.Context(), treelock.Write("/a", long))
		if !errors.Is(err, treelock.ErrTooLong) || len(err.Error()) > 500 || !strings.Contains(err.Error(), fmt.Sprint(limit+1)) {
			t.Errorf("limit %d: Acquire(longer) = %.600v, want ErrTooLong, and the length", limit, err)
		}
		if err := grant.Narrow(treelock.Write(long)); !errors.Is(err, treelock.ErrTooLong) {
			t.Errorf("limit %d: Narrow(longer) = %.600v, want ErrTooLong", limit, err)
		}
		if _, err := m.Snapshot(t.Context(), manager.Query[path]{Below: []path{long}}); !errors.Is(err, treelock.ErrTooLong) {
			t.Errorf("limit %d: Snapshot(below longer) = %.600v, want ErrTooLong", limit, err)
		}
	}
}

func TestWideRequestIsRefused(t *testing.T) {
	m, wide := manager.Start(t.Context(), manager.WithMaxClaims(3)), treelock.Write("/a", "/b", "/c", "/d")
	grant, err := m.Acquire(t.Context(), treelock.Write("/a", "/b", "/c"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Acquire(t.Context(), wide)
	_, errTry := m.TryAcquire(wide)
	_, errSubmit := m.Submit(t.Context(), wide)
	for verb, err := range map[string]error{"Acquire": err, "TryAcquire": errTry, "Submit": errSubmit, "Narrow": grant.Narrow(wide)} {
		if !errors.Is(err, treelock.ErrTooWide) || !strings.Contains(err.Error(), "4") {
			t.Errorf("%s(4 claims) = %v, want ErrTooWide, and how many", verb, err)
		}
	}
	paths := make([]path, 65_537)
	for i := range paths {
		paths[i] = "/a"
	}
	m = manager.Start(t.Context(), manager.WithMaxClaims(-1))
	if _, err := m.TryAcquire(treelock.Read(paths...)); !errors.Is(err, treelock.ErrTooWide) {
		t.Errorf("TryAcquire(65,537 claims) = %v, want ErrTooWide", err)
	}
	if _, err := m.TryAcquire(treelock.Read(paths[1:]...)); err != nil {
		t.Errorf("TryAcquire(65,536 claims) = %v, want a grant", err)
	}
}

func TestNilOptionIsNamed(t *testing.T) {
	defer func() {
		if got := fmt.Sprint(recover()); got != "treelock: option 2 of 2 is nil" {
			t.Errorf("Start(option, nil) has panicked with %q", got)
		}
	}()
	manager.Start(t.Context(), manager.WithMaxWaiting(1), nil)
}

// TestNoGrantUnderAContextThatHadEnded: it came in 4 of 60,000 tries. (TestGrantThatComesWithTheEndIsGivenBack decides the race.)
func TestNoGrantUnderAContextThatHadEnded(t *testing.T) {
	m := manager.Start(t.Context())
	for range 5000 {
		holder := must(m.Acquire(t.Context(), treelock.Write("/a")))
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for m.Stats().Waiting == 0 {
			}
			cancel()
			holder.Release()
		}()
		if grant, err := m.Acquire(ctx, treelock.Write("/a")); err == nil {
			grant.Release()
			t.Fatal("Acquire() has granted what its context had ended before")
		}
	}
}
