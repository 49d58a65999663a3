package manager_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

func TestDoReleasesHoweverItsFunctionEnds(t *testing.T) {
	m := manager.Start(t.Context())
	mine := errors.New("mine")
	ends := map[string]func(context.Context) error{
		"return": func(context.Context) error { return nil },
		"error":  func(context.Context) error { return mine },
		"panic":  func(context.Context) error { panic(mine) },
		"exit":   func(context.Context) error { runtime.Goexit(); return nil },
	}
	for name, end := range ends {
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() {
				if got := recover(); (got == mine) != (name == "panic") {
					t.Errorf("%s: Do() panicked with %v", name, got)
				}
			}()
			err := m.Do(t.Context(), treelock.Write("/a"), func(ctx context.Context) error {
				if _, err := m.TryAcquire(ctx, treelock.Read("/a/b")); !errors.Is(err, treelock.ErrConflict) {
					t.Errorf("%s: TryAcquire() inside = %v, want ErrConflict", name, err)
				}
				return end(ctx)
			})
			if errors.Is(err, mine) != (name == "error") {
				t.Errorf("%s: Do() = %v", name, err)
			}
		}()
		<-done
		g, err := m.TryAcquire(t.Context(), treelock.Write("/"))
		if err != nil {
			t.Errorf("%s: TryAcquire() afterwards = %v, want a grant", name, err)
		}
		g.Release()
	}
}

func TestDoDoesNotCallItsFunctionWithoutAGrant(t *testing.T) {
	m := manager.Start(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := m.Do(ctx, treelock.Read("/"), func(context.Context) error {
		t.Error("called")
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Do(ended context) = %v, want Canceled", err)
	}
}

func TestErrorsGiveTheCause(t *testing.T) {
	cause := errors.New("the disk is full")
	ctx, cancel := context.WithCancelCause(t.Context())
	m := manager.Start(ctx)
	ended, end := context.WithCancelCause(t.Context())
	end(cause)
	_, err := m.Acquire(ended, treelock.Read("/"))
	if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) || !strings.Contains(err.Error(), cause.Error()) {
		t.Errorf("Acquire(ended context) = %v, want Canceled and its cause", err)
	}
	_, err = m.Submit(ended, treelock.Read("/"))
	if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
		t.Errorf("Submit(ended context) = %v, want Canceled and its cause", err)
	}
	if err := m.Drain(t.Context()); err != nil {
		t.Errorf("Drain() = %v, want nil: a refused request was live", err)
	}

	cancel(cause)
	_, err = m.TryAcquire(t.Context(), treelock.Read("/"))
	if !errors.Is(err, treelock.ErrStopped) || !errors.Is(err, cause) || !strings.Contains(err.Error(), cause.Error()) {
		t.Errorf("TryAcquire() of a stopped manager = %v, want ErrStopped and its cause", err)
	}
	<-m.Done()
}

// TestErrorNamesTheStopAsWell has one context for the manager and its clients.
func TestErrorNamesTheStopAsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("shutting down")
		ctx, cancel := context.WithCancelCause(t.Context())
		m := manager.Start(ctx)
		if _, err := m.TryAcquire(t.Context(), treelock.Write("/a")); err != nil {
			t.Fatal(err)
		}
		waiter := make(chan error)
		go func() {
			_, err := m.Acquire(ctx, treelock.Write("/a"))
			waiter <- err
		}()
		synctest.Wait()
		cancel(cause)
		for _, err := range []error{<-waiter, m.Do(ctx, treelock.Read("/b"), nil)} {
			if !errors.Is(err, treelock.ErrStopped) || !errors.Is(err, cause) {
				t.Errorf("Acquire() = %v, want ErrStopped and the cause", err)
			}
		}
		<-m.Done()
		for range 50 {
			if err := m.Drain(ctx); !errors.Is(err, treelock.ErrStopped) {
				t.Fatalf("Drain(ended context) of a stopped manager = %v, want ErrStopped", err)
			}
		}
	})
}

