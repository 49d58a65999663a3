// Package model is the admission rule as the contract states it, evaluated naively over all pairs of
// requests: no modes, no queues, no counts. Everything faster is compared with it.
//
//	A request is granted at the first moment when no earlier conflicting request is live.
//	A request is live from its arrival until it is released or withdrawn.
//
// It is pure, and slow: every call takes time in proportion to the square of what is live.
package model

import (
	"slices"

	"github.com/treelock/treelock"
)

// A Model is the set of all live requests, by arrival. The zero Model is empty. Requests are known by
// the names that the caller gives them; a name must not be used again while its request is live.
type Model[N treelock.Node[N]] struct {
	live []request[N]
}

// Of returns the request for claims.
func Of[N treelock.Node[N]](claims ...treelock.Claim[N]) (req treelock.Request[N]) {
	for _, c := range claims {
		switch {
		case c.Scope == treelock.Subtree && c.Access == treelock.Shared:
			req = req.Read(c.Node)
		case c.Scope == treelock.Subtree:
			req = req.Write(c.Node)
		case c.Access == treelock.Shared:
			req = req.ReadNode(c.Node)
		default:
			req = req.WriteNode(c.Node)
		}
	}
	return req
}

type request[N treelock.Node[N]] struct {
	name    string
	req     treelock.Request[N]
	granted bool
}

// Submit is the arrival of a request. It returns the names of the requests granted by that: name or none.
func (m *Model[N]) Submit(name string, req treelock.Request[N]) (granted []string) {
	m.live = append(m.live, request[N]{name: name, req: req})
	return m.admit()
}

// End releases or withdraws a request and returns the names of those granted by that, by arrival. It
// does nothing if no such request is live.
func (m *Model[N]) End(name string) (granted []string) {
	m.live = slices.DeleteFunc(m.live, func(r request[N]) bool { return r.name == name })
	return m.admit()
}

// Narrow replaces what a request holds by req, and returns the names of the requests granted by that, by
// arrival. It returns false and changes nothing if the request does not hold all of req.
func (m *Model[N]) Narrow(name string, req treelock.Request[N]) (granted []string, ok bool) {
	r := m.find(name)
	if r == nil || !r.granted {
		return nil, false
	}
	for claim := range req.Claims() {
		if !inside(claim, r.req) {
			return nil, false
		}
	}
	r.req = req
	return m.admit(), true
}

// Granted reports whether a request of that name is live and granted.
func (m *Model[N]) Granted(name string) bool {
	r := m.find(name)
	return r != nil && r.granted
}

// Request returns what a live request asks for or holds; the empty request if there is none of that name.
func (m *Model[N]) Request(name string) (req treelock.Request[N]) {
	if r := m.find(name); r != nil {
		req = r.req
	}
	return req
}

// Waiting returns how many requests are live and not granted.
func (m *Model[N]) Waiting() (waiting int) {
	for _, r := range m.live {
		if !r.granted {
			waiting++
		}
	}
	return waiting
}

// IsLive reports whether a request of that name is live.
func (m *Model[N]) IsLive(name string) bool { return m.find(name) != nil }

// Clone returns a copy of the model.
func (m *Model[N]) Clone() Model[N] { return Model[N]{slices.Clone(m.live)} }

// Live returns the names of all live requests, by arrival.
func (m *Model[N]) Live() (names []string) {
	for _, r := range m.live {
		names = append(names, r.name)
	}
	return names
}

// Blockers returns the names of the earlier live requests that a request conflicts with, by arrival.
func (m *Model[N]) Blockers(name string) (names []string) {
	if r := m.find(name); r != nil {
		for i := range m.live[:m.index(name)] {
			if earlier := &m.live[i]; Conflict(earlier.req, r.req) {
				names = append(names, earlier.name)
			}
		}
	}
	return names
}

// admit grants what the rule says and returns the names.
func (m *Model[N]) admit() (granted []string) {
	for i := range m.live {
		if r := &m.live[i]; !r.granted && m.free(i) {
			r.granted = true
			granted = append(granted, r.name)
		}
	}
	return granted
}

// free reports whether no earlier request conflicts with the i-th.
func (m *Model[N]) free(i int) bool {
	for j := range i {
		if Conflict(m.live[j].req, m.live[i].req) {
			return false
		}
	}
	return true
}

// find returns the live request of that name, nil if there is none. It is good until the next change.
func (m *Model[N]) find(name string) *request[N] {
	if i := m.index(name); i >= 0 {
		return &m.live[i]
	}
	return nil
}

func (m *Model[N]) index(name string) int {
	return slices.IndexFunc(m.live, func(r request[N]) bool { return r.name == name })
}

// Conflict reports whether some claim of one request conflicts with some claim of the other.
func Conflict[N treelock.Node[N]](a, b treelock.Request[N]) bool {
	for c := range a.Claims() {
		for d := range b.Claims() {
			if conflict(c, d) {
				return true
			}
		}
	}
	return false
}

// conflict reports whether the regions of two claims share a node and at least one of them writes.
func conflict[N treelock.Node[N]](c, d treelock.Claim[N]) bool {
	shared := contains(c, d.Node) || contains(d, c.Node)
	return shared && (c.Access == treelock.Exclusive || d.Access == treelock.Exclusive)
}

// contains reports whether node lies in the region of claim.
func contains[N treelock.Node[N]](claim treelock.Claim[N], node N) bool {
	if claim.Scope == treelock.NodeOnly {
		return node == claim.Node
	}
	for ok := true; ok; node, ok = node.Parent() {
		if node == claim.Node {
			return true
		}
	}
	return false
}

// inside reports whether some claim of held covers claim. A subtree is never covered by single nodes,
// however many: nobody knows what is in it.
func inside[N treelock.Node[N]](claim treelock.Claim[N], held treelock.Request[N]) bool {
	for h := range held.Claims() {
		wide := h.Scope == treelock.Subtree || claim.Scope == treelock.NodeOnly
		strong := h.Access == treelock.Exclusive || claim.Access == treelock.Shared
		if wide && strong && contains(h, claim.Node) {
			return true
		}
	}
	return false
}
