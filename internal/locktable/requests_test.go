package locktable_test

import (
	"math/rand/v2"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

type (
	table   = locktable.Table[treelock.Path, string]
	request = locktable.Request[treelock.Path, string]
)

// world is a small tree that has every relation between two nodes: equal, above, below, beside, in
// different branches.
var world = []treelock.Path{"/", "/a", "/a/x", "/a/x/1", "/a/y", "/b", "/b/z"}

// claimsOf does what a client of the table does before it submits.
func claimsOf(req treelock.Request[treelock.Path]) (claims []locktable.Claim[treelock.Path]) {
	for c := range req.Claims() {
		claim := locktable.Claim[treelock.Path]{Mode: locktable.ModeOf(c.Scope, c.Access)}
		for node, ok := c.Node, true; ok; node, ok = node.Parent() {
			claim.Lineage = append(claim.Lineage, node)
		}
		claims = append(claims, claim)
	}
	return claims
}

// randomRequest returns a request of up to four claims anywhere in world.
func randomRequest(rng *rand.Rand) (req treelock.Request[treelock.Path]) {
	for range rng.IntN(5) {
		node := world[rng.IntN(len(world))]
		switch rng.IntN(4) {
		case 0:
			req = req.Read(node)
		case 1:
			req = req.Write(node)
		case 2:
			req = req.ReadNode(node)
		case 3:
			req = req.WriteNode(node)
		}
	}
	return req
}

func names(requests []*request) (names []string) {
	for _, r := range requests {
		names = append(names, r.Who)
	}
	return names
}