// TestNothingIsGrantedOnceTheContextHasEnded releases after the end of the context, even if the
// manager goroutine has not run since.
func TestNothingIsGrantedOnceTheContextHasEnded(t *testing.T) {
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		m := manager.Start(ctx)
		holder, err := m.Acquire(t.Context(), treelock.Write("/a"))
		if err != nil {
			t.Fatal(err)
		}
		waiter, err := m.Submit(t.Context(), treelock.Write("/a"))
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		holder.Release()
		if _, err := m.TryAcquire(t.Context(), treelock.Read("/b")); !errors.Is(err, treelock.ErrStopped) {
			t.Fatalf("TryAcquire() = %v, want ErrStopped", err)
		}
		if _, ok := <-waiter.Granted(); ok || !errors.Is(waiter.Err(), treelock.ErrStopped) {
			t.Fatalf("the waiter was granted: %t, Err() = %v, want ErrStopped", ok, waiter.Err())
		}
		<-m.Done()
	}
}

func TestManagerWhoseContextHasEndedAlreadyStopsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		m := manager.Start(ctx)
		<-m.Done()
		if err := m.Drain(t.Context()); !errors.Is(err, treelock.ErrStopped) {
			t.Errorf("Drain() = %v, want ErrStopped", err)
		}
	})
}

func TestZeroGrantIsHarmless(t *testing.T) {
	var zero grant
	zero.Release()
	if got := zero.Token(); got != 0 {
		t.Errorf("Token() = %d, want 0", got)
	}
	if err := zero.Narrow(treelock.Read("/")); !errors.Is(err, treelock.ErrNotHeld) {
		t.Errorf("Narrow() = %v, want ErrNotHeld", err)
	}
}

// TestNothingIsDeliveredOnceWithdrawHasReturned withdraws before or after the grant is sent.
func TestNothingIsDeliveredOnceWithdrawHasReturned(t *testing.T) {
	m := manager.Start(t.Context())
	for range 1000 {
		tick, err := m.Submit(t.Context(), treelock.Write("/a"))
		if err != nil {
			t.Fatal(err)
		}
		tick.Withdraw()
		select {
		case _, ok := <-tick.Granted():
			if ok || !errors.Is(tick.Err(), treelock.ErrWithdrawn) {
				t.Fatalf("Granted() delivered a grant: %t, Err() = %v, want none and ErrWithdrawn", ok, tick.Err())
			}
		default:
			t.Fatal("Granted() is still open")
		}
	}
}

func TestNothingIsDeliveredOnceWithdrawHasReturnedFromAStoppedManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		m := manager.Start(ctx)
		tick, err := m.Submit(t.Context(), treelock.Write("/a"))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // the grant is in the channel
		stop()
		for range 2 {
			tick.Withdraw()
			if _, ok := <-tick.Granted(); ok || !errors.Is(tick.Err(), treelock.ErrWithdrawn) {
				t.Fatalf("Granted() delivered a grant: %t, Err() = %v, want none and ErrWithdrawn", ok, tick.Err())
			}
		}
		<-m.Done()
	})
}

func TestOneGoroutinesRequestsArriveInItsOrder(t *testing.T) {
	m := manager.Start(t.Context())
	var tickets []*ticket
	for range 1000 {
		tick, err := m.Submit(t.Context(), treelock.Write("/a"))
		if err != nil {
			t.Fatal(err)
		}
		tickets = append(tickets, tick)
	}
	last := uint64(0)
	for i, tick := range tickets {
		g := <-tick.Granted()
		if g.Token() <= last {
			t.Fatalf("I7: request %d has token %d, the one before %d", i, g.Token(), last)
		}
		last = g.Token()
		g.Release()
	}
}

// TestClientWithoutAnEndGetsItsRefusal has a context that never ends, so its client waits for one
// reply.
func TestClientWithoutAnEndGetsItsRefusal(t *testing.T) {
	m := manager.Start(t.Context(), manager.WithMaxWaiting(0))
	holder := must(m.Acquire(context.Background(), treelock.Write("/a")))
	if _, err := m.Acquire(context.Background(), treelock.Write("/a")); !errors.Is(err, treelock.ErrBusy) {
		t.Errorf("Acquire() = %v, want ErrBusy", err)
	}
	holder.Release()
	if err := m.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Acquire(context.Background(), treelock.Write("/a")); !errors.Is(err, treelock.ErrDraining) {
		t.Errorf("Acquire() = %v, want ErrDraining", err)
	}
}
