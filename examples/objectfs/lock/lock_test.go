package lock_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/objectfs/lock"
	"github.com/treelock/treelock/manager"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tree starts a manager that ends with the test.
func tree(t *testing.T) lock.Locker {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	m := manager.Start(ctx)
	t.Cleanup(func() { cancel(); <-m.Done() })
	return lock.Tree(m)
}

func take(t *testing.T, l lock.Locker, req treelock.Request[treelock.Path]) (unlock func()) {
	t.Helper()
	unlock, err := l.Lock(t.Context(), req)
	if err != nil {
		t.Fatalf("Lock(%v) = %v", req, err)
	}
	return unlock
}

// A request that can be granted at once is; one that cannot would wait for ever, as nobody releases.
func TestTreeSharesWhatDoesNotConflict(t *testing.T) {
	l := tree(t)
	defer take(t, l, treelock.Read("/a"))()
	defer take(t, l, treelock.Read("/a/b"))()
	defer take(t, l, treelock.Write("/c"))()
	defer take(t, l, treelock.WriteNode("/d"))()
}

func TestTreeWaitsForTheRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := tree(t)
		unlock := take(t, l, treelock.Write("/a"))
		granted := false
		go func() {
			defer take(t, l, treelock.ReadNode("/a/b"))()
			granted = true
		}()
		synctest.Wait()
		if granted {
			t.Error("the read of /a/b is granted while /a is being written")
		}
		unlock()
		synctest.Wait()
		if !granted {
			t.Error("the read of /a/b still waits after the release of /a")
		}
	})
}

func TestGlobalLetsReadersShareAndWritersExclude(t *testing.T) {
	l := lock.Global()
	unlock := take(t, l, treelock.Read("/a"))
	take(t, l, treelock.Read("/a").ReadNode("/b"))() // shared, or this would wait for ever

	var entered atomic.Int32
	var writers sync.WaitGroup
	for _, req := range []treelock.Request[treelock.Path]{treelock.Read("/x").Write("/y"), treelock.WriteNode("/z")} {
		writers.Go(func() {
			defer take(t, l, req)()
			entered.Add(1)
		})
	}
	for range 1000 { // a mutex is invisible to synctest: give the writers every chance to get in
		runtime.Gosched()
	}
	if n := entered.Load(); n != 0 {
		t.Errorf("%d writers got in while a reader holds", n)
	}
	unlock()
	writers.Wait()
}

func TestNoneGrantsEverything(t *testing.T) {
	l := lock.None()
	defer take(t, l, treelock.Write("/"))()
	defer take(t, l, treelock.Write("/"))()
}

func TestEndedContextIsRefusedWithItsCause(t *testing.T) {
	for name, l := range map[string]lock.Locker{"tree": tree(t), "global": lock.Global(), "none": lock.None()} {
		t.Run(name, func(t *testing.T) {
			why := errors.New("why")
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(why)
			if _, err := l.Lock(ctx, treelock.Write("/")); !errors.Is(err, why) {
				t.Errorf("Lock = %v, want the cause of the context", err)
			}
			take(t, l, treelock.Write("/"))() // nothing is held, or this would wait for ever
		})
	}
}

func TestMeterMeasuresWaitsAndTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := lock.NewMeter(tree(t))
		unlock := take(t, m, treelock.Write("/a"))
		var clients sync.WaitGroup
		for range 3 {
			clients.Go(take(t, m, treelock.Read("/b"))) // never waits
			clients.Go(func() { take(t, m, treelock.Read("/a"))() })
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := m.Lock(ctx, treelock.Write("/a")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Lock = %v, want the context's error", err)
		}
		time.Sleep(2 * time.Second)
		unlock()
		clients.Wait()
		take(t, m, treelock.Read("/c"))()

		// One writer, three readers of /b and three of /a, which waited three seconds, and one of /c; the one that
		// gave up was in the queue, but is no grant.
		got := m.Waits()
		want := lock.Waits{Requests: 8, Median: 0, P99: 3 * time.Second, Longest: 3 * time.Second, Queue: 4}
		if got != want {
			t.Errorf("Waits() = %+v, want %+v", got, want)
		}
	})
}
