package locktable_test

import (
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

type (
	table   = locktable.Table[treelock.Path, string]
	request = locktable.Request[treelock.Path, string]
)

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
