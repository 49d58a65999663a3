package model

import (
	"slices"

	"github.com/treelock/treelock"
)

// crowded reports whether a request waits at a node where more than n requests wait, itself
// included.
func (w *World[N]) crowded(name string, n int) bool {
	rank := w.rank(name)
	for _, node := range w.waitsAt(rank) {
		waiting := 0
		for other := range w.rule.live {
			if w.rule.In(other) == w.rule.In(rank) && slices.Contains(w.waitsAt(other), node) {
				waiting++
			}
		}
		if waiting > n {
			return true
		}
	}
	return false
}

// waitsAt returns the nodes at which the claims of a request meet those that they wait for.
func (w *World[N]) waitsAt(rank int) (nodes []N) {
	req, grant := w.rule.Request(rank).req, w.rule.Widens(rank)
	for other := range w.rule.live {
		if !w.rule.Waits(rank, other) {
			continue
		}
		var held treelock.Request[N] // where a widening passes what waits for its grant
		if grant >= 0 && !w.rule.Granted(other) {
			held = withReadsBelow(w.rule.Request(grant).req, req)
		}
		otherReq := w.rule.Request(other).req
		for c := range req.Claims() {
			for d := range otherReq.Claims() {
				if conflict(c, d) && !conflictAt(meeting(c, d), held, otherReq) {
					nodes = append(nodes, meeting(c, d))
				}
			}
		}
	}
	return nodes
}
