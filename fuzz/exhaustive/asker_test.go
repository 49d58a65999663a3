package exhaustive_test

import (
	"math/bits"
	"testing"

	"github.com/treelock/treelock/internal/model"
)

// A claimSet is a set of claims. Each node of a world has four: those of kinds, in that order.
type claimSet uint64

const (
	readNode = iota
	read
	writeNode
	write
	kinds

	numClaims = 64
)

func (s claimSet) has(claim int) bool { return s>>claim&1 != 0 }

// with returns the set with one more claim, but without those that another claim of the same node
// covers: they make no difference to what a request holds, nor to its entries.
func (s claimSet) with(claim int) claimSet {
	s |= 1 << claim
	for base := 0; base < numClaims; base += kinds {
		if s.has(base + write) {
			s &^= (1<<write - 1) << base
		}
		if s.has(base+writeNode) || s.has(base+read) {
			s &^= 1 << base
		}
	}
	return s
}

// all calls yield for each claim of the set.
func (s claimSet) all(yield func(claim int) bool) {
	for ; s != 0; s &= s - 1 {
		if !yield(bits.TrailingZeros64(uint64(s))) {
			return
		}
	}
}

// A pair is what package model says of one claim and each other claim.
type pair struct {
	conflict claimSet            // those that conflict with it
	inside   claimSet            // those that it is inside of
	meeting  [numClaims]int      // the node at which it meets a claim that conflicts
	reads    [numClaims]claimSet // the reads on the way to it from a read that a holder has
}

// findPairs fills w.pairs.
func (w *world) findPairs() {
	var all []request
	for _, s := range w.extend(spelling{}) {
		all = append(all, s.req)
	}
	for i, c := range all {
		p := &w.pairs[i]
		for j, d := range all {
			if model.Conflict(c, d) {
				p.conflict |= 1 << j
			}
			if model.Inside(c, d) {
				p.inside |= 1 << j
			}
			p.meeting[j] = w.upper(i/kinds, j/kinds)
			for _, node := range w.lineage(i / kinds) {
				if j%kinds == read && w.upper(node, j/kinds) == j/kinds {
					p.reads[j] |= 1 << (node*kinds + read)
				}
			}
		}
	}
}

// upper returns the upper one of two nodes, or -1 if neither is above the other.
func (w *world) upper(a, b int) int {
	for _, node := range w.lineage(a) {
		if node == b {
			return b
		}
	}
	for _, node := range w.lineage(b) {
		if node == a {
			return a
		}
	}
	return -1
}

// An asker is a request, for the rule.
type asker struct {
	w        *world
	claims   claimSet
	spelling uint16 // 0 except in a world of spellings
}

func (a asker) Conflicts(b asker) bool {
	for c := range a.claims.all {
		if a.w.pairs[c].conflict&b.claims != 0 {
			return true
		}
	}
	return false
}

func (a asker) Inside(held asker) bool {
	_, ok := a.Without(held)
	return !ok
}

func (a asker) ConflictsBeside(held, other asker) bool {
	reads := held.claims
	for c := range a.claims.all {
		for h := range held.claims.all {
			reads |= a.w.pairs[c].reads[h]
		}
	}
	for c := range a.claims.all {
		for d := range (a.w.pairs[c].conflict & other.claims).all {
			if !a.w.conflictAt(a.w.pairs[c].meeting[d], reads, other.claims) {
				return true
			}
		}
	}
	return false
}

// conflictAt reports whether claims of two sets conflict and meet at node.
func (w *world) conflictAt(node int, a, b claimSet) bool {
	for c := range a.all {
		for d := range (w.pairs[c].conflict & b).all {
			if w.pairs[c].meeting[d] == node {
				return true
			}
		}
	}
	return false
}

func (a asker) Without(held asker) (rest asker, ok bool) {
	rest = asker{w: a.w}
	for c := range a.claims.all {
		if a.w.pairs[c].inside&held.claims == 0 {
			rest.claims |= 1 << c
		}
	}
	return rest, rest.claims != 0
}

func (a asker) With(other asker) asker {
	for c := range other.claims.all {
		a.claims = a.claims.with(c)
	}
	a.spelling = 0
	return a
}

// appendKey appends to key what identifies a.
func (a asker) appendKey(key []byte) []byte {
	for shift := 0; shift < kinds*len(a.w.nodes); shift += 8 {
		key = append(key, byte(a.claims>>shift))
	}
	if a.w.spelled {
		key = append(key, byte(a.spelling>>8), byte(a.spelling))
	}
	return key
}

// TestAskersAreRequests compares askers with the requests that they stand for.
func TestAskersAreRequests(t *testing.T) {
	for _, nodes := range [][]path{chain, fork} {
		w := newWorld(size{nodes: nodes, claims: 2})
		if len(w.forms) != len(w.askers()) {
			t.Errorf("%v: there are %d forms and %d askers, want as many", nodes, len(w.forms), len(w.askers()))
		}
		for _, i := range w.forms {
			for _, j := range w.forms {
				a, held := &w.spellings[i], &w.spellings[j]
				rest, ok := a.Rule.Without(held.Rule)
				if want := model.Without(a.req, held.req); ok != (want.Len() > 0) || bits.OnesCount64(uint64(rest.claims)) > want.Len() {
					t.Fatalf("%v without %v has %d claims, want %v", a.req, held.req, rest.claims, want)
				}
				for _, k := range w.forms {
					other := &w.spellings[k]
					got := a.Rule.ConflictsBeside(held.Rule, other.Rule)
					if want := model.ConflictBeside(a.req, held.req, other.req); got != want {
						t.Fatalf("%v beside %v conflicts with %v = %t, want %t", a.req, held.req, other.req, got, want)
					}
				}
			}
		}
	}
}

// askers returns the askers of all spellings.
func (w *world) askers() map[claimSet]bool {
	all := map[claimSet]bool{}
	for i := range w.spellings {
		all[w.spellings[i].Rule.claims] = true
	}
	return all
}
