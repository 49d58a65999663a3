package exhaustive_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/fuzz/tabletest"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/model"
	"github.com/treelock/treelock/internal/terms"
)

type (
	path    = treelock.Path
	request = treelock.Request[path]
	claim   = locktable.Claim[int] // nodes are indices in the world; the root is 0
)

// Trees that have all relations between two nodes that their size allows.
var (
	// five: equal; above by one and by two; beside, below the root and below another node; in
	// different branches.
	five = []path{"/", "/a", "/a/x", "/a/y", "/b"}
	// four is five without two nodes beside each other further down.
	four = []path{"/", "/a", "/a/x", "/b"}
	// chain and fork have half each of the relations in four.
	chain = []path{"/", "/a", "/a/x"}
	fork  = []path{"/", "/a", "/b"}
)

// maxClients bounds the clients of a world: the rank of a request has three bits in a key.
const maxClients = 8

// A size says how large a world is.
type size struct {
	nodes   []path
	clients int
	claims  int  // that a request may have
	spelled bool // that each spelling is a form of its own
	widens  bool // that grants widen, and requests are made under them
}

// A world is a tree, a number of clients, and all requests of up to a number of claims in it.
type world struct {
	size
	order     []int                             // the indices of the nodes
	spellings []spelling                        // by the number of claims; the first has none
	all       []int                             // the indices of all spellings
	forms     []int                             // of each form, the index of its first spelling
	ofClaim   map[locktable.NodeMode[int]]asker // the requests of one claim
	pairs     [numClaims]pair                   // by claim
}

// A spelling is a request as a client writes it down: a sequence of claims. Claims may repeat, or
// cover one another, and their order is free, so a request has many spellings.
type spelling struct {
	req request
	tabletest.Request[int, asker]
}

// A form is what is left of a spelling once it is submitted. All spellings of a form cover the same
// claims by the rule, and leave the same entries in an empty table. They differ only in the order
// in which the table visits their nodes. Two spellings that mean the same are different forms if
// the table queues them differently.
type form struct {
	covers   string
	entries  string
	spelling int // 0 except in a world of spellings
}

// maxSpellings is due to the size of a step, of which a search has many millions.
const maxSpellings = 1 << 16

func newWorld(size size) *world {
	w := &world{size: size, spellings: []spelling{{}}, ofClaim: map[locktable.NodeMode[int]]asker{}}
	for i := range size.nodes {
		w.order = append(w.order, i)
	}
	for last := w.spellings; len(last[0].Claims) < size.claims; {
		longer := []spelling{}
		for _, s := range last {
			longer = append(longer, w.extend(s)...)
		}
		w.spellings, last = append(w.spellings, longer...), longer
	}
	if len(w.spellings) > maxSpellings {
		panic(fmt.Sprintf("there are %d requests of up to %d claims, want %d at most", len(w.spellings), w.claims, maxSpellings))
	}
	w.findPairs()
	w.findForms()
	return w
}

// extend returns s with one more claim, in all ways.
func (w *world) extend(s spelling) (longer []spelling) {
	for node, p := range w.nodes {
		for kind, req := range []request{s.req.ReadNode(p), s.req.Read(p), s.req.WriteNode(p), s.req.Write(p)} {
			scope, access := treelock.Scope((kind+1)%2), treelock.Access(kind/2)
			next := spelling{req: req}
			next.Claims = append(slices.Clip(s.Claims), claim{Mode: terms.ModeOf(scope, access), Lineage: w.lineage(node)})
			next.Rule = asker{w: w, claims: s.Rule.claims.with(node*kinds + kind)}
			longer = append(longer, next)
		}
	}
	return longer
}

// lineage returns a node and all its ancestors.
func (w *world) lineage(node int) (lineage []int) {
	for p, ok := w.nodes[node], true; ok; p, ok = p.Parent() {
		i := slices.Index(w.nodes, p)
		if i < 0 {
			panic(fmt.Sprintf("%s is missing: every tree must have the parents of its nodes", p))
		}
		lineage = append(lineage, i)
	}
	return lineage
}

// findForms sorts the spellings into forms.
func (w *world) findForms() {
	known := map[form]int{}
	for i := range w.spellings {
		w.all = append(w.all, i)
		s := &w.spellings[i]
		s.NodeUses = tabletest.CountNodeUses(s.Claims)
		f := w.formOf(s)
		if w.spelled {
			f.spelling = i
		}
		if _, ok := known[f]; !ok {
			known[f] = len(w.forms)
			w.forms = append(w.forms, i)
		}
		s.Rule.w = w
		if w.spelled {
			s.Rule.spelling = uint16(i)
		}
		if len(s.Claims) == 1 {
			w.ofClaim[locktable.NodeMode[int]{Node: s.Claims[0].Lineage[0], Mode: s.Claims[0].Mode}] = s.Rule
		}
	}
}

func (w *world) formOf(s *spelling) (f form) {
	for _, claim := range w.extend(spelling{}) {
		f.covers += fmt.Sprint(model.Inside(claim.req, s.req), " ")
	}
	h := tabletest.New[int, asker](0, nil, nil, nil)
	h.Submit(0, s.Request)
	f.entries = string(h.AppendEntries(nil, w.order))
	return f
}

func TestSpellingsOfAFormMeanTheSame(t *testing.T) {
	for _, nodes := range [][]path{five, chain} {
		w := newWorld(size{nodes: nodes, claims: 2})
		for i := range w.spellings {
			for j := range w.spellings {
				a, b := &w.spellings[i], &w.spellings[j]
				if got, want := a.Rule.Conflicts(b.Rule), model.Conflict(a.req, b.req); got != want {
					t.Fatalf("conflict of %v and %v = %t, want %t", a.req, b.req, got, want)
				}
				if got, want := a.Rule.Inside(b.Rule), model.Inside(a.req, b.req); got != want {
					t.Fatalf("%v inside %v = %t, want %t", a.req, b.req, got, want)
				}
			}
		}
	}
}
