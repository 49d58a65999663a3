package soak_test

import (
	"context"
	"time"

	"github.com/treelock/treelock"
)

// patience returns a context: one that does not end, one that ends soon, has ended, or ends with many others.
func (c *soaker) patience() (context.Context, context.CancelFunc) {
	switch c.rng.IntN(8) {
	case 0, 1:
		return context.WithTimeout(context.Background(), time.Duration(c.rng.IntN(100))*time.Microsecond)
	case 2, 3, 4:
		return c.s.storm.Load().ctx, func() {} // as it is: to derive from it would order those who do
	}
	return context.Background(), func() {}
}

// request returns a random request, most often for nodes far down.
func (c *soaker) request() (req treelock.Request[treelock.Path]) {
	for range []int{0, 1, 1, 1, 1, 2, 2, 3, 5}[c.rng.IntN(9)] {
		node := c.s.shadow.nodes[max(c.rng.IntN(len(c.s.shadow.nodes)), c.rng.IntN(len(c.s.shadow.nodes)))]
		req = c.claim(req, treelock.Scope(c.rng.IntN(2)), treelock.Access(c.rng.IntN(2)), node)
	}
	return req
}

func (c *soaker) claim(req treelock.Request[treelock.Path], scope treelock.Scope, access treelock.Access, node treelock.Path) treelock.Request[treelock.Path] {
	add := [2][2]func(...treelock.Path) treelock.Request[treelock.Path]{{req.Read, req.Write}, {req.ReadNode, req.WriteNode}}
	return add[scope][access](node)
}

// narrower returns a request that lies inside req, most often.
func (c *soaker) narrower(req treelock.Request[treelock.Path]) (inside treelock.Request[treelock.Path]) {
	for claim := range req.Claims() {
		node, scope := claim.Node, max(claim.Scope, treelock.Scope(c.rng.IntN(2)))
		if region := c.s.shadow.below[node]; claim.Scope == treelock.Subtree {
			node = c.s.shadow.nodes[region[c.rng.IntN(len(region))]]
		}
		access := min(claim.Access, treelock.Access(c.rng.IntN(2)))
		switch c.rng.IntN(8) {
		case 0: // nothing of it
		case 1:
			inside = c.claim(inside, scope, treelock.Exclusive, node)
		default:
			inside = c.claim(inside, scope, access, node)
		}
	}
	return inside
}
