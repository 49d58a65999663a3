package locktable_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"weak"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/terms"
	"github.com/treelock/treelock/waitqueue"
)

// A watchedValue is what a table may keep: a node, or the value that a caller attaches to a
// request.
type watchedValue [64]byte

// watchedValues are observed through weak pointers.
type watchedValues []weak.Pointer[watchedValue]

func (w *watchedValues) add() *watchedValue {
	v := new(watchedValue)
	*w = append(*w, weak.Make(v))
	return v
}

// kept returns how many of w are still in memory.
func (w watchedValues) kept() (n int) {
	runtime.GC()
	runtime.GC()
	for _, v := range w {
		if v.Value() != nil {
			n++
		}
	}
	return n
}

// The table forgets the caller's value when a request ends, however it ends.
func TestEndedRequestKeepsNothingOfItsOwner(t *testing.T) {
	tb := locktable.New[string, *watchedValue](10, nil)
	var owners watchedValues
	claims := claimAt(waitqueue.TW, "/a", "/")
	released, withdrawn, granted := tb.SubmitAs(owners.add(), claims), tb.SubmitAs(owners.add(), claims), tb.SubmitAs(owners.add(), claims)
	tb.End(withdrawn)
	tb.End(released)
	tb.End(granted)
	if kept := owners.kept(); kept != 0 {
		t.Errorf("after the end of 3 requests the table keeps %d of their owners, want none", kept)
	}
	runtime.KeepAlive(tb)
}

// Ended requests leave a bounded amount of storage behind. A dropped request is kept by no list, by
// no wait, and by no claim link.
func TestDroppedRequestsAreForgotten(t *testing.T) {
	const many, most = 5000, 1024
	tb := locktable.New[string, int](10, nil)
	holder := tb.Submit(claimAt(waitqueue.TW, "/"))
	claims := append(claimAt(waitqueue.TR, "/a", "/"), claimAt(waitqueue.TR, "/b", "/")...)
	var live []*locktable.Request[string, int]
	var watched []weak.Pointer[locktable.Request[string, int]]
	for i := range many {
		r := tb.SubmitAs(i, claims)
		live, watched = append(live, r), append(watched, weak.Make(r))
	}
	tb.End(holder)
	for _, r := range live {
		tb.End(r)
	}
	live = nil
	runtime.GC()
	runtime.GC()
	kept := 0
	for _, r := range watched {
		if r.Value() != nil {
			kept++
		}
	}
	if kept > most {
		t.Errorf("after the end of %d requests %d are in memory, want %d at most", many, kept, most)
	}
	runtime.KeepAlive(tb)
}

// An evicted node is kept by no request that claimed it, and by no node below it.
func TestEvictedNodesAreForgotten(t *testing.T) {
	const many, maxIdle = 500, 10 // fewer than the requests that a table keeps for reuse
	tb := locktable.New[*watchedValue, int](maxIdle, nil)
	var nodes watchedValues
	var live []*locktable.Request[*watchedValue, int]
	for range many {
		lineage := []*watchedValue{nodes.add(), nodes.add(), nodes.add()}
		live = append(live, tb.Submit([]locktable.Claim[*watchedValue]{{Mode: waitqueue.TW, Lineage: lineage}}))
	}
	for _, r := range live {
		tb.End(r)
	}
	live = nil
	if kept := nodes.kept(); kept > maxIdle {
		t.Errorf("after the end of all requests %d of %d nodes are in memory, want %d at most", kept, len(nodes), maxIdle)
	}
	runtime.KeepAlive(tb)
}

// wideClaims returns claims of n nodes, each a root.
func wideClaims(n int) (claims []locktable.Claim[int]) {
	for i := range n {
		claims = append(claims, locktable.Claim[int]{Mode: waitqueue.TR, Lineage: []int{i}})
	}
	return claims
}

// A request of an abandoned table keeps nothing else of the table in memory.
func TestAbandonedTableKeepsNothing(t *testing.T) {
	tb := locktable.New[*watchedValue, *watchedValue](100, nil)
	var all watchedValues
	root := all.add()
	var live []*locktable.Request[*watchedValue, *watchedValue]
	for range 20 { // one holds, the rest wait
		lineage := []*watchedValue{root, all.add()}
		live = append(live, tb.SubmitAs(all.add(), []locktable.Claim[*watchedValue]{{Mode: waitqueue.TW, Lineage: lineage}}))
	}
	root = nil
	tb.Abandon()
	if kept := all.kept(); kept != 0 {
		t.Errorf("%d nodes and owners are in memory, want none", kept)
	}
	if got := fmt.Sprint(live[0].Granted(), live[1].Waiting(), tb.Live(), tb.Nodes()); got != "false false 0 0" {
		t.Errorf("granted, waiting, live, nodes = %s, want all of it gone", got)
	}
	runtime.KeepAlive(tb)
}

