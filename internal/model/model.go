// Package model is the admission rule as the contract states it, evaluated naively over all pairs
// of requests: no modes, no queues, no counts. Everything faster is compared with it.
//
//	A request is granted at the first moment when no earlier conflicting request is live.
//	A request is live from its arrival until it is released or withdrawn.
//
// [Rule] is the rule for requests of any type, [Model] is the rule for named requests of package
// treelock, [World] adds limits, draining and stopping, and [Judge] follows several worlds at the
// same time.
//
// The package is pure, and slow: every call takes time in proportion to the square of what is live.
package model

import (
	"slices"

	"github.com/treelock/treelock"
)

// A Model is the set of all live requests, by arrival. The zero Model is empty. Requests are known
// by the names that the caller gives them. A name must not be used again while its request is live.
type Model[N treelock.Node[N]] struct {
	rule Rule[named[N]]
}

// A Call is a request, or a widening, that arrives.
type Call[N treelock.Node[N]] struct {
	Name   string
	Req    treelock.Request[N]
	Tries  bool     // it does not wait
	Limit  int      // it does not wait where so many wait at one of its nodes; 0: no limit
	Widens string   // the grant that it widens, or ""
	Inside string   // the grant that it is inside, or ""
	Under  []string // the grants that its context carries
}

type named[N treelock.Node[N]] struct {
	name string
	req  treelock.Request[N]
}

func (a named[N]) Conflicts(b named[N]) bool { return Conflict(a.req, b.req) }

func (a named[N]) Inside(held named[N]) bool { return Inside(a.req, held.req) }

func (a named[N]) ConflictsBeside(held, other named[N]) bool {
	return ConflictBeside(a.req, held.req, other.req)
}

func (a named[N]) Without(held named[N]) (rest named[N], ok bool) {
	rest = named[N]{a.name, Without(a.req, held.req)}
	return rest, rest.req.Len() > 0
}

func (a named[N]) With(other named[N]) named[N] {
	return named[N]{a.name, a.req.With(slices.Collect(other.req.Claims())...)}
}

// Submit is the arrival of a request. It returns the names of the requests granted by that: name or
// none.
func (m *Model[N]) Submit(name string, req treelock.Request[N]) (granted []string) {
	return m.names(m.rule.Submit(named[N]{name, req}))
}

// End releases or withdraws a request and returns the names of the requests granted by that, by
// arrival. It does nothing if no such request is live.
func (m *Model[N]) End(name string) (granted []string) {
	if rank := m.rank(name); m.IsLive(name) {
		granted = m.names(m.rule.End(rank))
	}
	return granted
}

// Narrow replaces what a request holds by req, and returns the names of the requests granted by
// that, by arrival. It returns false and changes nothing if the request does not hold all of req.
func (m *Model[N]) Narrow(name string, req treelock.Request[N]) (granted []string, ok bool) {
	rank := m.rank(name)
	if rank < 0 {
		return nil, false
	}
	ranks, ok := m.rule.Narrow(rank, named[N]{name, req})
	return m.names(ranks), ok
}

// SubmitUnder is Submit for a call that blocks while its caller holds the live request named grant.
func (m *Model[N]) SubmitUnder(grant, name string, req treelock.Request[N]) (granted []string) {
	return m.names(m.rule.SubmitUnder(m.rank(grant), named[N]{name, req}))
}

// Widen is the arrival of a widening of a granted request that has none. It returns the name of the
// request if it holds more from now on. If the widening waits, it has the name widening.
func (m *Model[N]) Widen(name, widening string, req treelock.Request[N]) (granted []string, waits bool) {
	ranks, waits := m.rule.Widen(m.rank(name), named[N]{widening, req})
	return m.names(ranks), waits
}

// Enter is the arrival of any call, whose grants are held. It waits if it has to.
func (m *Model[N]) Enter(c Call[N]) {
	var under []int
	for _, name := range c.Under {
		if m.Granted(name) && !c.Tries {
			under = append(under, m.rank(name))
		}
	}
	if c.Widens != "" {
		m.rule.Widen(m.rank(c.Widens), named[N]{c.Name, c.Req}, under...)
	} else {
		m.rule.SubmitIn(m.rank(c.Inside), under, named[N]{c.Name, c.Req})
	}
}

// Await notes that the client of a request that waits begins to block, under a context that carries
// some grants.
func (m *Model[N]) Await(name string, under []string) {
	if rank := m.rank(name); m.IsLive(name) && !m.Granted(name) {
		r := &m.rule.live[rank]
		for _, around := range under {
			if m.Granted(around) {
				r.under = append(slices.Clip(r.under), m.rule.live[m.rank(around)].id)
			}
		}
	}
}

// Grant returns the name of the grant that a widening widens, otherwise name.
func (m *Model[N]) Grant(name string) string {
	if rank := m.rank(name); rank >= 0 {
		return m.rule.Request(m.rule.vertex(rank)).name
	}
	return name
}

// Before reports whether a request lasts until another one ends. See [Rule.Before].
func (m *Model[N]) Before(name, other string) bool {
	a, b := m.rank(name), m.rank(other)
	if a < 0 || b < 0 {
		return false
	}
	widening := m.rule.Widening(b)
	return m.rule.Before(a, b) || widening >= 0 && m.rule.Before(a, widening)
}

