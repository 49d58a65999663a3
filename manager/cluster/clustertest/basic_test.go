package clustertest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager/cluster"
)

// testTTL is the least time to live.
const testTTL = 2 * time.Second

// stall is how long a busy machine may stand still: a test of a time allows for it.
const stall = 5 * time.Second

// start starts a manager for a prefix of the test, as if in a process of its own.
func start(t testing.TB, name string, opts ...cluster.Option) *cluster.Manager {
	t.Helper()
	opts = append([]cluster.Option{cluster.WithName(name), cluster.WithTTL(testTTL)}, opts...)
	m, err := cluster.Start(background, client(t), "/"+t.Name(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(background, 10*time.Second)
		defer cancel()
		m.Shutdown(ctx)
		<-m.Done()
	})
	return m
}

func acquire(t testing.TB, m treelock.Locker[treelock.Path], req treelock.Request[treelock.Path]) treelock.Grant[treelock.Path] {
	t.Helper()
	ctx, cancel := context.WithTimeout(background, 20*time.Second)
	defer cancel()
	g, err := m.Acquire(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestProcessesExcludeEachOther(t *testing.T) {
	a, b := start(t, "worker-1"), start(t, "worker-2")
	g := acquire(t, a, treelock.Write("/photos").Labeled("backup 3"))
	_, err := b.TryAcquire(background, treelock.Write("/photos/2024"))
	if !errors.Is(err, treelock.ErrConflict) {
		t.Fatalf("a request that conflicts with one of another process: %v, want ErrConflict", err)
	}
	t.Log(err)
	got := make(chan treelock.Grant[treelock.Path])
	go func() { got <- acquire(t, b, treelock.Read("/photos")) }()
	h := acquire(t, b, treelock.Write("/docs"))
	select {
	case <-got:
		t.Fatal("granted while another process holds it")
	default:
	}
	g.Release()
	r := <-got
	if r.Token() <= g.Token() {
		t.Errorf("tokens %d, then %d: they must grow", g.Token(), r.Token())
	}
	r.Release()
	h.Release()
}
