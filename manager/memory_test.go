package manager

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"weak"

	"github.com/treelock/treelock"
)

// many returns n, or a twentieth of it in audited builds, which are slow.
func many(n int) int {
	if audited {
		return n / 20
	}
	return n
}

// TestReleasedPathsAreForgotten locks and releases a million distinct paths. Then the table has
// only the cache of idle nodes, and the storage is free.
func TestReleasedPathsAreForgotten(t *testing.T) {
	distinct, atOnce := many(1_000_000), many(10_000)
	before := liveHeap()
	l := startLoop(t)
	for i := 0; i < distinct; i += atOnce {
		calls := make([]*call[path], atOnce)
		for j := range calls {
			calls[j] = arrives(t, l, treelock.Write(path(fmt.Sprintf("/tenant/%d/docs/%d", i, j))), modeWait)
		}
		for _, c := range calls {
			g := takeGrant(t, c)
			l.m.recycle(c)
			releases(l, g.req, g.seq)
		}
	}
	if nodes := l.table.Nodes(); nodes > defaultIdle {
		t.Errorf("I8: the table knows %d nodes after the release of all, want at most %d", nodes, defaultIdle)
	}
	checkGrowth(t, before, 8)
	runtime.KeepAlive(l)
}

// TestManyWaitersAreForgotten has them wait for one node, and grants them together.
func TestManyWaitersAreForgotten(t *testing.T) {
	before := liveHeap()
	l := startLoop(t)
	holder := arrives(t, l, treelock.Write("/a"), modeWait)
	calls := make([]*call[path], many(100_000))
	for i := range calls {
		calls[i] = arrives(t, l, treelock.Read("/a/b/c"), modeWait)
	}
	releases(l, holder.grant.req, holder.grant.seq)
	for i, c := range calls {
		<-c.replies // it waits
		g := takeGrant(t, c)
		releases(l, g.req, g.seq)
		calls[i] = nil
	}
	checkGrowth(t, before, 8)
	runtime.KeepAlive(l)
}

func TestLargeRequestIsForgotten(t *testing.T) {
	before := liveHeap()
	l := startLoop(t, WithMaxClaims(200_000))
	paths := make([]path, many(200_000))
	for i := range paths {
		paths[i] = path(fmt.Sprint("/", i))
	}
	g := takeGrant(t, arrives(t, l, treelock.Write(paths...), modeWait))
	releases(l, g.req, g.seq)
	paths = nil
	checkGrowth(t, before, 8)
	runtime.KeepAlive(l)
	runtime.KeepAlive(g)
}

func TestIdleNodesDoNotKeepTheStringsThatPathsWereCutFrom(t *testing.T) {
	before := liveHeap()
	l := startLoop(t)
	for i := range 100 {
		page := fmt.Sprintf("/%d", i) + strings.Repeat(" ", 1<<20)
		g := takeGrant(t, arrives(t, l, treelock.Write(path(page[:3])), modeWait))
		releases(l, g.req, g.seq)
	}
	checkGrowth(t, before, 8)
	runtime.KeepAlive(l)
}

func TestGrantOfAStoppedManagerKeepsNothingElse(t *testing.T) {
	before := liveHeap()
	ctx, stop := context.WithCancel(t.Context())
	m := Start(ctx)
	var kept treelock.Grant[path]
	for i := range many(50_000) {
		g, err := m.TryAcquire(t.Context(), treelock.Write(path(fmt.Sprint("/a/", i))))
		if err != nil {
			t.Fatal(err)
		}
		kept = g
	}
	stop()
	<-m.Done()
	checkGrowth(t, before, 4)
	kept.Release()
}

