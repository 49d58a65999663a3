package locktable_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/model"
	"github.com/treelock/treelock/internal/terms"
	"github.com/treelock/treelock/waitqueue"
)

// claimAt returns a claim of the first node of a lineage.
func claimAt(mode waitqueue.Mode, lineage ...string) []locktable.Claim[string] {
	return []locktable.Claim[string]{{Mode: mode, Lineage: lineage}}
}

// A forest is six nodes. forest[i] is the parent of node i, or i at a root. Parents are smaller, so
// 0 is often one: the table must not take cleared storage for the node with the zero name.
type forest [6]int

// A tree is a node of one of several forests with the same names. The model sees forest and name,
// the table only the name.
type tree struct {
	forest *forest
	node   int
}

func (n tree) Parent() (tree, bool) {
	parent := n.forest[n.node]
	return tree{n.forest, parent}, parent != n.node
}

func randomForest(rng *rand.Rand) *forest {
	var f forest
	for i := range f {
		f[i] = rng.IntN(i + 1)
	}
	return &f
}

// randomTreeRequest returns a request for the model, and its claims for the table.
func randomTreeRequest(rng *rand.Rand, f *forest) (req treelock.Request[tree], claims []locktable.Claim[int]) {
	for range 1 + rng.IntN(3) {
		node := tree{f, rng.IntN(len(f))}
		scope, access := treelock.Scope(rng.IntN(2)), treelock.Access(rng.IntN(2))
		add := [2][2]func(...tree) treelock.Request[tree]{{req.Read, req.Write}, {req.ReadNode, req.WriteNode}}
		req = add[scope][access](node)
		claim := locktable.Claim[int]{Mode: terms.ModeOf(scope, access)}
		for ok := true; ok; node, ok = node.Parent() {
			claim.Lineage = append(claim.Lineage, node.node)
		}
		claims = append(claims, claim)
	}
	return req, claims
}

// TestTableFollowsTheRuleInForestsThatChange runs one table through many forests with the same
// names, so nodes move, and roots get parents and lose them. No request is live when a forest
// begins.
func TestTableFollowsTheRuleInForestsThatChange(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 5))
		tb := locktable.New[int, string](rng.IntN(8), nil)
		for range 20 {
			playForest(t, rng, tb, randomForest(rng))
			if tb.Live() != 0 || tb.Waiting() != 0 {
				t.Fatalf("seed %d: %d are live, %d wait, want nothing left", seed, tb.Live(), tb.Waiting())
			}
		}
	}
}

// playForest submits and ends random requests in one forest, and ends all of them at last.
func playForest(t *testing.T, rng *rand.Rand, tb *locktable.Table[int, string], f *forest) {
	var m model.Model[tree]
	live := map[string]*locktable.Request[int, string]{}
	for step := 0; step < 20 || len(live) > 0; step++ {
		var got, want []string
		if names := m.Live(); step < 20 && (len(names) == 0 || rng.IntN(2) == 0) {
			name := fmt.Sprint("r", step)
			req, claims := randomTreeRequest(rng, f)
			want, live[name] = m.Submit(name, req), tb.SubmitAs(name, claims)
			if live[name].Granted() {
				got = append(got, name)
			}
		} else {
			name := names[rng.IntN(len(names))]
			want = m.End(name)
			for _, r := range tb.End(live[name]) {
				got = append(got, r.Who)
			}
			delete(live, name)
		}
		sorted := cmpopts.SortSlices(func(a, b string) bool { return a < b })
		if diff := cmp.Diff(want, got, sorted, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("I2: forest %v: granted, -want +got:\n%s", *f, diff)
		}
		checkSound(t, tb)
	}
}

