package manager_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
	"github.com/treelock/treelock/manager"
)

// still is how many requests hold throughout, so that a snapshot takes several steps.
const still = 600

// TestSnapshotsAreConsistent takes snapshots while clients come and go. In each, no two holders
// conflict, and every waiter waits for earlier live requests that conflict with it.
func TestSnapshotsAreConsistent(t *testing.T) {
	m := manager.Start(t.Context(), manager.WithClients(2))
	for i := range still {
		must(m.TryAcquire(t.Context(), treelock.ReadNode(path(fmt.Sprintf("/still/%d", i)))))
	}
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 1))
			for ctx.Err() == nil {
				runClient(ctx, m, rng)
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
		t.Error("no snapshot has a waiter, so the test checks little")
	}
}

// runClient makes a request, and releases, narrows or cancels it.
func runClient(ctx context.Context, m *manager.Manager[path], rng *rand.Rand) {
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
			t.Errorf("%v waits for no request", r)
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
