package manager_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

type (
	blockedError = treelock.BlockedError[path]
	blocker      = treelock.Blocker[path]
)

// blockedBy returns the BlockedError in err.
func blockedBy(t *testing.T, err error) *blockedError {
	t.Helper()
	var blocked *blockedError
	if !errors.As(err, &blocked) {
		t.Fatalf("%v is no BlockedError", err)
	}
	return blocked
}

func claim(req treelock.Request[path]) treelock.Claim[path] { return req.Claim(0) }

// TestTryAcquireNamesItsBlockers has a copy that has held for three seconds, and a rename that has
// waited for two.
func TestTryAcquireNamesItsBlockers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context())
		must(m.Acquire(t.Context(), treelock.Read("/photos").Write("/backup").Labeled("copy 1")))
		time.Sleep(time.Second)
		must(m.Submit(t.Context(), treelock.Write("/photos/2024", "/photos/2025").Labeled("rename 2")))
		time.Sleep(2 * time.Second)

		_, err := m.TryAcquire(t.Context(), treelock.Write("/photos/2025/cat.jpg").Labeled("put 3"))
		want := blockedError{
			Op: "try to acquire", Label: "put 3", Claims: []treelock.Claim[path]{claim(treelock.Write("/photos/2025/cat.jpg"))},
			Blockers: []blocker{
				{Number: 1, Label: "copy 1", State: treelock.Holding, For: 3 * time.Second, Claim: claim(treelock.Read("/photos")), Wanted: claim(treelock.Write("/photos/2025/cat.jpg"))},
				{Number: 2, Label: "rename 2", State: treelock.Waiting, For: 2 * time.Second, Claim: claim(treelock.Write("/photos/2025")), Wanted: claim(treelock.Write("/photos/2025/cat.jpg"))},
			},
			Err: treelock.ErrConflict,
		}
		if diff := cmp.Diff(want, *blockedBy(t, err), cmpopts.EquateErrors()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// TestBlockersBelowAreFound requests a whole folder while files in it are in use.
func TestBlockersBelowAreFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context())
		must(m.TryAcquire(t.Context(), treelock.Read("/other").Labeled("elsewhere")))
		must(m.TryAcquire(t.Context(), treelock.Read("/a/b/c").Labeled("reader")))
		must(m.TryAcquire(t.Context(), treelock.WriteNode("/a/x").Labeled("writer")))

		_, err := m.TryAcquire(t.Context(), treelock.Read("/a"))
		if got := blockedBy(t, err).Blockers; len(got) != 1 || got[0].Label != "writer" || got[0].Claim != claim(treelock.WriteNode("/a/x")) {
			t.Errorf("a reader of the folder is blocked by %v, want the writer", got)
		}
		_, err = m.TryAcquire(t.Context(), treelock.Write("/a"))
		if got := blockedBy(t, err).Blockers; len(got) != 2 || got[0].Label != "reader" || got[1].Label != "writer" {
			t.Errorf("a writer of the folder is blocked by %v, want the reader and the writer", got)
		}
	})
}

func TestAcquireThatTimesOutNamesItsBlockers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context())
		holder := must(m.Acquire(t.Context(), treelock.Write("/docs").Labeled("import 1")))
		time.Sleep(time.Minute)
		why := errors.New("the user has closed the window")
		// The second one reuses the call of the first, which expects to wait.
		for _, expectWait := range []bool{false, true} {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(1500*time.Millisecond, func() { cancel(why) })
			_, err := m.Acquire(ctx, treelock.Read("/docs/a").Labeled("view 2"))
			blocked := blockedBy(t, err)
			if !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
				t.Errorf("expectWait=%t: Acquire() = %v, want the error of the context and its cause", expectWait, err)
			}
			if blocked.Waited != 1500*time.Millisecond || len(blocked.Blockers) != 1 || blocked.Blockers[0].Label != "import 1" {
				t.Errorf("expectWait=%t: Acquire() = %v, want that it waited 1.5s for import 1", expectWait, err)
			}
		}
		holder.Release()
		must(m.Acquire(t.Context(), treelock.Write("/docs"))) // nothing was left behind
	})
}

func TestBusyManagerNamesTheBlockers(t *testing.T) {
	m := manager.Start(t.Context(), manager.WithMaxWaiting(0))
	must(m.Acquire(t.Context(), treelock.Write("/a").Labeled("hog")))
	_, err := m.Acquire(t.Context(), treelock.Write("/a/b"))
	if got := blockedBy(t, err).Blockers; !errors.Is(err, treelock.ErrBusy) || len(got) != 1 || got[0].Label != "hog" {
		t.Errorf("Acquire() = %v, want ErrBusy and the hog as blocker", err)
	}
	if _, err := m.Submit(t.Context(), treelock.Write("/a/b")); blockedBy(t, err).Blockers[0].Label != "hog" {
		t.Errorf("Submit() = %v, want the hog as blocker", err)
	}
}

// TestOtherErrorsNameNoBlockers checks errors that have another reason than other requests.
func TestOtherErrorsNameNoBlockers(t *testing.T) {
	m := manager.Start(t.Context())
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, early := m.Acquire(ended, treelock.Write("/a"))
	_, wrong := m.TryAcquire(t.Context(), treelock.Write("a"))
	if err := m.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, late := m.TryAcquire(t.Context(), treelock.Write("/a"))
	var blocked *blockedError
	for _, err := range []error{early, wrong, late} {
		if err == nil || errors.As(err, &blocked) {
			t.Errorf("the error is %v, want one without blockers", err)
		}
	}
}

