package treelock_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// smallTree has all nodes of a tree of three levels, some of them with names that begin like those
// of others.
var smallTree = []treelock.Path{"/", "/a", "/ab", "/a/b", "/a/bc", "/ab/c", "/a/b/c", "/a/b/d"}

// everyClaim returns a claim of each kind for each of nodes.
func everyClaim[N treelock.Node[N]](nodes ...N) (claims []treelock.Claim[N]) {
	for _, node := range nodes {
		for kind := range 4 {
			claims = append(claims, treelock.Claim[N]{Node: node, Scope: treelock.Scope(kind / 2), Access: treelock.Access(kind % 2)})
		}
	}
	return claims
}

// TestClaimsConflictAndCoverAsTheModelSays takes each pair of claims. What a claim covers is what a
// holder of it may narrow to.
func TestClaimsConflictAndCoverAsTheModelSays(t *testing.T) {
	for _, c := range everyClaim(smallTree...) {
		for _, d := range everyClaim(smallTree...) {
			if got, want := c.Conflicts(d), model.Conflict(model.Of(c), model.Of(d)); got != want {
				t.Errorf("(%v).Conflicts(%v) = %t, want %t", c, d, got, want)
			}
			var held model.Model[treelock.Path]
			held.Submit("holder", model.Of(c))
			if _, want := held.Narrow("holder", model.Of(d)); c.Covers(d) != want {
				t.Errorf("(%v).Covers(%v) = %t, want %t", c, d, !want, want)
			}
		}
	}
}

// TestRequestsConflictAsTheModelSays takes random requests for nodes of random trees, dense and
// sparse ones.
func TestRequestsConflictAsTheModelSays(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	conflicts := 0
	for range 20_000 {
		tree := randomTree(rng, 2+rng.IntN(30))
		a, b := randomRequest(rng, tree), randomRequest(rng, tree)
		want := model.Conflict(a, b)
		if want {
			conflicts++
		}
		if got, reverse := a.Conflicts(b), b.Conflicts(a); got != want || reverse != want {
			t.Fatalf("(%v).Conflicts(%v) = %t, in reverse %t, want %t", a, b, got, reverse, want)
		}
	}
	if conflicts < 5_000 || conflicts > 15_000 {
		t.Errorf("%d of 20,000 pairs conflict: the test tests one answer only", conflicts)
	}
}

// randomTree returns n nodes of a tree, parents before their children.
func randomTree(rng *rand.Rand, n int) []treelock.Path {
	nodes := []treelock.Path{"/"}
	for len(nodes) < n {
		above := nodes[rng.IntN(len(nodes))]
		if above == "/" {
			above = ""
		}
		nodes = append(nodes, above+"/"+treelock.Path('a'+rune(rng.IntN(3))))
	}
	return nodes
}

// randomRequest returns a request for some nodes, most of them low in the tree.
func randomRequest(rng *rand.Rand, tree []treelock.Path) request {
	all := everyClaim(tree[rng.IntN(len(tree)):]...)
	var picked []claim
	for range rng.IntN(6) {
		picked = append(picked, all[rng.IntN(len(all))])
	}
	return treelock.For[treelock.Path]().With(picked...)
}

func TestClaimsAreComparedWithoutAllocation(t *testing.T) {
	c, d := claim{"/a", treelock.Subtree, treelock.Exclusive}, claim{"/a/b/c", treelock.Subtree, treelock.Exclusive}
	var all bool
	if got := testing.AllocsPerRun(100, func() { all = c.Covers(d) && c.Conflicts(d) && d.Conflicts(c) }); got != 0 || !all {
		t.Errorf("Covers and Conflicts allocate %v times, want 0", got)
	}
}

// step is a node of a tree that is one line: numbers from n down to 0. Below 0 they never end.
type step int

func (s step) Parent() (step, bool) { return s - 1, s != 0 }

// The longest lineage that a manager admits by default is looked at to its end, and a longer one is
// not.
func TestLineagesAreFollowedUpToTheDefaultDepth(t *testing.T) {
	root := treelock.Claim[step]{Node: 0, Access: treelock.Exclusive}
	for node, want := range map[step]bool{1: true, 4095: true, 4096: false, -1: false} {
		below := treelock.Claim[step]{Node: node}
		if got := root.Covers(below); got != want {
			t.Errorf("the root covers node %d = %t, want %t", node, got, want)
		}
		if got := below.Conflicts(root); got != want {
			t.Errorf("node %d conflicts with the root = %t, want %t", node, got, want)
		}
		if got := model.Of(below).Conflicts(model.Of(root)); got != want {
			t.Errorf("a request for node %d conflicts with one for the root = %t, want %t", node, got, want)
		}
	}
}

