package manager_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// deadlockOf returns the numbers of the circle that err names, or fails.
func deadlockOf(t *testing.T, err error) (numbers []uint64, links []treelock.Link) {
	t.Helper()
	var deadlock *treelock.DeadlockError[path]
	if !errors.As(err, &deadlock) || !errors.Is(err, treelock.ErrDeadlock) {
		t.Fatalf("the error is %v, want a DeadlockError", err)
	}
	for _, step := range deadlock.Circle {
		numbers, links = append(numbers, step.Number), append(links, step.Link)
	}
	return numbers, links
}

func TestNestedDoIsRefusedInsteadOfHanging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context())
		job := treelock.Write("/tenant/42").Labeled("job").Tagged(42)
		err := m.Do(t.Context(), job, func(ctx context.Context) error {
			return m.Do(ctx, treelock.Read("/tenant/42/users").Labeled("helper"), func(context.Context) error {
				panic("called")
			})
		})
		var deadlock *treelock.DeadlockError[path]
		if errors.As(err, &deadlock); deadlock.Circle[1].Tag != 42 {
			t.Errorf("the job has the tag %v, want 42", deadlock.Circle[1].Tag)
		}
		numbers, links := deadlockOf(t, err)
		if len(numbers) != 2 || numbers[0] != 2 || numbers[1] != 1 || links[0] != treelock.LinkWaits || links[1] != treelock.LinkHolder {
			t.Errorf("the circle is %v, %v, want the helper that waits for the job, held by its caller", numbers, links)
		}
		const want = `treelock: acquire "helper" (read /tenant/42/users): deadlock: ` +
			`#2 "helper" waits to read /tenant/42/users until #1 "job" ends (write /tenant/42); ` +
			`#1 "job" is held by the caller of #2 "helper"`
		if err.Error() != want {
			t.Errorf("the error is\n%v\nwant\n%s", err, want)
		}
		if s := m.Stats(); s.Live != 0 || s.Deadlocks != 1 {
			t.Errorf("%d live, %d deadlocks, want 0 and 1", s.Live, s.Deadlocks)
		}
	})
}

func TestHelperThatWorksInsideItsCallerNeedsNoWait(t *testing.T) {
	m := manager.Start(t.Context())
	helper := func(ctx context.Context) error {
		return treelock.Do(ctx, treelock.Inside(ctx, m), treelock.Write("/tenant/42/users"), func(context.Context) error { return nil })
	}
	if err := helper(t.Context()); err != nil {
		t.Errorf("alone: %v", err)
	}
	if err := m.Do(t.Context(), treelock.Write("/tenant/42"), helper); err != nil {
		t.Errorf("under a caller that holds the tenant: %v", err)
	}
	err := m.Do(t.Context(), treelock.Read("/tenant/42"), helper)
	deadlockOf(t, err) // it reads only, so the helper waits for its own caller
}

// TestCircleOfTwoCallersIsRefused: each holds one node and wants the other one's.
func TestCircleOfTwoCallersIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context())
		begin := make(chan struct{})
		results := make(chan error, 2)
		for _, p := range [][2]path{{"/a", "/b"}, {"/b", "/a"}} {
			go func() {
				results <- m.Do(t.Context(), treelock.Write(p[0]), func(ctx context.Context) error {
					<-begin
					return m.Do(ctx, treelock.Write(p[1]), func(context.Context) error { return nil })
				})
			}()
		}
		synctest.Wait()
		close(begin)
		refused, other := <-results, <-results
		if numbers, _ := deadlockOf(t, refused); len(numbers) != 4 {
			t.Errorf("the circle is %v, want 4 requests", numbers)
		}
		if other != nil {
			t.Errorf("the other caller: %v, want nil", other)
		}
	})
}

// TestCircleThroughAWaiterIsRefused: the holder of /a waits for a request that only waits, and that
// waits for the holder.
func TestCircleThroughAWaiterIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context())
		err := m.Do(t.Context(), treelock.Read("/a"), func(ctx context.Context) error {
			go m.Do(t.Context(), treelock.Write("/a", "/b"), func(context.Context) error { return nil })
			synctest.Wait()
			_, err := m.Acquire(ctx, treelock.Read("/b")) // free, but the writer came before
			return err
		})
		if numbers, _ := deadlockOf(t, err); len(numbers) != 3 {
			t.Errorf("the circle is %v, want 3 requests", numbers)
		}
		synctest.Wait()
	})
}