// OnCircle reports whether a request or widening is on a circle of requests that wait for one
// another.
func (m *Model[N]) OnCircle(name string) bool {
	rank := m.rank(name)
	return rank >= 0 && m.rule.OnCircle(rank)
}

// Granted reports whether a request of that name is live, granted and not released.
func (m *Model[N]) Granted(name string) bool {
	rank := m.rank(name)
	return m.IsLive(name) && m.rule.Granted(rank)
}

// Lasts reports whether a request of that name is granted, or was released and lives on for grants
// inside it.
func (m *Model[N]) Lasts(name string) bool {
	rank := m.rank(name)
	return rank >= 0 && m.rule.Granted(rank)
}

// Request returns what a live request asks for or holds; the empty request if there is none of that
// name.
func (m *Model[N]) Request(name string) (req treelock.Request[N]) {
	if rank := m.rank(name); rank >= 0 {
		req = m.rule.Request(rank).req
	}
	return req
}

// Waiting returns how many requests are live and not granted.
func (m *Model[N]) Waiting() int { return m.rule.Waiting() }

// IsLive reports whether a request of that name is live and not released.
func (m *Model[N]) IsLive(name string) bool {
	rank := m.rank(name)
	return rank >= 0 && !m.rule.live[rank].released
}

// Clone returns a copy of the model.
func (m *Model[N]) Clone() Model[N] {
	return Model[N]{Rule[named[N]]{
		live: slices.Clone(m.rule.live), lastID: m.rule.lastID, suspends: m.rule.suspends,
	}}
}

// Live returns the names of all live requests, by arrival.
func (m *Model[N]) Live() (names []string) {
	for _, r := range m.rule.live {
		if !r.released {
			names = append(names, r.req.name)
		}
	}
	return names
}

// Blockers returns the names of the earlier live requests that a request conflicts with, by
// arrival.
func (m *Model[N]) Blockers(name string) (names []string) {
	if rank := m.rank(name); rank >= 0 {
		names = m.names(m.rule.Blockers(rank))
	}
	return names
}

// rank returns the rank of the live request of that name, -1 if there is none.
func (m *Model[N]) rank(name string) int {
	return slices.IndexFunc(m.rule.live, func(r entry[named[N]]) bool { return r.req.name == name })
}

func (m *Model[N]) names(ranks []int) (names []string) {
	for _, rank := range ranks {
		names = append(names, m.rule.Request(rank).name)
	}
	return names
}

// Of returns the request for claims.
func Of[N treelock.Node[N]](claims ...treelock.Claim[N]) treelock.Request[N] {
	return treelock.For[N]().With(claims...)
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

// ConflictBeside reports whether req, by which a holder of held widens, conflicts with other at a
// node at which held and other do not conflict. Claims that conflict meet at the upper one of the
// nodes that they name. If held reads a subtree, it counts there as reading the subtree of each
// node on the way to a claim of req.
func ConflictBeside[N treelock.Node[N]](req, held, other treelock.Request[N]) bool {
	held = withReadsBelow(held, req)
	for c := range req.Claims() {
		for d := range other.Claims() {
			if conflict(c, d) && !conflictAt(meeting(c, d), held, other) {
				return true
			}
		}
	}
	return false
}

// conflictAt reports whether claims of a and b conflict and meet at node.
func conflictAt[N treelock.Node[N]](node N, a, b treelock.Request[N]) bool {
	for c := range a.Claims() {
		for d := range b.Claims() {
			if conflict(c, d) && meeting(c, d) == node {
				return true
			}
		}
	}
	return false
}

// meeting returns the node at which two claims that conflict meet.
func meeting[N treelock.Node[N]](c, d treelock.Claim[N]) N {
	if contains(c, d.Node) {
		return c.Node
	}
	return d.Node
}

// withReadsBelow returns held and, where it reads a subtree, a read of the subtree of each node on
// the way from there to a claim of req.
func withReadsBelow[N treelock.Node[N]](held, req treelock.Request[N]) treelock.Request[N] {
	reads := held
	for h := range held.Claims() {
		for c := range req.Claims() {
			for node, ok := c.Node, h.Scope == treelock.Subtree && h.Access == treelock.Shared; ok; node, ok = node.Parent() {
				if contains(h, node) {
					reads = reads.Read(node)
				}
			}
		}
	}
	return reads
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

// Inside reports whether each claim of req is covered by some claim of held.
func Inside[N treelock.Node[N]](req, held treelock.Request[N]) bool {
	for claim := range req.Claims() {
		if !covered(claim, held) {
			return false
		}
	}
	return true
}

// Without returns the claims of req that no claim of held covers.
func Without[N treelock.Node[N]](req, held treelock.Request[N]) (rest treelock.Request[N]) {
	for claim := range req.Claims() {
		if !covered(claim, held) {
			rest = rest.With(claim)
		}
	}
	return rest
}

// covered reports whether some claim of held covers claim. Single nodes never cover a subtree,
// however many they are: it may have other nodes.
func covered[N treelock.Node[N]](claim treelock.Claim[N], held treelock.Request[N]) bool {
	for h := range held.Claims() {
		wide := h.Scope != treelock.NodeOnly || claim.Scope == treelock.NodeOnly
		strong := h.Access == treelock.Exclusive || claim.Access != treelock.Exclusive
		if wide && strong && contains(h, claim.Node) {
			return true
		}
	}
	return false
}
