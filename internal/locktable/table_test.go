package locktable_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/terms"
	"github.com/treelock/treelock/waitqueue"
)

type (
	table   = locktable.Table[treelock.Path, string]
	request = locktable.Request[treelock.Path, string]
)

// submit submits req for the client who.
func submit(tb *table, who string, req treelock.Request[treelock.Path]) *request {
	return tb.SubmitAs(who, locktable.ClaimsOf(req))
}

// checkSound fails the test if an invariant is violated.
func checkSound(t *testing.T, tb interface{ Check() error }) {
	t.Helper()
	if err := tb.Check(); err != nil {
		t.Fatal(err)
	}
}

// numbers is a table whose nodes are numbers, which cost nothing to make. 0 is the root.
type numbers struct {
	*locktable.Table[int, int]
	claims []locktable.Claim[int]
}

func newNumbers(maxIdle int) numbers {
	claims := []locktable.Claim[int]{{Lineage: make([]int, 3)}}
	return numbers{Table: locktable.New[int, int](maxIdle, nil), claims: claims}
}

// submit submits a request for node i, in a folder with every thousandth node.
func (n numbers) submit(mode waitqueue.Mode, i int) *locktable.Request[int, int] {
	n.claims[0].Mode = mode
	n.claims[0].Lineage[0], n.claims[0].Lineage[1] = i+2000, i%1000+1
	return n.SubmitAs(i, n.claims)
}

// TestTableForgetsReleasedNodes checks I8 over a long time, for a program that never uses a node
// again.
func TestTableForgetsReleasedNodes(t *testing.T) {
	const nodes, maxIdle, maxLive = 200_000, 100, 50
	tb := newNumbers(maxIdle)
	live := make([]*locktable.Request[int, int], maxLive)
	for i := range nodes {
		slot := &live[i%maxLive]
		if *slot != nil {
			tb.End(*slot)
		}
		*slot = tb.submit(waitqueue.TW, i)
		if most := maxIdle + 2*maxLive + 1; tb.Nodes() > most {
			t.Fatalf("Nodes() = %d after %d nodes, want %d at most", tb.Nodes(), i, most)
		}
	}
	for _, r := range live {
		tb.End(r)
	}
	if tb.Nodes() > maxIdle || tb.Live() != 0 || tb.Waiting() != 0 {
		t.Errorf("Nodes() = %d, Live() = %d, Waiting() = %d, want %d at most, 0, 0", tb.Nodes(), tb.Live(), tb.Waiting(), maxIdle)
	}
	checkSound(t, tb)
}

func TestReusedStorageHasANewNumber(t *testing.T) {
	tb := locktable.New[treelock.Path, string](4, terms.NewPaths())
	first := submit(tb, "first", treelock.Read("/a"))
	number := first.Seq()
	if tb.End(first); first.Seq() != 0 || first.Granted() || first.Waiting() {
		t.Errorf("after its end: Seq() = %d, Granted() = %t, Waiting() = %t", first.Seq(), first.Granted(), first.Waiting())
	}
	second := submit(tb, "second", treelock.Read("/a"))
	if second != first || second.Seq() != number+1 {
		t.Errorf("Seq() = %d, storage reused=%t, want %d and true", second.Seq(), second == first, number+1)
	}
}

func TestRequestsRunByArrival(t *testing.T) {
	tb := locktable.New[treelock.Path, string](4, terms.NewPaths())
	submit(tb, "holder", treelock.Write("/"))
	for i := range 6 {
		submit(tb, fmt.Sprint("w", i), treelock.Write(treelock.Path(fmt.Sprint("/", i%3))))
	}
	var got []string
	var leavers []*request
	for _, r := range tb.Requests() {
		if got = append(got, fmt.Sprint(r.Who, " ", r.Waiting())); len(got)%2 == 0 {
			leavers = append(leavers, r)
		}
	}
	for _, r := range leavers {
		tb.End(r)
	}
	want := []string{"holder false", "w0 true", "w1 true", "w2 true", "w3 true", "w4 true", "w5 true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Requests(): -want +got:\n%s", diff)
	}
	got = nil
	for _, r := range tb.Waiters() {
		got = append(got, r.Who)
	}
	if diff := cmp.Diff([]string{"w1", "w3", "w5"}, got); diff != "" {
		t.Errorf("Waiters() after some were withdrawn: -want +got:\n%s", diff)
	}
	if waiting, live := tb.Waiting(), tb.Live(); waiting != 3 || live != 4 {
		t.Errorf("Waiting() = %d, Live() = %d after three were withdrawn, want 3 and 4", waiting, live)
	}
	checkSound(t, tb)
}

func TestStepsOutOfOrderPanic(t *testing.T) {
	tb := locktable.New[treelock.Path, string](4, terms.NewPaths())
	submit(tb, "holder", treelock.Write("/"))
	waiter := submit(tb, "waiter", treelock.Write("/"))
	ended := submit(tb, "ended", treelock.Write("/"))
	tb.End(ended)
	for name, step := range map[string]func(){
		"Narrow of a waiter":        func() { tb.Narrow(waiter, nil) },
		"End of one that has ended": func() { tb.End(ended) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			step()
		}()
	}
	checkSound(t, tb)
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	tb := locktable.New[treelock.Path, string](16, terms.NewPaths())
	claims := locktable.ClaimsOf(treelock.Read("/a/b/c").Write("/a/b/d", "/x"))
	for name, round := range map[string]func(){
		"Submit and Release": func() { tb.End(tb.SubmitAs("holder", claims)) },
		"Submit, Withdraw and Release": func() {
			holder := tb.SubmitAs("holder", claims)
			tb.End(tb.SubmitAs("waiter", claims))
			tb.End(holder)
		},
		"Submit and hand over": func() {
			holder := tb.SubmitAs("holder", claims)
			tb.SubmitAs("waiter", claims)
			tb.End(tb.End(holder)[0])
		},
	} {
		if got := testing.AllocsPerRun(100, round); got != 0 {
			t.Errorf("%s: %v allocations, want 0", name, got)
		}
	}
}
