package manager_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// TestSuspendThatClosesACircleIsRefused has a request that waits for a grant of the caller.
func TestSuspendThatClosesACircleIsRefused(t *testing.T) {
	m := manager.Start(t.Context())
	g := must(m.TryAcquire(t.Context(), treelock.Write("/b").Labeled("job")))
	waits := must(m.Submit(t.Context(), treelock.Write("/a", "/b")))
	under := treelock.NewContext(t.Context(), g)
	resume, err := m.Suspend(under, "repair", "/a")
	deadlockOf(t, err)
	const want = `treelock: suspend: deadlock: #1 "job" is held by the caller of a suspend until #2 ends; ` +
		`#2 waits to write /b until #1 "job" ends (write /b)`
	if err.Error() != want {
		t.Errorf("Suspend() =\n%v\nwant\n%s", err, want)
	}
	if s := must(m.Snapshot(t.Context(), manager.Query[path]{})); len(s.Suspended) != 0 || s.Stats.Deadlocks != 1 {
		t.Errorf("Snapshot() = %v, %d deadlocks, want nothing suspended and one", s.Suspended, s.Stats.Deadlocks)
	}
	resume()
	waits.Withdraw()
	resume, err = m.Suspend(under, "repair", "/a")
	if resume(); err != nil {
		t.Errorf("Suspend() = %v, want nil: nothing waits for the grant", err)
	}
	g.Release()
}

// TestWaitForTheCallerOfASuspendIsRefused has a client that holds what a Suspend waits for, and
// would wait for a grant of the caller of the Suspend. In the end that call has given up.
func TestWaitForTheCallerOfASuspendIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context())
		g := must(m.TryAcquire(t.Context(), treelock.Write("/b")))
		r := must(m.TryAcquire(t.Context(), treelock.Write("/a")))
		ctx, giveUp := context.WithCancel(treelock.NewContext(t.Context(), g))
		told := make(chan error, 1)
		go func() {
			_, err := m.Suspend(ctx, "repair", "/a")
			told <- err
		}()
		synctest.Wait()
		_, err := m.Acquire(treelock.NewContext(t.Context(), r), treelock.Read("/b"))
		numbers, links := deadlockOf(t, err)
		if len(numbers) != 3 || links[1] != treelock.LinkSuspend || links[2] != treelock.LinkHolder {
			t.Errorf("the circle is %v, %v, want the new request, #1 and #2", numbers, links)
		}
		if _, err = r.Widen(t.Context(), treelock.Read("/b")); !errors.Is(err, treelock.ErrDeadlock) {
			t.Errorf("Widen() = %v, want ErrDeadlock", err)
		}
		giveUp()
		if err := <-told; !errors.Is(err, treelock.ErrGaveUp) {
			t.Errorf("Suspend() = %v, want ErrGaveUp", err)
		}
		granted := make(chan treelock.Grant[path])
		go func() { granted <- must(m.Acquire(treelock.NewContext(t.Context(), r), treelock.Read("/b"))) }()
		synctest.Wait()
		g.Release()
		(<-granted).Release()
		r.Release()
	})
}
