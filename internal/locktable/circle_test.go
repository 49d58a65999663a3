package locktable_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/terms"
)

type step = locktable.Step[treelock.Path, string]

// names returns the clients of the requests of a circle.
func names(circle []step) (names []string) {
	for _, s := range circle {
		names = append(names, s.Request.Who)
	}
	return names
}

func TestCircleOfThreeIsNamedWithWhatEachWaitsFor(t *testing.T) {
	tb := newTable()
	a, b, c := submit(tb, "a", write("/a")), submit(tb, "b", write("/b")), submit(tb, "c", write("/c"))
	widen(t, tb, a, "a+", read("/b/x"))
	widen(t, tb, b, "b+", read("/c"))
	w, _ := tb.WidenAs(c, "c+", locktable.ClaimsOf(write("/")))
	circle := tb.Circle(w, nil, nil)
	if diff := cmp.Diff([]string{"c", "b"}, names(circle)); diff != "" {
		t.Errorf("c waits for a and b, and b waits for c: the shortest circle: -want +got:\n%s", diff)
	}
	tb.End(w)
	w, _ = tb.WidenAs(c, "c+", locktable.ClaimsOf(write("/a/y")))
	circle = tb.Circle(w, nil, nil)
	if diff := cmp.Diff([]string{"c", "a", "b"}, names(circle)); diff != "" {
		t.Fatalf("the circle of three: -want +got:\n%s", diff)
	}
	for i, want := range []struct{ claim, wanted, waiting, by string }{
		{"write /a", "write /a/y", "c+", "a"},
		{"write /b", "read /b/x", "a+", "b"},
		{"write /c", "read /c", "b+", "c"},
	} {
		s := circle[i]
		got := [...]string{claimText(s.Why.Claim), claimText(s.Why.Wanted), s.Waiting.Who, s.For.Who}
		if diff := cmp.Diff([...]string{want.claim, want.wanted, want.waiting, want.by}, got); diff != "" {
			t.Errorf("step %d: -want +got:\n%s", i, diff)
		}
	}
}

// claimText returns the text of a claim.
func claimText(c locktable.NodeMode[treelock.Path]) string {
	return none.With(terms.ClaimOf(c.Node, c.Mode)).String()
}

func TestCircleGoesThroughRequestsThatOnlyWait(t *testing.T) {
	tb := newTable()
	g, other := submit(tb, "g", read("/a")), submit(tb, "other", read("/b"))
	submit(tb, "waits for both", write("/a").Write("/b"))
	last := submit(tb, "last", read("/b"))
	w, got := widen(t, tb, g, "w", write("/b"))
	if got != "refused" || w != nil {
		t.Fatalf("Widen: %s, want refused: the writer waits for g and came before", got)
	}
	tb.End(other)
	if last.Granted() {
		t.Fatalf("the last reader has overtaken the writer")
	}
	if circle := tb.Circle(last, []*request{g}, nil); !slices.Equal(names(circle), []string{"last", "waits for both", "g"}) || circle[2].Waiting != nil {
		t.Errorf("a request of the caller of g: the circle %v", names(circle))
	}
	if circle := tb.Circle(last, nil, nil); circle != nil {
		t.Errorf("a request of another caller: the circle %v, want none", names(circle))
	}
}