// TestNodeThatIsItsOwnParentIsNoChildOfItself: a lineage is finite, so its last node has no parent.
func TestNodeThatIsItsOwnParentIsNoChildOfItself(t *testing.T) {
	tb := locktable.New[string, string](10, nil)
	tb.SubmitAs("below", claimAt(waitqueue.TW, "x", "loop", "loop"))
	waits := tb.SubmitAs("above", claimAt(waitqueue.TR, "loop", "loop"))
	var names []string
	more, all := tb.Blockers(waits, 4, func(b *locktable.Request[string, string], _ locktable.ConflictPair[string]) {
		names = append(names, b.Who)
	})
	if len(names) != 1 || names[0] != "below" || more != 0 || !all {
		t.Errorf("Blockers() = %v and %d more, all=%t, want below alone", names, more, all)
	}
	checkSound(t, tb)
}

// TestRefusedNarrowLeavesNoNodes moves a node that another request holds at its former parent.
func TestRefusedNarrowLeavesNoNodes(t *testing.T) {
	tb := locktable.New[string, string](0, nil)
	folder := tb.SubmitAs("folder", claimAt(waitqueue.TW, "folder", "root"))
	tb.SubmitAs("other", claimAt(waitqueue.TW, "x", "elsewhere", "root"))
	before := tb.Nodes()
	if _, ok := tb.Narrow(folder, claimAt(waitqueue.TW, "x", "new", "folder", "root")); ok {
		t.Error("Narrow() = true, want false as another request holds the node")
	}
	if tb.Nodes() != before || !folder.Granted() {
		t.Errorf("there are %d nodes, granted=%t, want %d and true", tb.Nodes(), folder.Granted(), before)
	}
	checkSound(t, tb)
}

// TestWrittenNodeThatMovesIsLinkedAsWritten moves a claimed node, which a program must not do.
func TestWrittenNodeThatMovesIsLinkedAsWritten(t *testing.T) {
	tb := locktable.New[string, string](10, nil)
	tb.SubmitAs("writer", claimAt(waitqueue.TW, "x", "old", "root"))
	tb.SubmitAs("reader", claimAt(waitqueue.NR, "x", "new", "root"))
	checkSound(t, tb)
}

// TestNodesThatMoveAtRandomLeaveATableSound moves nodes while they are claimed, even below one
// another, which a program must not do.
func TestNodesThatMoveAtRandomLeaveATableSound(t *testing.T) {
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 9))
		tb := locktable.New[int, string](rng.IntN(5), nil)
		var live []*locktable.Request[int, string]
		for range 60 {
			live = moveAtRandom(rng, tb, live)
			checkSound(t, tb)
		}
		for len(live) > 0 {
			tb.End(live[0])
			live = slices.DeleteFunc(live, hasEnded)
		}
		if tb.NodeUses() != 0 {
			t.Fatalf("seed %d: %d node uses are left, want none", seed, tb.NodeUses())
		}
	}
}

func hasEnded(r *locktable.Request[int, string]) bool { return r.Seq() == 0 }

// moveAtRandom takes a step with claims of nodes that have a new lineage each time.
func moveAtRandom(rng *rand.Rand, tb *locktable.Table[int, string], live []*locktable.Request[int, string]) []*locktable.Request[int, string] {
	var claims []locktable.Claim[int]
	for range 1 + rng.IntN(2) {
		lineage := rng.Perm(5)[:1+rng.IntN(4)]
		claims = append(claims, locktable.Claim[int]{Mode: waitqueue.NR + waitqueue.Mode(rng.IntN(4)), Lineage: lineage})
	}
	var r *locktable.Request[int, string]
	if len(live) > 0 {
		r = live[rng.IntN(len(live))]
	}
	switch action := rng.IntN(5); {
	case r == nil || action == 0:
		live = append(live, tb.Submit(claims))
	case action == 1 && r.Granted() && r.Widening() == nil:
		tb.Narrow(r, claims)
	case action == 2 && r.Granted() && r.Widening() == nil:
		if w, _ := tb.Widen(r, claims); w != nil && tb.Circle(w, nil, nil) != nil {
			tb.End(w)
		} else if w != nil {
			live = append(live, w)
		}
	case action > 2:
		tb.End(r)
	}
	live = slices.DeleteFunc(live, hasEnded)
	for _, r := range live {
		if r.Waiting() {
			tb.Blockers(r, 3, func(*locktable.Request[int, string], locktable.ConflictPair[int]) {})
		}
	}
	return live
}
