package manager_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

type (
	path   = treelock.Path
	grant  = manager.Grant[path]
	ticket = manager.Ticket[path]
)

// world is a small tree that has every relation between two nodes: equal, above, below, beside, in
// different branches.
var world = []path{"/", "/a", "/a/x", "/a/x/1", "/a/y", "/b", "/b/z"}

var claimVerbs = []string{"read", "write", "read-node", "write-node"}

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

// parseRequest reads claims such as "read /a /b write /c".
func parseRequest(t *testing.T, words []string) (req treelock.Request[path]) {
	add := map[string]func(...path) treelock.Request[path]{}
	verb := ""
	for _, word := range words {
		add["read"], add["write"], add["read-node"], add["write-node"] = req.Read, req.Write, req.ReadNode, req.WriteNode
		if _, ok := add[word]; ok || word == "nothing" {
			verb = word
			continue
		}
		if add[verb] == nil {
			t.Fatalf("%q: what should be done with %s?", words, word)
		}
		req = add[verb](path(word))
	}
	return req
}
