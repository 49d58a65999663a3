package manager_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

type query = manager.Query[path]

func TestSnapshotShowsRequestsAndTheirBlockers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context())
		start := time.Now()
		must(m.Acquire(t.Context(), treelock.Read("/a").Labeled("reader")))
		time.Sleep(time.Second)
		must(m.Submit(t.Context(), treelock.Write("/a/b").WriteNode("/c").Labeled("writer")))
		must(m.Submit(t.Context(), treelock.Read("/a/b/x")))
		time.Sleep(time.Second)

		got := must(m.Snapshot(t.Context(), query{}))
		want := &manager.Snapshot[path]{
			Taken: start.Add(2 * time.Second),
			Holders: []manager.RequestInfo[path]{
				{Number: 1, Label: "reader", State: treelock.Holding, Since: start, Claims: claims(treelock.Read("/a"))},
			},
			Waiters: []manager.RequestInfo[path]{
				{Number: 2, Label: "writer", Since: start.Add(time.Second), Claims: claims(treelock.Write("/a/b").WriteNode("/c")), BlockedBy: []uint64{1}},
				{Number: 3, Since: start.Add(time.Second), Claims: claims(treelock.Read("/a/b/x")), BlockedBy: []uint64{2}},
			},
		}
		want.Stats = m.Stats()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if want.Stats.Live != 3 || want.Stats.Waiting != 2 {
			t.Errorf("Stats() has %d live and %d waiting, want 3 and 2", want.Stats.Live, want.Stats.Waiting)
		}
		var order []uint64
		for r := range got.All() {
			order = append(order, r.Number)
		}
		if diff := cmp.Diff([]uint64{2, 3, 1}, order); diff != "" {
			t.Errorf("All(): -want +got:\n%s", diff)
		}
	})
}

func claims(req treelock.Request[path]) (all []treelock.Claim[path]) {
	for c := range req.Claims() {
		all = append(all, c)
	}
	return all
}

func TestSnapshotHasReadableJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context())
		must(m.Acquire(t.Context(), treelock.Read("/a").Labeled(`<&"`)))
		must(m.Submit(t.Context(), treelock.WriteNode("/a")))
		s := must(m.Snapshot(t.Context(), query{}))
		text := must(json.Marshal(s))
		var again manager.Snapshot[path]
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(*s, again, cmpopts.EquateApproxTime(0)); diff != "" {
			t.Errorf("through JSON and back: -want +got:\n%s", diff)
		}
		var got map[string]any
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		now := time.Now().Format(time.RFC3339Nano)
		delete(got, "stats")
		want := map[string]any{
			"taken": now,
			"holders": []any{map[string]any{
				"number": 1.0, "label": `<&"`, "state": "holding", "since": now,
				"claims": []any{map[string]any{"node": "/a", "scope": "subtree", "access": "shared"}},
			}},
			"waiters": []any{map[string]any{
				"number": 2.0, "state": "waiting", "since": now, "blocked_by": []any{1.0},
				"claims": []any{map[string]any{"node": "/a", "scope": "node", "access": "exclusive"}},
			}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// TestSnapshotKeepsToItsLimit gives half of the rows to each state, and what one half does not need
// to the other.
func TestSnapshotKeepsToItsLimit(t *testing.T) {
	type rows struct{ holders, waiters int }
	for live, limits := range map[rows]map[int]rows{
		{30, 20}: {
			-1: {30, 20}, 0: {30, 20}, 1: {0, 1}, 2: {1, 1}, 7: {3, 4}, 40: {20, 20}, 45: {25, 20}, 50: {30, 20},
			1000: {30, 20},
		},
		{1, 20}: {10: {1, 9}},
	} {
		m := manager.Start(t.Context())
		for range live.holders {
			must(m.TryAcquire(t.Context(), treelock.Read("/a")))
		}
		for range live.waiters {
			must(m.Submit(t.Context(), treelock.Write("/a")))
		}
		for limit, want := range limits {
			s := must(m.Snapshot(t.Context(), query{Limit: limit}))
			if got := (rows{len(s.Holders), len(s.Waiters)}); got != want {
				t.Errorf("limit %d of %+v: got %+v, want %+v", limit, live, got, want)
			}
			left := live.holders + live.waiters - want.holders - want.waiters
			if s.LeftOut != left {
				t.Errorf("limit %d of %+v: %d left out, want %d", limit, live, s.LeftOut, left)
			}
		}
	}
}

func TestSnapshotRefusesWhatItCannotDo(t *testing.T) {
	m := manager.Start(t.Context())
	var wrong *treelock.PathError
	if _, err := m.Snapshot(t.Context(), query{Below: []path{"a/"}}); !errors.As(err, &wrong) {
		t.Errorf("Snapshot(below a/) = %v, want a PathError", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Snapshot(ended, query{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Snapshot(a context that has ended) = %v, want its error", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stopped := manager.Start(ctx)
	stop()
	<-stopped.Done()
	if _, err := stopped.Snapshot(t.Context(), query{}); !errors.Is(err, treelock.ErrStopped) {
		t.Errorf("Snapshot() of a manager that has stopped = %v, want ErrStopped", err)
	}
}
