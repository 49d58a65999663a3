package manager_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A request may wait, and hold, for minutes or for decades: the last bucket of the histograms has all that is longer
// than 2^30 µs, some 18 minutes.
func TestVeryLongWaitsAreCounted(t *testing.T) {
	for _, long := range []time.Duration{17 * time.Minute, 18 * time.Minute, 36 * time.Minute, 72 * time.Minute, 100 * 365 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			m := manager.Start(t.Context())
			holder := must(m.Acquire(t.Context(), treelock.Write("/a")))
			waiter := must(m.Submit(t.Context(), treelock.Write("/a")))
			time.Sleep(long)
			holder.Release()
			(<-waiter.Granted()).Release()
			micros := uint64(long / time.Microsecond)
			want := manager.Stats{
				Granted: 2, Waited: 1, Released: 2, Nodes: 2,
				WaitTime: histogram(micros), HoldTime: histogram(micros, 0), Queue: histogram(1),
			}
			got := m.Stats()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("after a wait of %v: -want +got:\n%s", long, diff)
			}
			if bound := got.WaitTime.Quantile(1); bound <= micros {
				t.Errorf("the longest wait was %d µs, below a bound of %d", micros, bound)
			}
		})
	}
}

func TestRoomForClientsIsBounded(t *testing.T) {
	for _, n := range []int{1 << 21, math.MaxInt} {
		ctx, stop := context.WithCancel(t.Context())
		m := manager.Start(ctx, manager.WithClients(n))
		if g, err := m.TryAcquire(treelock.Write("/a")); err != nil {
			t.Errorf("WithClients(%d): TryAcquire() = %v, want a grant", n, err)
		} else {
			g.Release()
		}
		stop()
		<-m.Done()
	}
}

// It may have been told to stop because it was drained.
func TestDrainOfAManagerThatWasDrainedAndStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	m := manager.Start(ctx)
	if err := m.Drain(t.Context()); err != nil {
		t.Fatalf("Drain() = %v, want nil", err)
	}
	stop()
	<-m.Done()
	for range 100 { // each time the same, whatever a select chooses
		if err := m.Drain(t.Context()); err != nil {
			t.Fatalf("Drain() of a manager that was drained and has stopped = %v, want nil", err)
		}
	}

	ctx, stop = context.WithCancel(t.Context())
	m = manager.Start(ctx)
	must(m.TryAcquire(treelock.Write("/a")))
	stop()
	<-m.Done()
	if err := m.Drain(t.Context()); !errors.Is(err, treelock.ErrStopped) {
		t.Errorf("Drain() of a manager that has stopped while a request held = %v, want ErrStopped", err)
	}
}

// TestDrainPrefersWhatIsKnown: where several ends are known the answer is each time the same.
func TestDrainPrefersWhatIsKnown(t *testing.T) {
	ended, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	cancel(why)
	drained := manager.Start(t.Context())
	if err := drained.Drain(t.Context()); err != nil {
		t.Fatalf("Drain() = %v, want nil", err)
	}
	for range 100 {
		if err := drained.Drain(ended); err != nil {
			t.Fatalf("Drain() of a manager that is drained = %v, want nil", err)
		}
	}
	for range 100 { // one context for both
		ctx, stop := context.WithCancelCause(t.Context())
		m := manager.Start(ctx)
		must(m.TryAcquire(treelock.Write("/a")))
		told := make(chan error)
		go func() { told <- m.Drain(ctx) }()
		for !errors.Is(second(m.TryAcquire(treelock.Read("/b"))), treelock.ErrDraining) {
		}
		stop(why)
		if err := <-told; !errors.Is(err, context.Canceled) || !errors.Is(err, why) || !errors.Is(err, treelock.ErrStopped) {
			t.Fatalf("Drain() = %v, want ErrStopped, and the error and the cause of its context", err)
		}
		<-m.Done()
	}
}

// TestGrantsOfADrainingManagerCanBeNarrowed: what waited for the rest is granted.
func TestGrantsOfADrainingManagerCanBeNarrowed(t *testing.T) {
	m := manager.Start(t.Context())
	holder := must(m.TryAcquire(treelock.Write("/a")))
	waiter := must(m.Submit(t.Context(), treelock.Write("/a/x")))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Drain(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Drain() = %v, want the error of its context", err)
	}
	if err := holder.Narrow(treelock.Write("/a/y")); err != nil {
		t.Errorf("Narrow() = %v, want nil", err)
	}
	grant := <-waiter.Granted()
	holder.Release()
	grant.Release()
	if err := m.Drain(t.Context()); err != nil {
		t.Errorf("Drain() = %v, want nil", err)
	}
}

func second[T any](_ T, err error) error { return err }

// The claim that is named conflicts with the one that is wanted, however far apart the two are in the tree, and whichever
// other claims the two requests have.
func TestBlameReachesFarDownAndUp(t *testing.T) {
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
				must(m.TryAcquire(test.held))
				_, err := m.TryAcquire(test.asked)
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
