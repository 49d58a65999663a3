package manager_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
	"github.com/treelock/treelock/manager"
)

type query = manager.Query[path]

func TestSnapshotShowsWhoWaitsForWhom(t *testing.T) {
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
			Holders: []manager.Live[path]{
				{Number: 1, Label: "reader", State: treelock.Holding, Since: start, Claims: claims(treelock.Read("/a"))},
			},
			Waiters: []manager.Live[path]{
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

// Half of the rows are for those that wait, half for those that hold, and no row is wasted.
func TestSnapshotKeepsToItsLimit(t *testing.T) {
	const holders, waiters = 30, 20
	m := manager.Start(t.Context())
	for range holders {
		must(m.TryAcquire(treelock.Read("/a")))
	}
	for range waiters {
		must(m.Submit(t.Context(), treelock.Write("/a")))
	}
	for limit, want := range map[int]struct{ holders, waiters int }{
		-1: {30, 20}, 0: {30, 20}, 1: {0, 1}, 2: {1, 1}, 7: {3, 4}, 40: {20, 20}, 45: {25, 20}, 50: {30, 20}, 1000: {30, 20},
	} {
		s := must(m.Snapshot(t.Context(), query{Limit: limit}))
		if len(s.Holders) != want.holders || len(s.Waiters) != want.waiters {
			t.Errorf("with a limit of %d there are %d holders and %d waiters, want %d and %d", limit, len(s.Holders), len(s.Waiters), want.holders, want.waiters)
		}
		if left := holders + waiters - want.holders - want.waiters; s.LeftOut != left {
			t.Errorf("with a limit of %d, %d are left out, want %d", limit, s.LeftOut, left)
		}
	}
}

// A waiter of a hundred names the first eight that it waits for, and counts the rest.
func TestSnapshotNamesFewBlockers(t *testing.T) {
	m := manager.Start(t.Context())
	for range 20 {
		must(m.TryAcquire(treelock.Read("/a")))
	}
	must(m.Submit(t.Context(), treelock.Write("/a")))
	got := must(m.Snapshot(t.Context(), query{})).Waiters[0]
	if diff := cmp.Diff([]uint64{1, 2, 3, 4, 5, 6, 7, 8}, got.BlockedBy); diff != "" || got.More != 12 {
		t.Errorf("%d more, want 12; -want +got:\n%s", got.More, diff)
	}
}

// However many others there are, whoever is in the way is found. Of very many the first are named, and not all counted.
func TestSnapshotFindsBlockersAmongMany(t *testing.T) {
	m := manager.Start(t.Context())
	for range 3000 {
		must(m.TryAcquire(treelock.Read("/crowd")))
	}
	must(m.TryAcquire(treelock.Write("/a/b"))) // 3001
	must(m.Submit(t.Context(), treelock.Write("/a")))
	must(m.Submit(t.Context(), treelock.Write("/crowd")))
	s := must(m.Snapshot(t.Context(), query{}))
	if got := s.Waiters[0]; len(got.BlockedBy) != 1 || got.BlockedBy[0] != 3001 || got.More != 0 || got.AtLeast {
		t.Errorf("the first waits for %v, %d more, at least: %t; want 3001 alone", got.BlockedBy, got.More, got.AtLeast)
	}
	if got := s.Waiters[1]; len(got.BlockedBy) != 8 || got.BlockedBy[0] != 1 || got.More == 0 || !got.AtLeast {
		t.Errorf("the second waits for %v, %d more, at least: %t; want the first eight, and at least some more", got.BlockedBy, got.More, got.AtLeast)
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

// still is how many requests stand still, so that a snapshot takes several steps.
const still = 600

// Clients come and go while snapshots are taken. In each, what holds does not conflict, and who waits waits for somebody
// who is there, came earlier, and does conflict.
func TestSnapshotsAreConsistent(t *testing.T) {
	m := manager.Start(t.Context(), manager.WithClients(2))
	for i := range still {
		must(m.TryAcquire(treelock.ReadNode(path(fmt.Sprintf("/still/%d", i)))))
	}
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 1))
			for ctx.Err() == nil {
				act(ctx, m, rng)
			}
		})
	}
	waiting := 0
	for range 200 {
		s := must(m.Snapshot(t.Context(), query{}))
		checkConsistent(t, s)
		waiting += len(s.Waiters)
	}
	stop()
	clients.Wait()
	if waiting == 0 {
		t.Error("no snapshot has shown anybody who waits, so little was tested")
	}
}

// act makes a request, and releases, narrows or gives it up.
func act(ctx context.Context, m *manager.Manager[path], rng *rand.Rand) {
	nodes := []path{"/", "/a", "/a/b", "/a/b/c", "/d"}
	node := nodes[rng.IntN(len(nodes))]
	req := treelock.Write(node)
	if rng.IntN(2) == 0 {
		req = treelock.Read(node).WriteNode(nodes[1+rng.IntN(4)])
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(rng.IntN(200))*time.Microsecond)
	defer cancel()
	grant, err := m.Acquire(ctx, req)
	if err != nil {
		return
	}
	defer grant.Release()
	if rng.IntN(3) == 0 {
		grant.Narrow(treelock.ReadNode(node))
	}
}

// checkConsistent checks that s can have been the state of a manager.
func checkConsistent(t *testing.T, s *manager.Snapshot[path]) {
	t.Helper()
	reqs := make(map[uint64]treelock.Request[path])
	for r := range s.All() {
		reqs[r.Number] = model.Of(r.Claims...)
	}
	for i, r := range s.Holders {
		for _, other := range s.Holders[:i] {
			if r.Number > still && model.Conflict(reqs[r.Number], reqs[other.Number]) {
				t.Errorf("%v and %v hold together", r, other)
			}
		}
	}
	for _, r := range s.Waiters {
		if len(r.BlockedBy) == 0 {
			t.Errorf("%v waits for nobody", r)
		}
		for _, seq := range r.BlockedBy {
			if blocker, ok := reqs[seq]; !ok || seq >= r.Number || !model.Conflict(blocker, reqs[r.Number]) {
				t.Errorf("%v waits for %d, %v", r, seq, blocker)
			}
		}
	}
	if s.Stats.Live != len(s.Holders)+len(s.Waiters) || s.Stats.Waiting != len(s.Waiters) || s.LeftOut != 0 {
		t.Errorf("%d live, %d waiting and %d left out are counted, and %d hold and %d wait", s.Stats.Live, s.Stats.Waiting, s.LeftOut, len(s.Holders), len(s.Waiters))
	}
}