// heap returns the number of bytes in use.
func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // for finalizers and pools that the first one emptied
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// endAll ends all of live.
func endAll[N comparable, W any](tb *locktable.Table[N, W], live []*locktable.Request[N, W]) {
	for _, r := range live {
		tb.End(r)
	}
}

// TestMemoryIsReturned bounds the memory of tables after the end of most requests. Each run returns
// its table, and calls peak when it uses most memory.
func TestMemoryIsReturned(t *testing.T) {
	const least = 16 << 20 // at the peak, if it is called: otherwise the test proves nothing
	for name, test := range map[string]struct {
		most int64 // at the end
		run  func(t *testing.T, peak func()) (table any)
	}{
		"holders of many nodes": {3 << 20, func(t *testing.T, peak func()) any {
			tb := newNumbers(100)
			var live []*locktable.Request[int, int]
			for i := range 200_000 {
				live = append(live, tb.submit(waitqueue.TR, i))
			}
			peak()
			endAll(tb.Table, live)
			if tb.Live() != 0 || tb.Nodes() > 100 {
				t.Errorf("Live() = %d, Nodes() = %d at the end, want 0, and 100 at most", tb.Live(), tb.Nodes())
			}
			checkSound(t, tb)
			return tb
		}},
		"many requests that are granted together": {1 << 20, func(t *testing.T, peak func()) any {
			tb := locktable.New[string, int](10, nil)
			holder := tb.Submit(claimAt(waitqueue.TW, "/"))
			live := make([]*locktable.Request[string, int], 400_000)
			for i, claims := 0, claimAt(waitqueue.TR, "/"); i < len(live); i++ {
				live[i] = tb.SubmitAs(i, claims)
			}
			peak()
			if granted := len(tb.End(holder)); granted != len(live) {
				t.Errorf("End(holder) grants %d requests, want %d", granted, len(live))
			}
			endAll(tb, live)
			return tb
		}},
		"many claims of few requests": {1 << 20, func(_ *testing.T, peak func()) any {
			tb := locktable.New[int, int](10, nil)
			for range 2 {
				r := tb.Submit(wideClaims(300_000))
				peak()
				tb.End(r)
			}
			return tb
		}},
		"many free requests with many nodes each": {4 << 20, func(*testing.T, func()) any {
			const many, wide = 1000, 60
			tb := locktable.New[int, int](10, nil)
			var live []*locktable.Request[int, int]
			for i := range many {
				claims := wideClaims(wide)
				for j := range claims {
					claims[j].Lineage[0] += i * wide
				}
				live = append(live, tb.Submit(claims))
			}
			endAll(tb, live)
			return tb
		}},
		"many long names": {512 << 10, func(_ *testing.T, peak func()) any {
			tb := locktable.New[treelock.Path, string](10, terms.NewPaths())
			var live []*request
			for i := range 60_000 {
				live = append(live, submit(tb, "", treelock.Read(deepPath(i, 1, 300))))
			}
			peak()
			endAll(tb, live)
			return tb
		}},
		"idle nodes with very long names": {6 << 20, func(t *testing.T, _ func()) any {
			tb := locktable.New[treelock.Path, string](4096, terms.NewPaths())
			for i := range 20 {
				tb.End(submit(tb, "", treelock.Write(deepPath(i, 1000, 250))))
			}
			for i := range 500 {
				tb.End(submit(tb, "", treelock.Write(deepPath(i, 1, 100_000))))
			}
			checkSound(t, tb)
			return tb
		}},
		"busy parents of released nodes with long names": {2 << 20, func(t *testing.T, _ func()) any {
			tb := locktable.New[treelock.Path, string](0, terms.NewPaths())
			for i := range 100 {
				parent := deepPath(i, 2, 200)
				child := submit(tb, "", treelock.Write(parent+treelock.Path("/"+strings.Repeat("x", 200_000))))
				submit(tb, "", treelock.ReadNode(parent))
				tb.End(child)
			}
			checkSound(t, tb)
			return tb
		}},
	} {
		before := heap()
		table := test.run(t, func() {
			if got := heap() - before; got < least {
				t.Errorf("%s: %d bytes are in use at the peak, want %d at least", name, got, least)
			}
		})
		if got := heap() - before; got > test.most {
			t.Errorf("%s: %d bytes are in use at the end, want %d at most", name, got, test.most)
		}
		runtime.KeepAlive(table)
	}
}