// ring is a node whose Parent runs in a circle.
type ring int

func (r ring) Parent() (ring, bool) { return (r + 1) % 10, true }

func TestConflictsOfNodesInACircleEnd(t *testing.T) {
	inside, outside := treelock.Claim[ring]{Node: 3, Access: treelock.Exclusive}, treelock.Claim[ring]{Node: 10}
	if !inside.Covers(outside) || outside.Covers(inside) || !inside.Conflicts(outside) || !model.Of(outside).Conflicts(model.Of(inside)) {
		t.Error("a node does not lie below a circle that its Parent leads into")
	}
	if inside.Node = 11; inside.Covers(outside) || inside.Conflicts(outside) || model.Of(inside).Conflicts(model.Of(outside)) {
		t.Error("a node above no other one covers one in a circle")
	}
}

// odd is a node that may hold anything. Its parent is above, if there is one.
type odd struct {
	value any
	above *any
}

func (o odd) Parent() (odd, bool) {
	if o.above == nil {
		return odd{}, false
	}
	return odd{value: *o.above}, true
}

// Nodes that a manager refuses equal no node. The same holds for ancestors.
func TestNodesThatCannotBeComparedConflictWithNothing(t *testing.T) {
	for _, bad := range []any{math.NaN(), []int{1}, func() {}, [2]any{1, []int{1}}, [2]any{math.NaN(), []int{1}}, struct{ m map[int]int }{}} {
		claims := everyClaim(odd{value: bad}, odd{value: 1, above: &bad})
		for _, c := range claims {
			for _, d := range slices.Concat(claims[:4], everyClaim(odd{value: 2}, odd{value: [2]any{1, 2}})) {
				if c.Covers(d) || d.Covers(c) || c.Conflicts(d) || d.Conflicts(c) {
					t.Errorf("claims of the nodes %T and %T conflict or cover one another", c.Node.value, d.Node.value)
				}
			}
		}
		requests := model.Of(claims...)
		if requests.Conflicts(model.Of(everyClaim(odd{value: bad})...)) || model.Of(claims[:4]...).Conflicts(requests) {
			t.Errorf("requests for nodes that hold a %T conflict", bad)
		}
	}
	var good any = "good"
	if c := (treelock.Claim[odd]{Node: odd{value: good}}); !c.Covers(treelock.Claim[odd]{Node: odd{value: 1, above: &good}}) {
		t.Error("a node does not lie below one that it names as its parent")
	}
}

// A panic of Parent is the caller's own.
func TestPanicInParentReachesTheCaller(t *testing.T) {
	for name, call := range map[string]func(c treelock.Claim[bomb]){
		"Covers":            func(c treelock.Claim[bomb]) { c.Covers(treelock.Claim[bomb]{Node: bomb{1}}) },
		"Conflicts":         func(c treelock.Claim[bomb]) { c.Conflicts(treelock.Claim[bomb]{Node: bomb{1}}) },
		"Request.Conflicts": func(c treelock.Claim[bomb]) { model.Of(c).Conflicts(model.Of(treelock.Claim[bomb]{Node: bomb{1}})) },
	} {
		func() {
			defer func() {
				if got := recover(); got != "mine" {
					t.Errorf("%s has panicked with %v, want the panic of Parent", name, got)
				}
			}()
			call(treelock.Claim[bomb]{Node: bomb{0}, Access: treelock.Exclusive})
		}()
	}
}

type bomb struct{ id int }

func (bomb) Parent() (bomb, bool) { panic("mine") }

// counted is a node that counts how often its parent is asked for.
type counted struct {
	id    int
	calls *int
}

func (c counted) Parent() (counted, bool) {
	*c.calls++
	return counted{c.id / 10, c.calls}, c.id > 0
}

// Wide requests are not compared claim by claim.
func TestWideRequestsAreComparedInLinearTime(t *testing.T) {
	const width = 20_000
	calls := 0
	var a, b []treelock.Claim[counted]
	for i := range width {
		a = append(a, treelock.Claim[counted]{Node: counted{1e6 + i, &calls}, Access: treelock.Exclusive})
		b = append(b, treelock.Claim[counted]{Node: counted{2e6 + i, &calls}, Access: treelock.Exclusive})
	}
	if model.Of(a...).Conflicts(model.Of(b...)) {
		t.Error("requests for different nodes conflict")
	}
	if most := 2 * width * 8; calls > most {
		t.Errorf("Parent was called %d times for %d claims, want at most %d times", calls, 2*width, most)
	}
}
