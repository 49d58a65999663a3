package locktable

import (
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/terms"
)

// ClaimsOf returns the claims of req.
func ClaimsOf[N treelock.Node[N]](req treelock.Request[N]) (claims []Claim[N]) {
	for mode, lineage := range terms.Claims(req) {
		claims = append(claims, Claim[N]{Mode: mode, Lineage: lineage})
	}
	return claims
}
