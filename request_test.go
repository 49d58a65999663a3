package treelock_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
)

type (
	request = treelock.Request[treelock.Path]
	claim   = treelock.Claim[treelock.Path]
)

// claims returns the claims of r as a slice.
func claims(r request) []claim { return slices.Collect(r.Claims()) }

// chain returns a request for n nodes /0, /1, ... added one by one, and its claims.
func chain(n int) (r request, want []claim) {
	for i := range n {
		node := treelock.Path(fmt.Sprint("/", i))
		r = r.Read(node)
		want = append(want, claim{Node: node, Scope: treelock.Subtree, Access: treelock.Shared})
	}
	return r, want
}

func TestZeroRequestClaimsNothing(t *testing.T) {
	for name, r := range map[string]request{
		"Request{}":      {},
		"Read()":         treelock.Read(),
		"Write().Read()": treelock.Write().Read(),
		"ReadNode()":     treelock.ReadNode(),
		"WriteNode()":    treelock.WriteNode(),
	} {
		if r.Len() != 0 || claims(r) != nil || r.String() != "nothing" {
			t.Errorf("%s has Len() = %d, Claims() = %v, String() = %q, want nothing", name, r.Len(), claims(r), r)
		}
	}
}

func TestVerbsSayScopeAndAccess(t *testing.T) {
	for _, test := range []struct {
		verb string
		got  request
		want []claim
	}{
		{"Read", treelock.Read("/a", "/b"), []claim{{"/a", treelock.Subtree, treelock.Shared}, {"/b", treelock.Subtree, treelock.Shared}}},
		{"Write", treelock.Write("/a", "/b"), []claim{{"/a", treelock.Subtree, treelock.Exclusive}, {"/b", treelock.Subtree, treelock.Exclusive}}},
		{"ReadNode", treelock.ReadNode("/a", "/b"), []claim{{"/a", treelock.NodeOnly, treelock.Shared}, {"/b", treelock.NodeOnly, treelock.Shared}}},
		{"WriteNode", treelock.WriteNode("/a", "/b"), []claim{{"/a", treelock.NodeOnly, treelock.Exclusive}, {"/b", treelock.NodeOnly, treelock.Exclusive}}},
	} {
		if diff := cmp.Diff(test.want, claims(test.got)); diff != "" {
			t.Errorf("%s(/a, /b).Claims(): -want +got:\n%s", test.verb, diff)
		}
	}
}

func TestClaimsKeepTheOrderInWhichTheyWereAdded(t *testing.T) {
	for n := range 12 {
		r, want := chain(n)
		if diff := cmp.Diff(want, claims(r)); diff != "" || r.Len() != n {
			t.Errorf("a request for %d nodes has Len() = %d and, -want +got:\n%s", n, r.Len(), diff)
		}
	}
}

func TestRepeatedClaimsAreKept(t *testing.T) {
	r := treelock.Read("/a", "/a").Write("/a").Read("/a/b", "/a")
	if got, want := r.String(), "read /a, read /a, write /a, read /a/b, read /a"; got != want || r.Len() != 5 {
		t.Errorf("String() = %q and Len() = %d, want %q and 5", got, r.Len(), want)
	}
}

func TestClaimsStopWhenTold(t *testing.T) {
	r, _ := chain(7)
	for stop := 1; stop <= 7; stop++ {
		seen := 0
		for range r.Claims() {
			if seen++; seen == stop {
				break
			}
		}
		if seen != stop {
			t.Errorf("Claims() went on for %d claims after the break at %d", seen, stop)
		}
	}
}

func TestClaimPanicsOutOfRange(t *testing.T) {
	for n := range 7 {
		r, _ := chain(n)
		for _, i := range []int{-1, n} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("Claim(%d) of a request with %d claims does not panic", i, n)
					}
				}()
				r.Claim(i)
			}()
		}
	}
}

