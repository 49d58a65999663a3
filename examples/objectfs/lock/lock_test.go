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

func take(t *testing.T, l lock.Locker, req lock.Request) (unlock func()) {
	t.Helper()
	held, err := l.Lock(t.Context(), req)
	if err != nil {
		t.Fatalf("Lock(%v) = %v", req, err)
	}
	return held.Unlock
}

func TestGlobalLetsReadersShareAndWritersExclude(t *testing.T) {
	l := lock.Global()
	unlock := take(t, l, treelock.Read("/a"))
	take(t, l, treelock.Read("/a").ReadNode("/b"))() // else the test would hang

	var holding atomic.Bool
	holding.Store(true)
	var writers sync.WaitGroup
	for _, req := range []lock.Request{treelock.Read("/x").Write("/y"), treelock.WriteNode("/z")} {
		writers.Go(func() {
			defer take(t, l, req)()
			if !holding.CompareAndSwap(false, true) {
				t.Errorf("%v is granted while another request holds", req)
			}
			holding.Store(false)
		})
	}
	for range 1000 { // synctest cannot see a wait for a mutex
		runtime.Gosched()
	}
	holding.Store(false)
	unlock()
	writers.Wait()
}

func TestEndedContextIsRefusedWithItsCause(t *testing.T) {
	for name, l := range map[string]lock.Locker{"tree": tree(t), "global": lock.Global(), "none": lock.None()} {
		why := errors.New("why")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		if _, err := l.Lock(ctx, treelock.Write("/")); !errors.Is(err, why) {
			t.Errorf("%s: Lock = %v, want the cause of the context", name, err)
		}
		take(t, l, treelock.Write("/"))() // else the test would hang
	}
}

func TestMeterMeasuresWaitsAndTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := lock.NewMeter(tree(t))
		if got := m.Waits(); got != (lock.Waits{}) {
			t.Errorf("Waits() = %+v before any request, want zeros", got)
		}
		unlock := take(t, m, treelock.Write("/a"))
		var clients sync.WaitGroup
		for range 3 {
			clients.Go(take(t, m, treelock.Read("/b"))) // does not wait
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

		// Three of eight granted requests waited three seconds. The cancelled one was in the
		// queue, but its wait does not count.
		want := lock.Waits{Median: 0, P99: 3 * time.Second, Longest: 3 * time.Second, Queue: 4}
		if got := m.Waits(); got != want {
			t.Errorf("Waits() = %+v, want %+v", got, want)
		}
	})
}

func TestContextOfATreeLockCarriesItsGrant(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := manager.Start(ctx)
	defer func() { cancel(); <-m.Done() }()
	held, err := lock.Tree(m).Lock(t.Context(), treelock.Write("/a"))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Unlock()
	if grant, ok := treelock.FromContext[treelock.Path](held.Context(t.Context())); !ok || grant.Err() != nil {
		t.Errorf("the context carries %v, %t, want the grant", grant, ok)
	}
}
