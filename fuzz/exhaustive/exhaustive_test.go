package exhaustive_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

var (
	wide    = flag.Bool("wide", false, "explore one world, as large as -tree, -clients and -claims say, however long it takes")
	tree    = flag.String("tree", "/ /a /a/x /b", "with -wide: the `nodes` of the tree, parents included")
	clients = flag.Int("clients", 3, "with -wide: the number of clients, 8 at most")
	claims  = flag.Int("claims", 2, "with -wide: the number of claims that a request may have")
	widens  = flag.Bool("widens", false, "with -wide: grants widen, and requests are made under them")
	spelled = flag.Bool("spelled", false, "with -wide: distinguish requests that mean the same but have other claims, or another order of claims")
)

// longTests reports whether tests that take long are to run as well.
func longTests() bool { return os.Getenv("TREELOCK_TESTS") == "long" }

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTableGrantsWhatTheRuleSaysInEveryOrder checks I1 to I11 in all that can happen in a few small
// worlds.
func TestTableGrantsWhatTheRuleSaysInEveryOrder(t *testing.T) {
	if *wide {
		size := size{clients: *clients, claims: *claims, spelled: *spelled, widens: *widens}
		for _, node := range strings.Fields(*tree) {
			size.nodes = append(size.nodes, path(node))
		}
		exploreIn(t, size)
		return
	}
	exploreIn(t, size{nodes: five, clients: 3, claims: 1})
	exploreIn(t, size{nodes: chain, clients: 2, claims: 2})
	exploreIn(t, size{nodes: []path{"/", "/a"}, clients: 2, claims: 1, widens: true})
	if !longTests() {
		return
	}
	exploreIn(t, size{nodes: chain, clients: 2, claims: 2, spelled: true})
	exploreIn(t, size{nodes: five, clients: 2, claims: 2})
	exploreIn(t, size{nodes: four, clients: 4, claims: 1})
	exploreIn(t, size{nodes: fork, clients: 3, claims: 2})
	exploreIn(t, size{nodes: chain, clients: 3, claims: 2})
	exploreIn(t, size{nodes: chain, clients: 2, claims: 1, widens: true})
	exploreIn(t, size{nodes: fork, clients: 2, claims: 1, widens: true})
}

// exploreIn is a subtest that explores one world.
func exploreIn(t *testing.T, size size) {
	name := fmt.Sprintf("nodes=%d/clients=%d/claims=%d/spelled=%t/widens=%t", len(size.nodes), size.clients, size.claims, size.spelled, size.widens)
	t.Run(name, func(t *testing.T) {
		if size.clients > maxClients {
			t.Fatalf("%d clients are too many, want %d at most", size.clients, maxClients)
		}
		w := newWorld(size)
		t.Logf("%v, %d clients, %d claims: %d requests in %d forms",
			size.nodes, size.clients, size.claims, len(w.spellings), len(w.forms))
		s := newSearch(w, t.Logf)
		s.run()
		if s.failed != nil {
			t.Errorf("\n%v", s.failed)
		}
	})
}