func TestStringNamesTheVerbs(t *testing.T) {
	for want, named := range map[string]fmt.Stringer{
		"read /src, write /dst":                       treelock.Read("/src").Write("/dst"),
		"read-node /a, write-node /":                  treelock.ReadNode("/a").WriteNode("/"),
		"write {7}":                                   treelock.Request[tenant]{}.Write(tenant{7}),
		"write-node /a":                               claim{"/a", treelock.NodeOnly, treelock.Exclusive},
		"read /1, read /2, read /3, read /4, read /5": treelock.Read("/1", "/2", "/3", "/4", "/5"),
	} {
		if got := named.String(); got != want {
			t.Errorf("String() = %q, want %q", got, want)
		}
	}
}

// tenant is a node type other than Path.
type tenant struct{ id int }

func (tenant) Parent() (parent tenant, ok bool) { return tenant{}, false }

// TestSiblingsDoNotDisturbEachOther builds requests of which each grows out of a random earlier
// one, and compares all of them at the end with slices that were copied at each step.
func TestSiblingsDoNotDisturbEachOther(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for range 50 {
		requests, wants := []request{{}}, [][]claim{nil}
		for step := range 60 {
			base := rng.IntN(len(requests))
			nodes := make([]treelock.Path, rng.IntN(4))
			for i := range nodes {
				nodes[i] = treelock.Path(fmt.Sprintf("/%d/%d", step, i))
			}
			next, added := addRandom(rng, requests[base], nodes)
			clear(nodes) // the request must not need the caller's slice any more
			requests = append(requests, next)
			wants = append(wants, slices.Concat(wants[base], added))
		}
		for i, r := range requests {
			if diff := cmp.Diff(wants[i], claims(r)); diff != "" || r.Len() != len(wants[i]) {
				t.Fatalf("request %d has Len() = %d and, -want +got:\n%s", i, r.Len(), diff)
			}
		}
	}
}

// addRandom adds nodes to r by one of the four methods, or by With, and returns what that means.
func addRandom(rng *rand.Rand, r request, nodes []treelock.Path) (next request, added []claim) {
	kind := rng.IntN(4)
	scope, access := treelock.Scope(kind/2), treelock.Access(kind%2)
	for _, node := range nodes {
		added = append(added, claim{node, scope, access})
	}
	if rng.IntN(2) == 0 {
		given := slices.Clone(added)
		next = r.With(given...)
		clear(given) // nor this one
		return next, added
	}
	return []func(...treelock.Path) request{r.Read, r.Write, r.ReadNode, r.WriteNode}[kind](nodes...), added
}

// TestRequestsMayBeBuiltFromOneBaseConcurrently is for the race detector, too.
func TestRequestsMayBeBuiltFromOneBaseConcurrently(t *testing.T) {
	for n := range 8 {
		base, want := chain(n)
		built := make([]request, 8)
		var wg sync.WaitGroup
		for i := range built {
			wg.Go(func() {
				built[i] = base.Write(treelock.Path(fmt.Sprint("/first/", i))).ReadNode("/second")
			})
		}
		wg.Wait()
		for i, r := range built {
			all := append(slices.Clip(want),
				claim{treelock.Path(fmt.Sprint("/first/", i)), treelock.Subtree, treelock.Exclusive},
				claim{"/second", treelock.NodeOnly, treelock.Shared})
			if diff := cmp.Diff(all, claims(r)); diff != "" {
				t.Errorf("request %d on a base of %d claims: -want +got:\n%s", i, n, diff)
			}
		}
	}
}

func TestUpToFourClaimsAreBuiltWithoutAllocation(t *testing.T) {
	var r request
	for name, build := range map[string]func(){
		"four in one call": func() { r = treelock.Write("/a", "/b", "/c", "/d") },
		"one by one":       func() { r = treelock.Read("/a").Write("/b").ReadNode("/c").WriteNode("/d") },
		"two and two":      func() { r = treelock.Read("/a", "/b").Write("/c", "/d") },
	} {
		if got := testing.AllocsPerRun(100, build); got != 0 || r.Len() != 4 {
			t.Errorf("%s: %v allocations for %v, want 0", name, got, r)
		}
	}
	if got := testing.AllocsPerRun(100, func() { r = treelock.Write("/a", "/b", "/c", "/d", "/e") }); got != 1 {
		t.Errorf("five claims: %v allocations, want 1", got)
	}
}
