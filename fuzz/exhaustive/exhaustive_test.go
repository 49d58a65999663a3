package exhaustive_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var (
	wide    = flag.Bool("wide", false, "explore one world, as large as -tree, -clients and -claims say, however long it takes")
	tree    = flag.String("tree", "/ /a /a/x /b", "with -wide: the `nodes` of the tree, parents included")
	clients = flag.Int("clients", 3, "with -wide: the number of clients, 8 at most")
	claims  = flag.Int("claims", 2, "with -wide: the number of claims that a request may have")
	spelled = flag.Bool("spelled", false, "with -wide: distinguish requests that mean the same but have other claims, or another order of claims")
)

// longTests reports whether tests that take long are to run as well.
func longTests() bool { return os.Getenv("TREELOCK_TESTS") == "long" }

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTableGrantsWhatTheRuleSaysInEveryOrder checks I1 to I8 in all that can happen in a few small worlds.
func TestTableGrantsWhatTheRuleSaysInEveryOrder(t *testing.T) {
	if *wide {
		size := size{clients: *clients, claims: *claims, spelled: *spelled}
		for _, node := range strings.Fields(*tree) {
			size.nodes = append(size.nodes, path(node))
		}
		exploreIn(t, size)
		return
	}
	exploreIn(t, size{nodes: five, clients: 3, claims: 1})
	exploreIn(t, size{nodes: chain, clients: 2, claims: 2})
	if !longTests() {
		return
	}
	exploreIn(t, size{nodes: chain, clients: 2, claims: 2, spelled: true})
	exploreIn(t, size{nodes: five, clients: 2, claims: 2})
	exploreIn(t, size{nodes: four, clients: 4, claims: 1})
	exploreIn(t, size{nodes: fork, clients: 3, claims: 2})
	exploreIn(t, size{nodes: chain, clients: 3, claims: 2})
}

// exploreIn is a subtest that explores one world.
func exploreIn(t *testing.T, size size) {
	name := fmt.Sprintf("nodes=%d/clients=%d/claims=%d/spelled=%t", len(size.nodes), size.clients, size.claims, size.spelled)
	t.Run(name, func(t *testing.T) {
		if size.clients > maxClients {
			t.Fatalf("%d clients are too many, want %d at most", size.clients, maxClients)
		}
		w := newWorld(size)
		t.Logf("%v, %d clients, %d claims: %d requests in %d forms, %d symmetries",
			size.nodes, size.clients, size.claims, len(w.spellings), len(w.forms), len(w.symmetries))
		explore(t, newSearch(w))
	})
}

// maxIdleTicks is how many ticks may pass without a step. There are ten thousands of steps between two ticks.
const maxIdleTicks = 2

// explore runs a search and logs its progress.
func explore(t *testing.T, s *search) {
	start := time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.run()
	}()
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	last, idle := int64(0), 0
	for running := true; running; {
		select {
		case <-tick.C:
			now := s.steps.Load()
			t.Logf("%.0f s: %d of %d states visited, %d transitions",
				time.Since(start).Seconds(), min(s.next.Load(), s.end.Load()), s.end.Load(), now)
			if idle++; now != last || !s.visiting.Load() {
				last, idle = now, 0
			}
			if idle == maxIdleTicks {
				panic("the table seems to be in an endless loop, after one of these:\n\n" + s.doing())
			}
		case <-done:
			running = false
		}
	}
	took := time.Since(start).Seconds()
	t.Logf("%d states, up to %d steps deep; %d transitions in %.2f s", len(s.states), s.depth-1, s.steps.Load(), took)
	if s.failed != nil {
		t.Errorf("\n%v", s.failed)
	}
}
