package page

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/treelock/treelock"
)

const (
	mostClaims = 8   // of a request are shown
	mostLevels = 256 // a branch is followed so far up; what is deeper stands by itself

	// mostBranches is how many nodes a tree has before it leaves out those that no request claims.
	mostBranches = 16_384
)

// A tree has the nodes that are claimed by the requests on a page, and those above them.
type tree[N treelock.Node[N]] struct {
	branches map[N]*branch[N]
	bare     []row // of the requests without claims
}

func newTree[N treelock.Node[N]]() *tree[N] { return &tree[N]{branches: make(map[N]*branch[N])} }

// A branch is a node and what is below it.
type branch[N treelock.Node[N]] struct {
	node     N
	text     text
	root     bool
	children []*branch[N]
	entries  []row // of the requests here: those that hold in front, each part by arrival
	holds    int
	waits    int
}

// A row is a line of the tree: a node or, below it, a request.
type row struct {
	Level int

	// Of a node.
	Node  *name
	Below string // the filter that shows it, "" if there is none
	Holds int
	Waits int

	// Of a request.
	Request *request
	Verb    string
	ID      bool // it is the first row of the request
}

// Indent returns the class of a row that stands so far to the right.
func (r row) Indent() string {
	if r.Level > 6 {
		return "deep"
	}
	return "l" + strconv.Itoa(r.Level)
}

// rank is lower for a request that holds than for one that waits.
func (r row) rank() int {
	if r.Request.Holds {
		return 0
	}
	return 1
}

// add puts a request into the tree, at the nodes that it claims.
func (t *tree[N]) add(r *request, claims []treelock.Claim[N]) {
	if len(claims) == 0 {
		t.bare = append(t.bare, row{Request: r, Verb: "no claims", ID: true})
	}
	for i, claim := range claims {
		b := t.branch(claim.Node)
		b.entries = append(b.entries, row{Request: r, Verb: claim.Verb(), ID: i == 0})
		if r.Holds {
			b.holds++
		} else {
			b.waits++
		}
	}
}

// branch returns the branch of node, and makes it, and those above it, if there is none.
func (t *tree[N]) branch(node N) *branch[N] {
	found, made := t.at(node)
	for b, level := found, 1; made; level++ {
		parent, ok := b.node.Parent()
		if !ok || level == mostLevels || len(t.branches) >= mostBranches {
			break
		}
		above, madeAbove := t.at(parent)
		above.children = append(above.children, b)
		b.root = false
		b, made = above, madeAbove
	}
	return found
}

// at returns the branch of node, which is a root if it had to be made.
func (t *tree[N]) at(node N) (b *branch[N], made bool) {
	if b := t.branches[node]; b != nil {
		return b, false
	}
	b = &branch[N]{node: node, text: textOf(node), root: true}
	t.branches[node] = b
	return b, true
}

// rows returns the tree, from the top down. A node that nobody claims is left out unless the tree branches there.
// The rows have no more names than an answer has room for; leftOut is how many rows are missing.
func (t *tree[N]) rows(filter func(N, text) string) (rows []row, leftOut int) {
	var roots []*branch[N]
	for _, b := range t.branches {
		if b.root {
			roots = append(roots, b)
		}
	}
	w := walk[N]{filter: filter, rows: t.bare, room: maxAnswer}
	w.all(roots, 0, text{})
	return w.rows, w.leftOut
}

// A walk goes through a tree.
type walk[N treelock.Node[N]] struct {
	filter  func(N, text) string
	rows    []row
	room    int // bytes for names
	leftOut int // rows for which there was no room
}

// all goes through branches side by side. above is the name of the node that stands above them on the page.
func (w *walk[N]) all(branches []*branch[N], level int, above text) {
	slices.SortFunc(branches, func(a, b *branch[N]) int { return cmp.Compare(a.text.kept, b.text.kept) })
	for _, b := range branches {
		w.one(b, level, above)
	}
}

func (w *walk[N]) one(b *branch[N], level int, above text) {
	for len(b.entries) == 0 && len(b.children) == 1 {
		b = b.children[0]
	}
	if len(b.entries) == 0 && b.root {
		w.all(b.children, level, above) // a root says nothing
		return
	}
	if w.room < 0 {
		w.leftOut += 1 + len(b.entries)
		w.all(b.children, level+1, b.text)
		return
	}
	shown, below := relative(b.text, above).name(), w.filter(b.node, b.text)
	w.room -= len(shown.Short) + len(shown.Full) + len(below)
	w.rows = append(w.rows, row{Level: level, Node: &shown, Below: below, Holds: b.holds, Waits: b.waits})
	slices.SortStableFunc(b.entries, func(x, y row) int {
		return cmp.Or(cmp.Compare(x.rank(), y.rank()), cmp.Compare(x.Request.Seq, y.Request.Seq))
	})
	for _, entry := range b.entries {
		entry.Level = level
		w.rows = append(w.rows, entry)
	}
	w.all(b.children, level+1, b.text)
}

// relative returns what t says that the name of the node above it does not, if that begins with a slash.
func relative(t, above text) text {
	rest, ok := strings.CutPrefix(t.kept, above.kept)
	if !ok || above.size == 0 || t.size > longest || !strings.HasPrefix(rest, "/") {
		return t
	}
	return newText(rest)
}
