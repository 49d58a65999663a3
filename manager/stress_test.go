package manager_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A shadow is a tree whose users notice when two of them use a node at once and one of them writes. It
// knows nothing of the lock manager.
type shadow struct {
	users map[path]*atomic.Int64 // the readers of a node, or a large negative number for a writer
}

const writing = -1 << 40

func newShadow() *shadow {
	s := &shadow{users: map[path]*atomic.Int64{}}
	for _, node := range world {
		s.users[node] = new(atomic.Int64)
	}
	return s
}

// use enters all nodes of world that req covers, leaves them again, and reports whether it was alone there
// as far as it has to be. A node that req writes is entered as a writer.
func (s *shadow) use(req treelock.Request[path]) (alone bool) {
	access := map[path]int64{}
	for claim := range req.Claims() {
		for _, node := range world {
			if node == claim.Node || claim.Scope == treelock.Subtree && below(node, claim.Node) {
				if claim.Access == treelock.Exclusive {
					access[node] = writing
				} else if access[node] == 0 {
					access[node] = 1
				}
			}
		}
	}
	alone = true
	for node, delta := range access {
		users := s.users[node].Add(delta)
		alone = alone && (delta == 1 && users > 0 || delta == writing && users == writing)
	}
	for node, delta := range access {
		s.users[node].Add(-delta)
	}
	return alone
}

func below(node, top path) bool {
	for node, ok := node.Parent(); ok; node, ok = node.Parent() {
		if node == top {
			return true
		}
	}
	return false
}

// client does so many random things with random requests, by all ways of asking, with contexts that end at
// any moment. It returns when it is done or the manager has stopped, and says how often it held.
func client(t *testing.T, m *manager.Manager[path], s *shadow, rng *rand.Rand, rounds int) (held int) {
	for range rounds {
		req := parseRequest(t, strings.Fields(randomClaims(rng)))
		g, err := ask(m, rng, req)
		switch {
		case err == nil:
			if !s.use(req) {
				t.Errorf("I1: %v was granted and is not alone", req)
			}
			held++
			narrowed := parseRequest(t, strings.Fields(narrowerClaims(rng, req)))
			if rng.IntN(3) == 0 && g.Narrow(narrowed) == nil && !s.use(narrowed) {
				t.Errorf("I1: %v, narrowed from %v, is not alone", narrowed, req)
			}
			g.Release()
			if rng.IntN(4) == 0 {
				g.Release()
			}
		case errors.Is(err, treelock.ErrStopped):
			return held
		}
	}
	return held
}

// ask submits req in one of all ways and returns its grant, if it is granted before somebody loses patience.
func ask(m *manager.Manager[path], rng *rand.Rand, req treelock.Request[path]) (grant, error) {
	ctx := context.Background()
	cancel := context.CancelFunc(func() {})
	if rng.IntN(3) == 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(rng.IntN(50))*time.Microsecond)
	}
	defer cancel()
	switch rng.IntN(3) {
	case 0:
		return m.TryAcquire(req)
	case 1:
		return m.Acquire(ctx, req)
	}
	tick, err := m.Submit(ctx, req)
	if err != nil {
		return grant{}, err
	}
	select {
	case g, ok := <-tick.Granted():
		if ok {
			return g, nil
		}
	case <-ctx.Done():
		tick.Withdraw()
		if _, ok := <-tick.Granted(); ok {
			panic("a withdrawn ticket has delivered a grant")
		}
	}
	return grant{}, tick.Err()
}

// storm runs clients until they are done or during has returned and the manager has stopped.
func storm(t *testing.T, rounds int, during func(m *manager.Manager[path], stop context.CancelFunc)) (held int64) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	m := manager.Start(ctx)
	s := newShadow()
	var clients sync.WaitGroup
	var total atomic.Int64
	for i := range uint64(16) {
		clients.Go(func() {
			total.Add(int64(client(t, m, s, rand.New(rand.NewPCG(i, 3)), rounds)))
		})
	}
	if during != nil {
		during(m, stop)
	}
	clients.Wait()
	if during == nil {
		if err := m.Drain(t.Context()); err != nil {
			t.Errorf("something is left: Drain() = %v", err)
		}
	}
	stop()
	<-m.Done()
	return total.Load()
}

func TestNobodyMeetsARivalInAStorm(t *testing.T) {
	if held := storm(t, 1000, nil); held < 1000 {
		t.Errorf("%d grants in all, want far more: the test tests nothing", held)
	}
}

func TestStopStrandsNobody(t *testing.T) {
	for seed := range uint64(25) {
		rng := rand.New(rand.NewPCG(seed, 4))
		storm(t, 1<<30, func(m *manager.Manager[path], stop context.CancelFunc) {
			for range rng.IntN(60) {
				if g, err := m.Acquire(t.Context(), treelock.ReadNode("/a")); err == nil {
					g.Release()
				}
			}
			stop()
		})
	}
}

// TestCancellationAgainstGrantLeaksNothing lets the context of a waiter end at the moment when it is granted. Whatever
// it makes of that, nothing is held afterwards.
func TestCancellationAgainstGrantLeaksNothing(t *testing.T) {
	m := manager.Start(t.Context())
	outcomes := map[bool]int{}
	for i := range 3000 {
		holder, err := m.Acquire(t.Context(), treelock.Write("/a"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		waiter := make(chan error)
		go func() {
			g, err := m.Acquire(ctx, treelock.Write("/a/b"))
			g.Release()
			waiter <- err
		}()
		go func() {
			for range i % 8 {
				runtime.Gosched() // so that either may be first
			}
			cancel()
		}()
		holder.Release()
		err = <-waiter
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("Acquire() = %v, want nil or Canceled", err)
		}
		outcomes[err == nil]++
		after, err := m.TryAcquire(treelock.Write("/"))
		if err != nil {
			t.Fatalf("something is held after the race: %v", err)
		}
		after.Release()
		cancel()
	}
	t.Logf("granted %d times, cancelled %d times", outcomes[true], outcomes[false])
}
