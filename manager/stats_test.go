package manager_test

import (
	"context"
	"encoding/json"
	"expvar"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// histogram returns one of values.
func histogram(values ...uint64) (h manager.Histogram) {
	for _, v := range values {
		bucket := 0
		for v>>bucket > 0 {
			bucket++
		}
		h.Counts[min(bucket, len(h.Counts)-1)]++
		h.Sum += v
	}
	return h
}

// TestStatsCountEveryOutcome has each outcome of a request, once or twice.
func TestStatsCountEveryOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		m := manager.Start(ctx, manager.WithMaxWaiting(2))
		first := must(m.Acquire(ctx, treelock.Write("/a")))   // granted
		m.TryAcquire(t.Context(), treelock.Read("/a"))        // refused
		second := must(m.Submit(ctx, treelock.Write("/a/b"))) // waits 3 ms, holds 1 s
		leaver := must(m.Submit(ctx, treelock.Write("/a")))   // waits, and is withdrawn
		if _, err := m.Acquire(ctx, treelock.Write("/a")); err == nil {
			t.Fatal("the third one may wait, want it to be refused")
		}
		synctest.Wait()
		if got := m.Stats(); got.Live != 3 || got.Waiting != 2 || got.Nodes != 3 || got.Inbox != 0 {
			t.Errorf("Stats() = %+v, want 3 live, 2 waiting, 3 nodes", got)
		}
		time.Sleep(3 * time.Millisecond)
		leaver.Withdraw()
		first.Release() // held for 3 ms
		first.Release()
		grant := <-second.Granted()
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		m.Acquire(short, treelock.Read("/")) // waits, and is canceled
		grant.Narrow(treelock.Read("/a/b"))
		grant.Release()
		if err := m.Drain(ctx); err != nil {
			t.Fatal(err)
		}
		m.TryAcquire(t.Context(), treelock.Read("/a"))

		want := manager.Stats{
			Granted: 2, Waited: 3, Withdrawn: 2, Released: 2, Conflicts: 1, Busy: 1, Draining: 1, Nodes: 3,
			WaitTime: histogram(3000), HoldTime: histogram(3000, 1_000_000), Queue: histogram(1, 2, 1),
		}
		if diff := cmp.Diff(want, m.Stats()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		stop()
		<-m.Done()
		if diff := cmp.Diff(want, m.Stats()); diff != "" {
			t.Errorf("after the manager has stopped: -want +got:\n%s", diff)
		}
	})
}

func TestVarIsForExpvar(t *testing.T) {
	m := manager.Start(t.Context())
	must(m.TryAcquire(t.Context(), treelock.Read("/a")))
	var v expvar.Var = m.Var()
	var got manager.Stats
	if err := json.Unmarshal([]byte(v.String()), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.Stats(), got); diff != "" || got.Granted != 1 {
		t.Errorf("%d granted, want 1; -want +got:\n%s", got.Granted, diff)
	}
}

func TestQuantilesAreBounds(t *testing.T) {
	for _, test := range []struct {
		values []uint64
		q      float64
		want   uint64
	}{
		{nil, 0.5, 0},
		{[]uint64{0}, 1, 1},
		{[]uint64{1}, 0.5, 2},
		{[]uint64{5, 5, 5, 1000}, 0.5, 8},
		{[]uint64{5, 5, 5, 1000}, 0.75, 8},
		{[]uint64{5, 5, 5, 1000}, 0.76, 1024},
		{[]uint64{1 << 60}, 0.5, math.MaxUint64}, // in the last bucket
	} {
		h := histogram(test.values...)
		if got := h.Quantile(test.q); got != test.want {
			t.Errorf("Quantile(%v) of %v = %d, want %d", test.q, test.values, got, test.want)
		}
		if got := h.Count(); got != uint64(len(test.values)) {
			t.Errorf("Count() of %v = %d, want %d", test.values, got, len(test.values))
		}
	}
}

// TestVeryLongWaitsAreCounted has waits of minutes and of a century. The last bucket has all from
// 2^30 µs on, some 18 minutes.
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