// TestGrantOfAStoppedManagerKeepsNoWaiters has many waiters for a grant that outlives its manager.
func TestGrantOfAStoppedManagerKeepsNoWaiters(t *testing.T) {
	before := liveHeap()
	ctx, stop := context.WithCancel(t.Context())
	m := Start(ctx)
	kept, err := m.TryAcquire(t.Context(), treelock.Write("/a"))
	if err != nil {
		t.Fatal(err)
	}
	for range many(50_000) {
		if _, err := m.Submit(t.Context(), treelock.Write("/a").Labeled("one of many")); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	<-m.Done()
	checkGrowth(t, before, 4)
	kept.Release()
}

// TestHeldGrantDoesNotKeepItsTicket drops the ticket once its grant is received.
func TestHeldGrantDoesNotKeepItsTicket(t *testing.T) {
	m := Start(t.Context())
	holder, err := m.TryAcquire(t.Context(), treelock.Write("/a"))
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := m.Submit(t.Context(), treelock.Write("/a"))
	if err != nil {
		t.Fatal(err)
	}
	holder.Release()
	grant, watched := <-ticket.Granted(), weak.Make(ticket)
	ticket = nil
	liveHeap()
	if watched.Value() != nil {
		t.Error("the ticket is in memory while its grant is held, want it forgotten")
	}
	grant.Release()
}

func TestWithoutIdleNodesNoneAreKept(t *testing.T) {
	m := Start(t.Context(), WithIdleNodes(0))
	grant, err := m.TryAcquire(t.Context(), treelock.Write("/a/b"))
	if err != nil {
		t.Fatal(err)
	}
	grant.Release()
	if nodes := m.Stats().Nodes; nodes != 0 {
		t.Errorf("Stats().Nodes = %d after the release of all, want 0", nodes)
	}
}

// liveHeap returns the size of the live heap.
func liveHeap() int {
	runtime.GC()
	runtime.GC() // the second empties the pools
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// checkGrowth fails the test if the live heap is more than mib MiB larger than before.
func checkGrowth(t *testing.T, before, mib int) {
	t.Helper()
	if grown := liveHeap() - before; grown > mib<<20 {
		t.Errorf("the heap has grown by %d KiB, want at most %d MiB", grown>>10, mib)
	}
}

func TestPlainPathAllocatesNothing(t *testing.T) {
	if audited {
		t.Skip("the race detector makes sync.Pool forget, and audits allocate")
	}
	m := Start(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	one := treelock.Write("/a/b/c/d")
	ways := map[string]func() (treelock.Grant[path], error){
		"Acquire":                  func() (treelock.Grant[path], error) { return m.Acquire(ctx, one) },
		"Acquire, built each time": func() (treelock.Grant[path], error) { return m.Acquire(ctx, treelock.Write("/a/b").Read("/c/d")) },
		"Acquire, four nodes": func() (treelock.Grant[path], error) {
			return m.Acquire(ctx, treelock.Write("/a/b/c/d", "/e/f/g/h").Read("/i/j/k/l").ReadNode("/m/n/o/p"))
		},
		"TryAcquire": func() (treelock.Grant[path], error) { return m.TryAcquire(t.Context(), one) },
	}
	for name, way := range ways {
		allocs := testing.AllocsPerRun(1000, func() {
			g, err := way()
			if err != nil {
				t.Fatal(err)
			}
			g.Release()
		})
		if allocs != 0 {
			t.Errorf("%s and Release allocate %v times, want 0", name, allocs)
		}
	}
}

// TestMetadataCostsWhatTheDocsSay counts one allocation for a label, and two with a site.
func TestMetadataCostsWhatTheDocsSay(t *testing.T) {
	if audited {
		t.Skip("the race detector makes sync.Pool forget, and audits allocate")
	}
	plain, sites := Start(t.Context()), Start(t.Context(), WithSlowLog(SlowLog{Sites: true}))
	for name, test := range map[string]struct {
		m    *Manager[path]
		req  treelock.Request[path]
		want float64
	}{
		"label": {plain, treelock.Write("/a").Labeled("x"), 1}, "site": {sites, treelock.Write("/a"), 2},
		"both": {sites, treelock.Write("/a").Labeled("x"), 2},
	} {
		allocs := testing.AllocsPerRun(1000, func() {
			g, err := test.m.TryAcquire(t.Context(), test.req)
			if err != nil {
				t.Fatal(err)
			}
			g.Release()
		})
		if allocs != test.want {
			t.Errorf("%s: TryAcquire and Release allocate %v times, want %v", name, allocs, test.want)
		}
	}
}
