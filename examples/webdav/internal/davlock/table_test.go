package davlock

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A bench is a table in a synctest bubble, with its manager.
type bench struct {
	*testing.T
	*Table
	locks *manager.Manager[Path]
}

// inBubble runs f with a new table. All that is in the table is over at its end.
func inBubble(t *testing.T, limits Limits, f func(b bench)) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context())
		f(bench{t, Start(t.Context(), m, limits, nil), m})
	})
}

func (b bench) lock(spec Spec) Info {
	b.Helper()
	info, err := b.Lock(b.Context(), spec)
	if err != nil {
		b.Fatalf("Lock(%+v) = %v", spec, err)
	}
	return info
}

// refused says that err names the locks at roots.
func (b bench) refused(what string, err error, roots ...Path) {
	b.Helper()
	var locked *LockedError
	if !errors.As(err, &locked) || len(locked.Locks) != len(roots) {
		b.Fatalf("%s: %v, want that it is refused by %v", what, err, roots)
	}
	for i, l := range locked.Locks {
		if l.Root != roots[i] {
			b.Errorf("%s: refused by %v, want %v", what, l.Root, roots[i])
		}
	}
}

func (b bench) enter(user string, tokens []string, changes ...Claim) error {
	pass, err := b.Enter(b.Context(), user, tokens, changes...)
	if err == nil {
		pass.Leave()
	}
	return err
}

// held reports whether a lock of root would wait in the lock manager.
func (b bench) held(root Path) bool {
	return errors.Is(b.locks.Check(b.Context(), request(Change(root))), treelock.ErrConflict)
}

// The table of RFC 4918, section 6.1 and 7: which second lock is refused by a first one.
func TestLockConflicts(t *testing.T) {
	for _, test := range []struct {
		first, second Spec
		refused       bool
	}{
		{Spec{Root: "/a"}, Spec{Root: "/a"}, true},
		{Spec{Root: "/a", Shared: true}, Spec{Root: "/a", Shared: true}, false},
		{Spec{Root: "/a", Shared: true}, Spec{Root: "/a"}, true},
		{Spec{Root: "/a"}, Spec{Root: "/a", Shared: true}, true},
		{Spec{Root: "/a"}, Spec{Root: "/a/b"}, false},
		{Spec{Root: "/a", Infinite: true}, Spec{Root: "/a/b"}, true},
		{Spec{Root: "/a", Infinite: true, Shared: true}, Spec{Root: "/a/b"}, true},
		{Spec{Root: "/a", Infinite: true, Shared: true}, Spec{Root: "/a/b", Shared: true}, false},
		{Spec{Root: "/a/b"}, Spec{Root: "/a", Infinite: true}, true},
		{Spec{Root: "/a/b"}, Spec{Root: "/a"}, false},
		{Spec{Root: "/", Infinite: true}, Spec{Root: "/a/b"}, true},
		{Spec{Root: "/a", Infinite: true}, Spec{Root: "/ab"}, false},
	} {
		inBubble(t, Limits{}, func(b bench) {
			b.lock(test.first)
			_, err := b.Lock(b.Context(), test.second)
			var locked *LockedError
			if got := errors.As(err, &locked); got != test.refused || err != nil && !got {
				b.Errorf("%+v behind %+v: %v, want refused %t", test.second, test.first, err, test.refused)
			}
			if !b.held(test.first.Root) {
				b.Errorf("%+v holds nothing in the lock manager (L2)", test.first)
			}
		})
	}
}

