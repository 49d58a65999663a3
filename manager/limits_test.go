package manager_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// TestRealNamesFit has the longest key of an object store, and the longest path of Linux.
func TestRealNamesFit(t *testing.T) {
	m := manager.Start(t.Context())
	key := treelock.PathOf(strings.Split(strings.Repeat("/", 1024), "/")...)
	for _, p := range []path{key, path(strings.Repeat("/n", 4095/2)), path("/" + strings.Repeat("n", 4094))} {
		grant, err := m.TryAcquire(t.Context(), treelock.Write(p))
		if err != nil {
			t.Errorf("TryAcquire(%.20s..., %d bytes) = %v, want a grant", p, len(p), err)
		}
		grant.Release()
	}
}

func TestLongPathIsRefused(t *testing.T) {
	m := manager.Start(t.Context(), manager.WithMaxPath(100))
	long := path("/" + strings.Repeat("x", 100))
	grant, err := m.TryAcquire(t.Context(), treelock.Write(long[:100]))
	if err != nil {
		t.Fatalf("TryAcquire(100 bytes) = %v, want a grant", err)
	}
	_, errAcquire := m.Acquire(t.Context(), treelock.Write("/a", long))
	_, errSnapshot := m.Snapshot(t.Context(), manager.Query[path]{Below: []path{long}})
	for verb, err := range map[string]error{
		"Acquire": errAcquire, "Snapshot": errSnapshot, "Narrow": grant.Narrow(treelock.Write(long)),
	} {
		if !errors.Is(err, treelock.ErrTooLong) || len(err.Error()) > 500 || !strings.Contains(err.Error(), "101") {
			t.Errorf("%s(101 bytes) = %.600v, want a short ErrTooLong with the length", verb, err)
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
	_, errTry := m.TryAcquire(t.Context(), wide)
	_, errSubmit := m.Submit(t.Context(), wide)
	for verb, err := range map[string]error{"Acquire": err, "TryAcquire": errTry, "Submit": errSubmit, "Narrow": grant.Narrow(wide)} {
		if !errors.Is(err, treelock.ErrTooWide) || !strings.Contains(err.Error(), "4") {
			t.Errorf("%s(4 claims) = %v, want ErrTooWide, and how many", verb, err)
		}
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

// TestNoGrantUnderAContextThatHadEnded repeats a race that 4 of 60,000 tries once lost.
// TestGrantThatMeetsTheEndOfItsContextIsNotTaken decides it.
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

// TestDefaultsAreThoseOfTheirDocs checks the limits without an option, and with zero and negative
// values.
func TestDefaultsAreThoseOfTheirDocs(t *testing.T) {
	for name, opts := range map[string][]manager.Option{
		"none": nil,
		"zero": {
			manager.WithMaxDepth(0), manager.WithMaxPath(0), manager.WithMaxClaims(0), manager.WithClients(0),
			manager.WithFirstToken(0),
		},
		"negative": {
			manager.WithMaxDepth(-1), manager.WithMaxPath(-1), manager.WithMaxClaims(-1), manager.WithClients(-1),
			manager.WithIdleNodes(-1), manager.WithBlockers(-1), manager.WithMaxWaiting(-1),
		},
	} {
		m := manager.Start(t.Context(), opts...)
		fits := []treelock.Request[path]{
			treelock.Read(path(strings.Repeat("/d", 4095))), treelock.Read(path("/" + strings.Repeat("x", 65_535))),
			treelock.Read(slices.Repeat([]path{"/a"}, 65_536)...),
		}
		for i, req := range fits {
			if _, err := m.TryAcquire(t.Context(), req); err != nil {
				t.Errorf("options: %s: request %d = %.300v, want a grant", name, i, err)
			}
		}
		for _, test := range []struct {
			req  treelock.Request[path]
			want error
		}{
			{treelock.Read(path(strings.Repeat("/d", 4096))), treelock.ErrTooDeep},
			{treelock.Read(path("/" + strings.Repeat("x", 65_536))), treelock.ErrTooLong},
			{treelock.Read(slices.Repeat([]path{"/a"}, 65_537)...), treelock.ErrTooWide},
		} {
			if _, err := m.TryAcquire(t.Context(), test.req); !errors.Is(err, test.want) {
				t.Errorf("options: %s: TryAcquire() = %.300v, want %v", name, err, test.want)
			}
		}
		if token := must(m.TryAcquire(t.Context(), treelock.Write("/first"))).Token(); token != uint64(len(fits))+1 {
			t.Errorf("options: %s: the token is %d, want tokens from 1 on", name, token)
		}
		must(m.Submit(t.Context(), treelock.Write("/first"))) // there is no limit on waiting requests
	}
}

// TestSmallestLimits includes the root alone, which has a lineage of one.
func TestSmallestLimits(t *testing.T) {
	m := manager.Start(t.Context(), manager.WithMaxDepth(1), manager.WithMaxPath(1), manager.WithMaxClaims(1))
	must(m.TryAcquire(t.Context(), treelock.Write("/"))).Release()
	for _, p := range []path{"/a", "/a/b"} {
		if _, err := m.TryAcquire(t.Context(), treelock.Write(p)); !errors.Is(err, treelock.ErrTooLong) {
			t.Errorf("TryAcquire(%s) = %v, want ErrTooLong", p, err)
		}
	}
	m = manager.Start(t.Context(), manager.WithMaxDepth(2))
	must(m.TryAcquire(t.Context(), treelock.Write("/", "/a"))).Release()
	if _, err := m.TryAcquire(t.Context(), treelock.Write("/a/b")); !errors.Is(err, treelock.ErrTooDeep) {
		t.Errorf("TryAcquire(/a/b) = %v, want ErrTooDeep", err)
	}
}

// TestErrorsAreBounded has a request of many claims, and a large cause.
func TestErrorsAreBounded(t *testing.T) {
	m := manager.Start(t.Context())
	paths := []path{"/a"}
	for i := range 1000 {
		paths = append(paths, path(fmt.Sprint("/a/", i)))
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New(strings.Repeat("cause ", 100_000)))
	_, ended := m.Acquire(ctx, treelock.Write(paths...))
	must(m.TryAcquire(t.Context(), treelock.Write("/a")))
	_, conflict := m.TryAcquire(t.Context(), treelock.Write(paths...))
	for _, err := range []error{ended, conflict} {
		if text := err.Error(); len(text) > 2000 || !strings.Contains(text, "99") {
			t.Errorf("an error of %d bytes: %.600s, want at most 2,000, and how many claims there are", len(text), text)
		}
	}
}

// TestNoErrorNamesMoreThan64Blockers has blockers at two nodes.
func TestNoErrorNamesMoreThan64Blockers(t *testing.T) {
	m := manager.Start(t.Context(), manager.WithBlockers(1000))
	for range 50 {
		must(m.TryAcquire(t.Context(), treelock.Read("/a")))
		must(m.TryAcquire(t.Context(), treelock.Read("/b")))
	}
	_, err := m.TryAcquire(t.Context(), treelock.Write("/a", "/b"))
	if got := blockedBy(t, err); len(got.Blockers) != 64 || got.More != 36 {
		t.Errorf("%d blockers are named, %d more, want 64 and 36", len(got.Blockers), got.More)
	}
}

func TestAnyNumberOfIdleNodesMayBeRemembered(t *testing.T) {
	long := path("/" + strings.Repeat("x", 1000))
	for _, n := range []int{0, 1, math.MaxInt / 256, math.MaxInt/256 + 1, math.MaxInt} {
		ctx, stop := context.WithCancel(t.Context())
		m := manager.Start(ctx, manager.WithIdleNodes(n))
		for range 2 {
			must(m.TryAcquire(t.Context(), treelock.Write(long))).Release()
		}
		if got := m.Stats().Nodes; n > 1 && got != 2 {
			t.Errorf("WithIdleNodes(%d): %d nodes are remembered, want 2", n, got)
		}
		stop()
		<-m.Done()
	}
}