func TestErrorsNameAsManyBlockersAsTheyAreToldTo(t *testing.T) {
	const holders = 100
	for n, want := range map[int]struct{ named, more int }{
		-1: {4, 60}, 0: {0, 0}, 1: {1, 63}, 64: {64, 0}, 1000: {64, 0},
	} {
		m := manager.Start(t.Context(), manager.WithBlockers(n))
		for range holders {
			must(m.TryAcquire(t.Context(), treelock.Read("/a")))
		}
		_, err := m.TryAcquire(t.Context(), treelock.Write("/a"))
		if n == 0 {
			var blocked *blockedError
			if !errors.Is(err, treelock.ErrConflict) || errors.As(err, &blocked) {
				t.Errorf("WithBlockers(0): TryAcquire() = %v, want ErrConflict and no blockers", err)
			}
			continue
		}
		got := blockedBy(t, err)
		if len(got.Blockers) != want.named || got.More != want.more || !got.AtLeast {
			t.Errorf("WithBlockers(%d): %d are named, %d more, at least: %t; want %d, %d and at least", n, len(got.Blockers), got.More, got.AtLeast, want.named, want.more)
		}
		if got.Blockers[0].Number != 1 {
			t.Errorf("WithBlockers(%d): the first is %v, want the earliest", n, got.Blockers[0])
		}
	}
}

// TestBlockerIsFoundBehindManyRequests checks that requests elsewhere make no difference.
func TestBlockerIsFoundBehindManyRequests(t *testing.T) {
	m := manager.Start(t.Context())
	for range 3000 {
		must(m.TryAcquire(t.Context(), treelock.Read("/crowd")))
	}
	must(m.TryAcquire(t.Context(), treelock.Write("/a/b").Labeled("behind many")))
	for _, node := range []path{"/a", "/a/b"} {
		_, err := m.TryAcquire(t.Context(), treelock.Write(node))
		got := blockedBy(t, err)
		if len(got.Blockers) != 1 || got.AtLeast || got.Blockers[0].Label != "behind many" || got.Blockers[0].Claim.Node != "/a/b" {
			t.Errorf("TryAcquire(%s) = %v, want it blocked by the one that holds /a/b", node, err)
		}
	}
}

// TestSearchForBlockersIsBounded counts no more requests below a subtree than can be visited in
// some microseconds. The error says so.
func TestSearchForBlockersIsBounded(t *testing.T) {
	m := manager.Start(t.Context())
	for i := range 3000 {
		must(m.TryAcquire(t.Context(), treelock.Write(path(fmt.Sprint("/a/", i)))))
	}
	_, err := m.TryAcquire(t.Context(), treelock.Write("/a"))
	if got := blockedBy(t, err); len(got.Blockers) != 4 || !got.AtLeast || got.More < 1000 || got.More > 2000 {
		t.Errorf("TryAcquire() = %v, want 4 blockers, and at least 1,000 more", err)
	}
}

// TestReadmeShowsARealError reproduces the error of a rename that timed out.
func TestReadmeShowsARealError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context())
		must(m.Acquire(t.Context(), treelock.Read("/photos").Labeled("backup 3")))
		time.Sleep(90 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := m.Acquire(ctx, treelock.Write("/photos/2024").Labeled("rename 17"))
		if err == nil {
			t.Fatal("Acquire() has granted what another one reads")
		}
		readme, readErr := os.ReadFile("../README.md")
		if readErr != nil {
			t.Fatal(readErr)
		}
		if !strings.Contains(string(readme), "\n"+err.Error()+"\n") {
			t.Errorf("README.md has no line\n%v", err)
		}
	})
}

// TestNamedClaimConflictsWithTheWantedOne has claims that are far apart in the tree, among other
// claims.
func TestNamedClaimConflictsWithTheWantedOne(t *testing.T) {
	const top = "/a"
	for _, levels := range []int{9, 10, 11, 12, 40, 500} {
		deep := path(top + strings.Repeat("/d", levels))
		for name, others := range map[string]treelock.Request[path]{
			"first": treelock.Write(deep, "/z", "/y/y"),
			"last":  treelock.Write("/z", "/y/y", deep),
		} {
			above := treelock.Read(top).Read("/x")
			for _, test := range []struct {
				held, asked   treelock.Request[path]
				claim, wanted treelock.Claim[path]
			}{
				{others, above, claim(treelock.Write(deep)), claim(treelock.Read(top))},
				{above, others, claim(treelock.Read(top)), claim(treelock.Write(deep))},
			} {
				m := manager.Start(t.Context())
				must(m.TryAcquire(t.Context(), test.held))
				_, err := m.TryAcquire(t.Context(), test.asked)
				blocked := blockedBy(t, err)
				if len(blocked.Blockers) != 1 {
					t.Fatalf("%d levels, %s: %d blockers, want 1", levels, name, len(blocked.Blockers))
				}
				if b := blocked.Blockers[0]; b.Claim != test.claim || b.Wanted != test.wanted {
					t.Errorf("%d levels, %s: %v keeps out %v, want %v and %v", levels, name, b.Claim, b.Wanted, test.claim, test.wanted)
				}
			}
		}
	}
}
