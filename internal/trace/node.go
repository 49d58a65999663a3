package trace

import (
	"fmt"

	"github.com/treelock/treelock"
)

// A Claim is a claim as the lock table gets it.
type Claim[N comparable] struct {
	Lineage []N // the node and all its ancestors
	Scope   treelock.Scope
	Access  treelock.Access
}

// A node is the node of a model. Its Parent calls no code of a user.
type node[N comparable] struct{ *place[N] }

type place[N comparable] struct {
	name  N
	above *place[N] // nil at a root
}

func (n node[N]) Parent() (node[N], bool) { return node[N]{n.above}, n.above != nil }

func (n node[N]) String() string { return nameText(n.name) }

// nameText returns a text for the name of a node. It calls no code of a user.
func nameText[N comparable](name N) string {
	if p, ok := any(name).(treelock.Path); ok {
		return string(p)
	}
	return fmt.Sprintf("%#v", name)
}

// A forest has the nodes of the requests of a replay, so that equal names are equal nodes.
type forest[N comparable] map[N]*place[N]

// maxPlaces is how many places a forest has before it is made anew.
const maxPlaces = 4096

// request returns the request for claims. ok is false if a node has moved: it had another parent
// before, or it is its own ancestor.
func (f forest[N]) request(claims []Claim[N]) (req treelock.Request[node[N]], ok bool) {
	list := make([]treelock.Claim[node[N]], 0, len(claims))
	for _, c := range claims {
		var above *place[N]
		for i := len(c.Lineage) - 1; i >= 0; i-- {
			name := c.Lineage[i]
			p := f[name]
			if p == nil {
				p = &place[N]{name, above}
				f[name] = p
			} else if p.above != above {
				return req, false
			}
			above = p
		}
		list = append(list, treelock.Claim[node[N]]{Node: node[N]{above}, Scope: c.Scope, Access: c.Access})
	}
	return req.With(list...), true
}

// keep removes all nodes that none of requests names.
func (f forest[N]) keep(requests []treelock.Request[node[N]]) {
	clear(f)
	for _, req := range requests {
		for claim := range req.Claims() {
			for p := claim.Node.place; p != nil; p = p.above {
				f[p.name] = p
			}
		}
	}
}
