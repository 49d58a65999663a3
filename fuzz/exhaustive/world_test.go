package exhaustive_test

import (
	"fmt"
	"slices"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/model"
)

type (
	path    = treelock.Path
	table   = locktable.Table[int, int] // nodes are known by their index in the world; the root is the zero value
	request = locktable.Request[int, int]
	asked   = treelock.Request[path]
)

// Trees that have all relations between two nodes that their size allows.
var (
	// five: equal; above by one and by two; beside, below the root and below another node; in different branches.
	five = []path{"/", "/a", "/a/x", "/a/y", "/b"}
	// four is five without two nodes beside each other further down.
	four = []path{"/", "/a", "/a/x", "/b"}
	// chain and fork have half each of the relations in four.
	chain = []path{"/", "/a", "/a/x"}
	fork  = []path{"/", "/a", "/b"}
)

// A size says how large a world is.
type size struct {
	nodes   []path
	clients int
	claims  int  // that a request may have
	spelled bool // that each spelling is taken for a form of its own
}

// A world is a tree, a number of clients, and all requests of up to a number of claims in it.
type world struct {
	size
	spellings  []spelling // those with fewer claims come first; the first is the empty request
	all        []int      // the indices of all spellings
	forms      []int      // of each form, the index of its first spelling
	conflict   [][]bool   // [form][form]: what model.Conflict says
	inside     [][]bool   // [asked form][held form]: what Narrow of the model says
	symmetries []symmetry
}

// A spelling is a request as a client writes it down: a sequence of claims. Claims may repeat, or cover one another,
// and their order is free, so a request has many spellings.
type spelling struct {
	req    asked
	claims []locktable.Claim[int]
	places int // that it must have
	form   uint16
}

// A form is what is left of a spelling once it is submitted: all spellings of a form cover the same claims, by the
// rule, and leave the same entries in an empty table. In the table they differ in nothing but the order in which
// their places are visited.
//
// So two spellings that mean the same are still different forms if the table queues them differently.
type form struct {
	covers   string
	entries  string
	spelling int // 0 but in a world of spellings
}

// A symmetry is a permutation of the nodes that keeps who is whose parent.
type symmetry struct {
	from  []int    // node from[i] becomes node i
	forms []uint16 // of each form, its image
}

// maxSpellings is due to the size of a step, of which a search has many millions.
const maxSpellings = 1 << 16

func newWorld(size size) *world {
	w := &world{size: size, spellings: []spelling{{}}}
	for last := w.spellings; len(last[0].claims) < size.claims; {
		longer := []spelling{}
		for _, s := range last {
			longer = append(longer, w.extend(s)...)
		}
		w.spellings, last = append(w.spellings, longer...), longer
	}
	if len(w.spellings) > maxSpellings {
		panic(fmt.Sprintf("there are %d requests of up to %d claims, want %d at most", len(w.spellings), w.claims, maxSpellings))
	}
	w.findForms()
	for i := range w.forms {
		conflict, inside := make([]bool, len(w.forms)), make([]bool, len(w.forms))
		for j := range w.forms {
			a, b := w.spellings[w.forms[i]].req, w.spellings[w.forms[j]].req
			conflict[j], inside[j] = model.Conflict(a, b), holds(b, a)
		}
		w.conflict, w.inside = append(w.conflict, conflict), append(w.inside, inside)
	}
	w.findSymmetries()
	return w
}

// extend returns s with one more claim, in all ways.
func (w *world) extend(s spelling) (longer []spelling) {
	for node, p := range w.nodes {
		for kind, req := range []asked{s.req.ReadNode(p), s.req.Read(p), s.req.WriteNode(p), s.req.Write(p)} {
			scope, access := treelock.Scope((kind+1)%2), treelock.Access(kind/2)
			claim := locktable.Claim[int]{Mode: locktable.ModeOf(scope, access), Lineage: w.lineage(node)}
			longer = append(longer, spelling{req: req, claims: append(slices.Clip(s.claims), claim)})
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

// holds reports whether the model lets a holder of held narrow it to asked.
func holds(held, asked asked) bool {
	var m model.Model[path]
	m.Submit("holder", held)
	_, ok := m.Narrow("holder", asked)
	return ok
}

// findForms sorts the spellings into forms.
func (w *world) findForms() {
	known := map[form]int{}
	for i := range w.spellings {
		w.all = append(w.all, i)
		s := &w.spellings[i]
		s.places = countPlaces(*s)
		var f form
		for _, claim := range w.extend(spelling{}) {
			f.covers += fmt.Sprint(holds(s.req, claim.req), " ")
		}
		t := locktable.New[int, int](0)
		f.entries = string(appendEntries(nil, t, []*request{t.Submit(0, s.claims)}, w.order()))
		if w.spelled {
			f.spelling = i
		}
		if _, ok := known[f]; !ok {
			known[f] = len(w.forms)
			w.forms = append(w.forms, i)
		}
		s.form = uint16(known[f])
	}
}

// order returns the nodes in their order.
func (w *world) order() (order []int) {
	for i := range w.nodes {
		order = append(order, i)
	}
	return order
}

// findSymmetries finds all symmetries of the tree. The first changes nothing.
func (w *world) findSymmetries() {
	permute(w.order(), 0, func(from []int) {
		for i := range from {
			a, b := w.lineage(i), w.lineage(from[i])
			if len(a) != len(b) || len(a) > 1 && from[a[1]] != b[1] {
				return
			}
		}
		w.symmetries = append(w.symmetries, symmetry{slices.Clone(from), w.images(from)})
	})
}

// images returns the image of each form when node from[i] becomes node i.
func (w *world) images(from []int) (images []uint16) {
	for _, first := range w.forms {
		image := spelling{}
		for _, claim := range w.spellings[first].claims {
			to := slices.Index(from, claim.Lineage[0])
			image.claims = append(image.claims, locktable.Claim[int]{Mode: claim.Mode, Lineage: w.lineage(to)})
		}
		i := slices.IndexFunc(w.spellings, func(s spelling) bool { return slices.EqualFunc(s.claims, image.claims, sameClaim) })
		images = append(images, w.spellings[i].form)
	}
	return images
}

func sameClaim(a, b locktable.Claim[int]) bool {
	return a.Mode == b.Mode && a.Lineage[0] == b.Lineage[0]
}

// permute calls f with all permutations of s[k:], s itself first.
func permute(s []int, k int, f func([]int)) {
	if k == len(s) {
		f(s)
	}
	for i := k; i < len(s); i++ {
		s[k], s[i] = s[i], s[k]
		permute(s, k+1, f)
		s[k], s[i] = s[i], s[k]
	}
}