func TestWaitUnderAGrantThatNoRequestWaitsForIsNoDeadlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context())
		holder := must(m.Acquire(t.Context(), treelock.Write("/b")))
		time.AfterFunc(time.Second, holder.Release)
		err := m.Do(t.Context(), treelock.Write("/a"), func(ctx context.Context) error {
			return m.Do(ctx, treelock.Write("/b"), func(context.Context) error { return nil })
		})
		if err != nil {
			t.Errorf("Do() = %v, want nil", err)
		}
		// A context whose grant is over carries nothing.
		over := must(m.Acquire(t.Context(), treelock.Write("/a")))
		over.Release()
		again := must(m.Acquire(t.Context(), treelock.Write("/a")))
		time.AfterFunc(time.Second, again.Release)
		g, err := m.Acquire(treelock.NewContext(t.Context(), over), treelock.Write("/a"))
		if err != nil {
			t.Errorf("Acquire() under a grant that is over = %v, want a grant", err)
		}
		g.Release()
	})
}

// TestGrantsInsideAndContextsAreOnCircles: a caller holds a sub-grant and waits outside for a
// request that waits for the whole grant.
func TestGrantsInsideAndContextsAreOnCircles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := manager.Start(ctx)
		g := must(m.Acquire(ctx, treelock.Write("/a")))
		sub := must(g.Acquire(ctx, treelock.Write("/a/x")))
		waiter := must(m.Submit(ctx, treelock.Write("/a", "/b")))
		_, err := m.Acquire(treelock.NewContext(ctx, sub), treelock.Write("/b"))
		numbers, links := deadlockOf(t, err)
		if len(numbers) != 4 || links[2] != treelock.LinkInside || links[3] != treelock.LinkHolder {
			t.Errorf("the circle is %v, %v, want 4 requests, of which one is inside another", numbers, links)
		}
		ticket := must(m.Submit(ctx, treelock.Write("/b")))
		if _, err := ticket.Wait(treelock.NewContext(ctx, sub)); !strings.HasPrefix(err.Error(), "treelock: wait: deadlock: #") {
			t.Errorf("Ticket.Wait() = %v, want a deadlock", err)
		}
		waiter.Withdraw()
		sub.Release()
		g.Release()
		if live := m.Stats().Live; live != 0 {
			t.Errorf("%d requests are live, want none", live)
		}
	})
}

func TestWaitForAllByAHolderIsRefused(t *testing.T) {
	m := manager.Start(t.Context())
	err := m.Do(t.Context(), treelock.Write("/a").Labeled("job"), func(ctx context.Context) error {
		resume, err := m.Suspend(ctx, "repair", "/a/b")
		resume()
		return errors.Join(m.Drain(ctx), m.Shutdown(ctx), err)
	})
	deadlockOf(t, err)
	const want = `treelock: drain: deadlock: #1 "job" is held by the caller of this call
treelock: shutdown: deadlock: #1 "job" is held by the caller of this call
treelock: suspend: deadlock: #1 "job" is held by the caller of this call`
	if err.Error() != want {
		t.Errorf("the errors are\n%v\nwant\n%s", err, want)
	}
	must(m.TryAcquire(t.Context(), treelock.Write("/a"))).Release() // nothing drains
	over := must(m.Acquire(t.Context(), treelock.Write("/a")))
	over.Release()
	elsewhere := must(m.Acquire(t.Context(), treelock.Write("/b")))
	if _, err := m.Suspend(treelock.NewContext(t.Context(), elsewhere), "repair", "/a"); err != nil {
		t.Errorf("Suspend() where the caller holds nothing = %v, want nil", err)
	}
	elsewhere.Release()
	if err := m.Shutdown(treelock.NewContext(t.Context(), over)); err != nil {
		t.Errorf("Shutdown() under a grant that is over = %v, want nil", err)
	}
}

// TestEachGrantOfAContextCounts: a Do inside a Do hides neither grant.
func TestEachGrantOfAContextCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context())
		for _, node := range []path{"/outer/x", "/inner/x"} {
			err := m.Do(t.Context(), treelock.Write("/outer"), func(ctx context.Context) error {
				return m.Do(ctx, treelock.Write("/inner"), func(ctx context.Context) error {
					_, err := m.Acquire(ctx, treelock.Read(node))
					return err
				})
			})
			deadlockOf(t, err)
		}
	})
}
