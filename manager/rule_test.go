package manager_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
)

// world is a small tree that has every relation between two nodes: equal, above, below, beside, in
// different branches.
var world = []path{"/", "/a", "/a/x", "/a/x/1", "/a/y", "/b", "/b/z"}

var claimVerbs = []string{"read", "write", "read-node", "write-node"}

// TestManagerGrantsWhatTheRuleSays plays random scenarios on small trees. After every step the bubble is
// brought to rest and everybody who holds or waits is compared with the rule, evaluated over all pairs
// (package model). A failure prints the scenario, ready for testdata.
func TestManagerGrantsWhatTheRuleSays(t *testing.T) {
	for seed := range uint64(150) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { playRandom(t, rand.New(rand.NewPCG(seed, 2))) })
		})
	}
}

func playRandom(t *testing.T, rng *rand.Rand) {
	s := newStage(t)
	var script strings.Builder
	play := func(command string) {
		t.Helper()
		fmt.Fprintf(&script, "%s\n%s\n%s\n", command, ruler, s.play(command))
		if t.Failed() {
			t.Fatalf("the scenario so far:\n\n%s", script.String())
		}
	}
	for step := range 80 {
		play(randomCommand(rng, s, fmt.Sprintf("c%d", step)))
	}
	s.strike()
}

// randomCommand returns a command for the stage as it is; a new actor gets the given name.
func randomCommand(rng *rand.Rand, s *stage, name string) string {
	var live []*actor
	for _, a := range s.actors {
		if !a.finished {
			live = append(live, a)
		}
	}
	if len(live) == 0 || len(live) < 8 && rng.IntN(2) == 0 {
		verb := []string{"submit", "deaf", "acquire", "try"}[rng.IntN(4)]
		return verb + " " + name + " " + randomClaims(rng)
	}
	a := live[rng.IntN(len(live))]
	switch {
	case a.holds && rng.IntN(2) == 0:
		return "narrow " + a.name + " " + narrowerClaims(rng, s.model.Request(a.name))
	case a.holds:
		return "release " + a.name
	case a.ticket == nil:
		return "cancel " + a.name
	case a.deaf && rng.IntN(2) == 0:
		return "receive " + a.name
	default:
		return "withdraw " + a.name
	}
}

// randomClaims returns up to four claims anywhere in world.
func randomClaims(rng *rand.Rand) string {
	claims := []string{"nothing"}
	for range rng.IntN(5) {
		claims = append(claims, claimVerbs[rng.IntN(len(claimVerbs))], string(world[rng.IntN(len(world))]))
	}
	return strings.Join(claims, " ")
}

// narrowerClaims returns random claims, most often such that lie inside req.
func narrowerClaims(rng *rand.Rand, req treelock.Request[path]) string {
	if rng.IntN(4) == 0 {
		return randomClaims(rng)
	}
	claims := []string{"nothing"}
	for c := range req.Claims() {
		node := c.Node
		for range rng.IntN(4) {
			below := world[rng.IntN(len(world))]
			if parent, ok := below.Parent(); ok && parent == node && c.Scope == treelock.Subtree {
				node = below
			}
		}
		verb := claimVerbs[rng.IntN(len(claimVerbs))]
		if c.Access == treelock.Shared {
			verb = strings.Replace(verb, "write", "read", 1)
		}
		if c.Scope == treelock.NodeOnly {
			verb = strings.TrimSuffix(verb, "-node") + "-node"
		}
		if rng.IntN(4) > 0 {
			claims = append(claims, verb, string(node))
		}
	}
	return strings.Join(claims, " ")
}