func TestLockEndsWithItsTime(t *testing.T) {
	inBubble(t, Limits{}, func(b bench) {
		l := b.lock(Spec{Root: "/a", Timeout: 10 * time.Second})
		time.Sleep(9 * time.Second)
		if got, err := b.Refresh(b.Context(), l.Token, "", "/a", 20*time.Second); err != nil || got.Left != 20*time.Second {
			b.Fatalf("Refresh = %+v, %v", got, err)
		}
		time.Sleep(20*time.Second - 1)
		synctest.Wait()
		if !b.held("/a") {
			b.Error("the lock ended before its time")
		}
		if _, err := b.Refresh(b.Context(), l.Token, "", "/a", time.Second); err != nil {
			b.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if b.held("/a") {
			b.Error("the lock is held behind a time that a refresh made shorter")
		}
		if _, err := b.Refresh(b.Context(), l.Token, "", "/a", time.Second); !errors.Is(err, ErrNoLock) {
			b.Errorf("Refresh of an ended lock = %v, want ErrNoLock", err)
		}
	})
}

func TestTimeoutIsBounded(t *testing.T) {
	inBubble(t, Limits{Longest: time.Minute}, func(b bench) {
		if l := b.lock(Spec{Root: "/a", Timeout: 1 << 62}); l.Left != time.Minute {
			b.Errorf("the lock has %v, want a minute", l.Left)
		}
		if l := b.lock(Spec{Root: "/b", Timeout: -1}); l.Left != shortest {
			b.Errorf("the lock has %v, want %v", l.Left, shortest)
		}
	})
}

func TestOnlyItsUserEndsOrUsesALock(t *testing.T) {
	inBubble(t, Limits{}, func(b bench) {
		l := b.lock(Spec{Root: "/a", User: "ann", Timeout: time.Minute})
		if err := b.Unlock(b.Context(), l.Token, "bob", "/a"); !errors.Is(err, ErrNotYours) {
			b.Errorf("Unlock by another user = %v", err)
		}
		if _, err := b.Refresh(b.Context(), l.Token, "bob", "/a", time.Hour); !errors.Is(err, ErrNotYours) {
			b.Errorf("Refresh by another user = %v", err)
		}
		b.refused("a change by bob", b.enter("bob", []string{l.Token}, Change("/a")), "/a")
		if err := b.enter("ann", []string{l.Token}, Change("/a")); err != nil {
			b.Errorf("a change by ann = %v", err)
		}
		if err := b.Unlock(b.Context(), l.Token, "ann", "/b"); !errors.Is(err, ErrNoLock) {
			b.Errorf("Unlock at a resource that is not covered = %v", err)
		}
		if err := b.Unlock(b.Context(), l.Token, "ann", "/a"); err != nil || b.held("/a") {
			b.Errorf("Unlock = %v, held %t", err, b.held("/a"))
		}
	})
}

func TestLocksAreLimited(t *testing.T) {
	inBubble(t, Limits{PerUser: 2, All: 3}, func(b bench) {
		a := b.lock(Spec{Root: "/a", User: "ann", Timeout: time.Hour})
		b.lock(Spec{Root: "/b", User: "ann", Timeout: time.Hour})
		if _, err := b.Lock(b.Context(), Spec{Root: "/c", User: "ann"}); !errors.Is(err, ErrTooMany) {
			b.Errorf("a third lock of ann = %v", err)
		}
		b.lock(Spec{Root: "/c", User: "bob", Timeout: time.Hour})
		if _, err := b.Lock(b.Context(), Spec{Root: "/d", User: "bob"}); !errors.Is(err, ErrTooMany) {
			b.Errorf("a fourth lock of all = %v", err)
		}
		if err := b.Unlock(b.Context(), a.Token, "ann", "/a"); err != nil {
			b.Error(err)
		}
		b.lock(Spec{Root: "/d", User: "ann", Timeout: time.Hour})
	})
}

func TestEnterAsksForEachLockThatMeetsAChange(t *testing.T) {
	inBubble(t, Limits{}, func(b bench) {
		folder := b.lock(Spec{Root: "/a", Timeout: time.Hour}).Token
		file := b.lock(Spec{Root: "/a/x/f", Timeout: time.Hour}).Token
		tree := b.lock(Spec{Root: "/t", Infinite: true, Timeout: time.Hour}).Token
		b.refused("delete /a/x", b.enter("", nil, ChangeAll("/a/x"), Change("/a")), "/a", "/a/x/f")
		b.refused("delete /a/x, with one token", b.enter("", []string{folder}, ChangeAll("/a/x"), Change("/a")), "/a/x/f")
		b.refused("write /t/new", b.enter("", []string{file}, ChangeAll("/t/new"), Change("/t")), "/t")
		for what, err := range map[string]error{
			"delete /a/x":        b.enter("", []string{folder, file}, ChangeAll("/a/x"), Change("/a")),
			"delete /a":          b.enter("", []string{folder, file}, ChangeAll("/a"), Change("/")),
			"overwrite /a/y":     b.enter("", nil, ChangeAll("/a/y")),
			"write /t/new":       b.enter("", []string{tree}, ChangeAll("/t/new"), Change("/t")),
			"move /t/b to /t/c":  b.enter("", []string{tree}, ChangeAll("/t/b"), Change("/t"), ChangeAll("/t/c"), Change("/t")),
			"move /t/b to /a/b":  b.enter("", []string{tree, folder}, ChangeAll("/t/b"), Change("/t"), ChangeAll("/a/b"), Change("/a")),
			"a token of nothing": b.enter("", []string{"urn:x"}, Change("/z")),
		} {
			if err != nil {
				b.Errorf("%s, with all tokens: %v", what, err)
			}
		}
	})
}

// One of several shared locks is enough where it covers what changes, and not elsewhere.
func TestOneSharedLockIsEnough(t *testing.T) {
	inBubble(t, Limits{}, func(b bench) {
		all := b.lock(Spec{Root: "/a", Infinite: true, Shared: true, User: "ann", Timeout: time.Hour}).Token
		one := b.lock(Spec{Root: "/a/f", Shared: true, User: "bob", Timeout: time.Hour}).Token
		b.refused("no token", b.enter("bob", nil, Change("/a/f")), "/a", "/a/f")
		if err := b.enter("bob", []string{one}, Change("/a/f")); err != nil {
			b.Errorf("bob changes /a/f: %v", err)
		}
		b.refused("bob deletes /a/f", b.enter("bob", []string{one}, ChangeAll("/a/f"), Change("/a")), "/a")
		if err := b.enter("ann", []string{all}, ChangeAll("/a/f"), Change("/a")); err != nil {
			b.Errorf("ann deletes /a/f: %v", err)
		}
	})
}

// A lock that ends while a method runs under it frees the method's resources when that ends. (L5)
func TestPassOutlivesItsLock(t *testing.T) {
	inBubble(t, Limits{}, func(b bench) {
		l := b.lock(Spec{Root: "/a", Infinite: true, Timeout: time.Second})
		pass, err := b.Enter(b.Context(), "", []string{l.Token}, Change("/a/f"))
		if err != nil {
			b.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		locked := make(chan error, 1)
		go func() {
			_, err := b.Lock(b.Context(), Spec{Root: "/a/g"})
			locked <- err
		}()
		synctest.Wait()
		if len(locked) != 0 {
			b.Fatalf("a lock behind a pass does not wait: %v", <-locked)
		}
		pass.Leave()
		if err := <-locked; err != nil {
			b.Error(err)
		}
	})
}

// A LOCK that gives up while it waits leaves nothing.
func TestLockThatGivesUpLeavesNothing(t *testing.T) {
	inBubble(t, Limits{PerUser: 2}, func(b bench) {
		l := b.lock(Spec{Root: "/a", Timeout: time.Hour})
		pass, err := b.Enter(b.Context(), "", []string{l.Token}, Change("/a"))
		if err == nil {
			err = b.Unlock(b.Context(), l.Token, "", "/a")
		}
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(b.Context(), time.Second)
		defer cancel()
		if _, err := b.Lock(ctx, Spec{Root: "/a"}); !errors.Is(err, treelock.ErrGaveUp) {
			b.Errorf("Lock = %v, want ErrGaveUp", err)
		}
		pass.Leave()
		if b.held("/a") {
			b.Error("/a is held")
		}
		b.lock(Spec{Root: "/a", Timeout: time.Hour})
		b.lock(Spec{Root: "/b", Timeout: time.Hour})
	})
}

// A grant that is revoked, say at the live page, ends its lock. (L6)
func TestRevokedGrantEndsItsLock(t *testing.T) {
	inBubble(t, Limits{}, func(b bench) {
		l := b.lock(Spec{Root: "/a", Timeout: time.Hour})
		snapshot, err := b.locks.Snapshot(b.Context(), manager.Query[Path]{})
		if err != nil || len(snapshot.Holders) != 1 {
			b.Fatal(snapshot, err)
		}
		b.locks.Revoke(b.Context(), snapshot.Holders[0].Number, errors.New("by hand"))
		synctest.Wait()
		if err := b.Unlock(b.Context(), l.Token, "", "/a"); !errors.Is(err, ErrNoLock) {
			b.Errorf("Unlock = %v, want ErrNoLock", err)
		}
	})
}

func TestDropEndsTheLocksOfWhatIsGone(t *testing.T) {
	inBubble(t, Limits{}, func(b bench) {
		for _, root := range []Path{"/a", "/a/b", "/ab"} {
			b.lock(Spec{Root: root, Timeout: time.Hour})
		}
		if b.Drop(b.Context(), "/a", false); b.held("/a/b") || !b.held("/a") || !b.held("/ab") {
			b.Error("Drop without self does not end just /a/b")
		}
		if b.Drop(b.Context(), "/a", true); b.held("/a") || !b.held("/ab") {
			b.Error("Drop does not end just /a")
		}
	})
}