// TestTwoReadersThatBothUpgradeCloseACircle: the entries of both widenings are in one group.
func TestTwoReadersThatBothUpgradeCloseACircle(t *testing.T) {
	tb := newTable()
	var readers []*request
	for _, who := range []string{"a", "b", "c"} {
		readers = append(readers, submit(tb, who, read("/a")))
	}
	if _, got := widen(t, tb, readers[0], "a+", write("/a")); got != "waits" {
		t.Fatalf("the first upgrade: %s, want waits", got)
	}
	w, _ := tb.WidenAs(readers[2], "c+", locktable.ClaimsOf(write("/a")))
	circle := tb.Circle(w, nil, nil)
	if diff := cmp.Diff([]string{"c", "a"}, names(circle)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A nest is tables inside one another, with requests of callers that hold others.
type nest struct {
	all []*nested
}

type nested struct {
	*request
	tb     *table
	inside *table // for requests inside, nil until there is one
	parent *nested
	under  *nested // its caller holds it while it waits, or nil
	seq    uint64
}

// up is the function for Circle.
func (n *nest) up(r *request) (all []*request) {
	for _, e := range n.all {
		if e.request == r {
			if e.under != nil && e.under.isLive() && r.Waiting() {
				all = append(all, e.under.request)
			}
			if e.parent != nil && r.Granted() {
				all = append(all, e.parent.request)
			}
		}
	}
	return all
}

func (e *nested) isLive() bool { return e.Seq() == e.seq }

// vertex returns the grant of a widening, and every other request itself.
func vertex(r *request) *request {
	if grant := r.Widens(); grant != nil {
		return grant
	}
	return r
}

func (n *nest) onCircle(a *request) bool { return n.leadsTo(vertex(a), vertex(a)) }

// leadsTo searches forwards, with the blockers of each request: a waits for b, directly or not.
func (n *nest) leadsTo(a, b *request) bool {
	seen := map[*request]bool{}
	var search func(r *request) bool
	search = func(r *request) bool {
		for _, next := range n.waitsFor(r) {
			if next = vertex(next); next == b {
				return true
			}
			if !seen[next] {
				seen[next] = true
				if search(next) {
					return true
				}
			}
		}
		return false
	}
	return search(a)
}

// checkCircleTo compares CircleTo with a search forwards, for a caller that holds one request at
// random and waits for another one.
func (n *nest) checkCircleTo(t *testing.T, rng *rand.Rand, outer *table) (found bool) {
	if len(n.all) == 0 {
		return false
	}
	held, other := n.all[rng.IntN(len(n.all))], vertex(n.all[rng.IntN(len(n.all))].request)
	if !held.Granted() {
		return false
	}
	circle := outer.CircleTo([]*request{held.request}, n.up, func(r *request) bool { return r == other })
	if want := other == held.request || n.leadsTo(other, held.request); want != (circle != nil) {
		t.Fatalf("the circle %v, want one: %t", names(circle), want)
	}
	for i, s := range circle[:max(0, len(circle)-1)] {
		if next := circle[i+1].Request; !slices.ContainsFunc(n.waitsFor(s.Request), func(r *request) bool { return vertex(r) == next }) {
			t.Fatalf("step %d of %v does not wait for the next", i, names(circle))
		}
	}
	if circle != nil && (circle[0].Request != other || circle[len(circle)-1].Request != held.request) {
		t.Fatalf("%v does not lead from one to the other", names(circle))
	}
	return len(circle) > 2
}

// waitsFor returns what r waits for, its widening included.
func (n *nest) waitsFor(r *request) (all []*request) {
	for _, e := range n.all {
		if vertex(e.request) == r && e.Waiting() {
			e.tb.Blockers(e.request, 100, func(b *request, _ locktable.ConflictPair[treelock.Path]) { all = append(all, b) })
		}
		if vertex(e.request) == r {
			continue // a widening under the context of its own grant
		}
		if e.under != nil && e.under.isLive() && e.under.request == r && e.Waiting() || e.parent != nil && e.parent.request == r && e.Granted() {
			all = append(all, e.request)
		}
	}
	return all
}

// add adds a new request and refuses it if it closes a circle, which it returns.
func (n *nest) add(t *testing.T, e *nested) (refused bool) {
	e.seq = e.Seq()
	n.all = append(n.all, e)
	if !e.Waiting() {
		return false
	}
	var from []*request
	if e.under != nil {
		from = append(from, e.under.request)
	}
	circle, want := e.tb.Circle(e.request, from, n.up), n.onCircle(e.request)
	if want != (circle != nil) {
		t.Fatalf("the circle %v, want one: %t", names(circle), want)
	}
	for i, s := range circle {
		if next := circle[(i+1)%len(circle)].Request; !slices.ContainsFunc(n.waitsFor(s.Request), func(r *request) bool { return vertex(r) == next }) {
			t.Fatalf("step %d of the circle %v does not wait for the next", i, names(circle))
		}
	}
	if circle != nil {
		n.end(e)
	}
	return circle != nil
}

func (n *nest) end(e *nested) {
	e.tb.End(e.request)
	n.all = slices.DeleteFunc(n.all, func(e *nested) bool { return !e.isLive() })
}

// step does something at random.
func (n *nest) step(t *testing.T, rng *rand.Rand, outer *table) (refused bool) {
	claims := locktable.ClaimsOf(fewClaims(rng))
	var e, under *nested
	if len(n.all) > 0 {
		e = n.all[rng.IntN(len(n.all))]
	}
	if rng.IntN(2) == 0 && e != nil && e.Granted() {
		under = e
	}
	hasInner := func(e *nested) bool { return e.inside != nil && e.inside.Live() > 0 }
	switch action := rng.IntN(6); {
	case e == nil || action == 0 && len(n.all) < 12:
		return n.add(t, &nested{request: outer.SubmitAs("outer", claims), tb: outer, under: under})
	case action == 1 && e.Granted() && len(n.all) < 12:
		if e.inside == nil {
			e.inside = e.tb.NewInside(1)
		}
		return n.add(t, &nested{request: e.inside.SubmitAs("inner", claims), tb: e.inside, parent: e, under: under})
	case action <= 3 && e.Granted() && e.Widening() == nil:
		if w, _ := e.tb.WidenAs(e.request, "widening", claims); w != nil {
			return n.add(t, &nested{request: w, tb: e.tb, under: under})
		}
	case action > 3 && !hasInner(e):
		n.end(e)
	}
	n.all = slices.DeleteFunc(n.all, func(e *nested) bool { return !e.isLive() })
	return false
}

// fewClaims returns one or two claims in a small tree.
func fewClaims(rng *rand.Rand) (req pathRequest) {
	nodes := []treelock.Path{"/", "/a", "/a/x", "/b"}
	for range 1 + rng.IntN(2) {
		claim := treelock.Claim[treelock.Path]{Node: nodes[rng.IntN(len(nodes))]}
		claim.Scope, claim.Access = treelock.Scope(rng.IntN(2)), treelock.Access(rng.IntN(2))
		req = req.With(claim)
	}
	return req
}

// TestCirclesThroughTablesInsideOneAnotherAreFound compares Circle and CircleTo with a search
// forwards in the graph of all blockers, with requests inside grants and calls of holders.
func TestCirclesThroughTablesInsideOneAnotherAreFound(t *testing.T) {
	refused, found := 0, 0
	for seed := range uint64(200) {
		rng, n, outer := rand.New(rand.NewPCG(seed, 1)), &nest{}, newTable()
		for range 100 {
			if n.step(t, rng, outer) {
				refused++
			}
			if n.checkCircleTo(t, rng, outer) {
				found++
			}
			for _, e := range n.all {
				checkSound(t, e.tb)
			}
		}
	}
	if refused < 500 || found < 500 {
		t.Errorf("%d circles were refused, and %d found for a caller, want many", refused, found)
	}
}
