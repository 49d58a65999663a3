package locktable_test

import (
	"fmt"
	"runtime"
	"testing"
	"weak"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
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
	tb := locktable.New[string, *watchedValue](10)
	var owners watchedValues
	claims := claimAt(waitqueue.TW, "/a", "/")
	released, withdrawn, granted := tb.Submit(owners.add(), claims), tb.Submit(owners.add(), claims), tb.Submit(owners.add(), claims)
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
	tb := locktable.New[string, int](10)
	holder := tb.Submit(0, claimAt(waitqueue.TW, "/"))
	claims := append(claimAt(waitqueue.TR, "/a", "/"), claimAt(waitqueue.TR, "/b", "/")...)
	var live []*locktable.Request[string, int]
	var watched []weak.Pointer[locktable.Request[string, int]]
	for i := range many {
		r := tb.Submit(i, claims)
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
	tb := locktable.New[*watchedValue, int](maxIdle)
	var nodes watchedValues
	var live []*locktable.Request[*watchedValue, int]
	for range many {
		lineage := []*watchedValue{nodes.add(), nodes.add(), nodes.add()}
		live = append(live, tb.Submit(0, []locktable.Claim[*watchedValue]{{Mode: waitqueue.TW, Lineage: lineage}}))
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

// The storage of many claims of few requests is freed, too.
func TestFurtherClaimsAreForgotten(t *testing.T) {
	const wide, rest = 300_000, 1 << 20
	tb := locktable.New[int, int](10)
	start := heap()
	for range 2 {
		r := tb.Submit(0, wideClaims(wide))
		if taken := heap() - start; taken < wide*64 {
			t.Errorf("the live request takes %d bytes, want %d at least: else the test tests nothing", taken, wide*64)
		}
		tb.End(r)
	}
	if kept := heap() - start; kept > rest {
		t.Errorf("after the end of the requests %d bytes are in use, want %d at most", kept, rest)
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

// The list of all requests, and that of requests granted together, shrink again.
func TestListsOfRequestsShrink(t *testing.T) {
	const many, rest = 400_000, 1 << 20 // a list of many takes 3 MB
	tb := locktable.New[string, int](10)
	start := heap()
	holder := tb.Submit(0, claimAt(waitqueue.TW, "/"))
	claims := claimAt(waitqueue.TR, "/")
	live := make([]*locktable.Request[string, int], many)
	for i := range live {
		live[i] = tb.Submit(i, claims)
	}
	if granted := len(tb.End(holder)); granted != many {
		t.Errorf("End(holder) grants %d requests, want %d", granted, many)
	}
	for _, r := range live {
		tb.End(r)
	}
	live = nil
	if kept := heap() - start; kept > rest {
		t.Errorf("after the end of %d requests %d bytes are in use, want %d at most", many, kept, rest)
	}
	runtime.KeepAlive(tb)
}

// A request of an abandoned table keeps nothing else of the table in memory.
func TestAbandonedTableKeepsNothing(t *testing.T) {
	tb := locktable.New[*watchedValue, *watchedValue](100)
	var all watchedValues
	root := all.add()
	var live []*locktable.Request[*watchedValue, *watchedValue]
	for range 20 { // one holds, the rest wait
		lineage := []*watchedValue{root, all.add()}
		live = append(live, tb.Submit(all.add(), []locktable.Claim[*watchedValue]{{Mode: waitqueue.TW, Lineage: lineage}}))
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

// The map of long names shrinks again, too.
func TestTableOfLongNamesShrinks(t *testing.T) {
	const many, rest = 60_000, 512 << 10 // a table of many takes more than 1 MB
	tb := locktable.New[treelock.Path, int](10)
	start := heap()
	live := make([]*locktable.Request[treelock.Path, int], many)
	for i := range live {
		live[i] = tb.Submit(i, locktable.ClaimsOf(treelock.Read(deepPath(i, 1, 300))))
	}
	for _, r := range live {
		tb.End(r)
	}
	live = nil
	if kept := heap() - start; kept > rest {
		t.Errorf("after the end of %d requests %d bytes are in use, want %d at most", many, kept, rest)
	}
	runtime.KeepAlive(tb)
}

// A free request does not keep its nodes in memory if they are many.
func TestFreeRequestsKeepFewNodes(t *testing.T) {
	const many, wide, rest = 1000, 60, 4 << 20 // so many nodes take more than 7 MB
	tb := locktable.New[int, int](10)
	start := heap()
	var live []*locktable.Request[int, int]
	for i := range many {
		claims := wideClaims(wide)
		for j := range claims {
			claims[j].Lineage[0] += i * wide
		}
		live = append(live, tb.Submit(0, claims))
	}
	for _, r := range live {
		tb.End(r)
	}
	live = nil
	if kept := heap() - start; kept > rest {
		t.Errorf("after the end of all requests %d bytes are in use, want %d at most", kept, rest)
	}
	runtime.KeepAlive(tb)
}
