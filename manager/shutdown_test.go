package manager_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// TestShutdownStopsADrainedManager has a context of the manager that never ends. goleak checks that
// no goroutine is left.
func TestShutdownStopsADrainedManager(t *testing.T) {
	for _, ctx := range []context.Context{context.Background(), t.Context()} {
		m := manager.Start(ctx, manager.WithSlowLog(manager.SlowLog{Wait: time.Hour}))
		holder := must(m.TryAcquire(t.Context(), treelock.Write("/a")))
		waiter := must(m.Submit(t.Context(), treelock.Write("/a")))
		told := make(chan error, 10)
		for range cap(told) {
			go func() { told <- m.Shutdown(t.Context()) }()
		}
		holder.Release()
		(<-waiter.Granted()).Release()
		for range cap(told) {
			if err := <-told; err != nil {
				t.Errorf("Shutdown() = %v, want nil", err)
			}
		}
		<-m.Done()
		_, err := m.Acquire(t.Context(), treelock.Read("/a"))
		if !errors.Is(err, treelock.ErrStopped) || !errors.Is(err, treelock.ErrShutdown) {
			t.Errorf("Acquire() = %v, want ErrStopped and ErrShutdown", err)
		}
		if err := m.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown() after it = %v, want nil", err)
		}
	}
}

func TestShutdownStopsWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(context.Background())
		holder := must(m.TryAcquire(t.Context(), treelock.Write("/a").Labeled("backup 3")))
		waiter := must(m.Submit(t.Context(), treelock.Write("/a")))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := m.Shutdown(ctx)
		var blocked *treelock.BlockedError[path]
		if !errors.Is(err, treelock.ErrGaveUp) || !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &blocked) {
			t.Fatalf("Shutdown() = %v, want ErrGaveUp, DeadlineExceeded, and a BlockedError", err)
		}
		if len(blocked.Blockers) != 2 || blocked.Blockers[0].Label != "backup 3" {
			t.Errorf("Shutdown() = %v, want the two live requests", err)
		}
		<-m.Done()
		if _, ok := <-waiter.Granted(); ok {
			t.Error("a request was granted after the shutdown")
		}
		if err := waiter.Err(); !errors.Is(err, treelock.ErrStopped) || !errors.Is(err, treelock.ErrShutdown) {
			t.Errorf("Err() = %v, want ErrStopped and ErrShutdown", err)
		}
		holder.Release()
		if err := m.Shutdown(t.Context()); !errors.Is(err, treelock.ErrStopped) {
			t.Errorf("Shutdown() of a manager that was never drained = %v, want ErrStopped", err)
		}
	})
}

// TestShutdownAfterTheContextOfTheManager has that context's cause in its error, and not
// ErrShutdown.
func TestShutdownAfterTheContextOfTheManager(t *testing.T) {
	why := errors.New("why")
	ctx, stop := context.WithCancelCause(t.Context())
	m := manager.Start(ctx)
	must(m.TryAcquire(t.Context(), treelock.Write("/a")))
	stop(why)
	err := m.Shutdown(t.Context())
	if !errors.Is(err, treelock.ErrStopped) || !errors.Is(err, why) || errors.Is(err, treelock.ErrShutdown) {
		t.Errorf("Shutdown() = %v, want ErrStopped and the cause alone", err)
	}
}

// TestShutdownLeavesNoGoroutine has a context that goes on.
func TestShutdownLeavesNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if err := manager.Start(ctx).Shutdown(ctx); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if bytes.Contains(stacks, []byte("announceStop")) {
			t.Errorf("a goroutine waits for the end of the context:\n%s", stacks)
		}
	})
}
