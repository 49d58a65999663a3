package page

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/treelock/treelock"
)

const (
	// maxLevels is how many levels the tree shows above a claimed node, including it. A deeper node
	// appears as a root.
	maxLevels = 256

	// maxDepth is how many levels of grants inside grants are indented at one node.
	maxDepth = 3

	// maxTreeNodes is how many nodes the tree has before it leaves out nodes without claims.
	maxTreeNodes = 16_384
)

// A tree has the nodes that are claimed by the requests on a page, and their ancestors.
type tree[N treelock.Node[N]] struct {
	nodes    map[N]*treeNode[N]
	noClaims []row // of the requests without claims
}

func newTree[N treelock.Node[N]]() *tree[N] { return &tree[N]{nodes: make(map[N]*treeNode[N])} }

type treeNode[N treelock.Node[N]] struct {
	node     N
	text     text
	root     bool
	children []*treeNode[N]
	requests []row // of the claims of this node
	holds    int
	waits    int
}

// A row is a line of the tree: a node or, below it, a request.
type row struct {
	Level int

	// Of a node.
	Node  *name
	Below string // the text for the filter, or "" if there is none
	Holds int
	Waits int

	// Of a request.
	Request *request
	Verb    string
	ID      bool // the first row of the request
	Depth   int  // how many grants around it are above it at the same node
}

// Indent returns the CSS class of the level.
func (r row) Indent() string {
	if r.Level > 6 {
		return "deep"
	}
	return "l" + strconv.Itoa(r.Level)
}

// rank is lower for a holder than for a waiter.
func (r row) rank() int {
	if r.Request.Holds {
		return 0
	}
	return 1
}

// add adds a request at the nodes that it claims.
func (t *tree[N]) add(r *request, claims []treelock.Claim[N]) {
	if len(claims) == 0 {
		t.noClaims = append(t.noClaims, row{Request: r, Verb: "no claims", ID: true})
	}
	for i, claim := range claims {
		n := t.withAncestors(claim.Node)
		n.requests = append(n.requests, row{Request: r, Verb: claim.Verb(), ID: i == 0})
		if r.Holds {
			n.holds++
		} else {
			n.waits++
		}
	}
}

// withAncestors returns the tree node of node. It adds it and its ancestors if it is new.
func (t *tree[N]) withAncestors(node N) *treeNode[N] {
	found, added := t.at(node)
	for n, level := found, 1; added; level++ {
		parent, ok := n.node.Parent()
		if !ok || level == maxLevels || len(t.nodes) >= maxTreeNodes {
			break
		}
		above, addedAbove := t.at(parent)
		above.children = append(above.children, n)
		n.root = false
		n, added = above, addedAbove
	}
	return found
}

// at returns the tree node of node. A new one is a root.
func (t *tree[N]) at(node N) (n *treeNode[N], added bool) {
	if n := t.nodes[node]; n != nil {
		return n, false
	}
	n = &treeNode[N]{node: node, text: textOf(node), root: true}
	t.nodes[node] = n
	return n, true
}

// rows returns the tree from the top down. It omits a node without claims unless the tree branches
// there. The names of the rows take at most maxAnswer; leftOut is how many rows have no room.
func (t *tree[N]) rows(filter func(N, text) string) (rows []row, leftOut int) {
	var roots []*treeNode[N]
	for _, n := range t.nodes {
		if n.root {
			roots = append(roots, n)
		}
	}
	w := treeWalk[N]{filter: filter, rows: t.noClaims, room: maxAnswer}
	w.siblings(roots, 0, text{})
	return w.rows, w.leftOut
}

// A treeWalk appends the rows of a tree.
type treeWalk[N treelock.Node[N]] struct {
	filter  func(N, text) string
	rows    []row
	room    int // for names, in bytes
	leftOut int
}

// siblings appends the rows of nodes and of their descendants. above is the text of the node above
// them on the page.
func (w *treeWalk[N]) siblings(nodes []*treeNode[N], level int, above text) {
	slices.SortFunc(nodes, func(a, b *treeNode[N]) int {
		return cmp.Compare(a.text.kept, b.text.kept)
	})
	for _, n := range nodes {
		w.node(n, level, above)
	}
}

func (w *treeWalk[N]) node(n *treeNode[N], level int, above text) {
	for len(n.requests) == 0 && len(n.children) == 1 {
		n = n.children[0]
	}
	if len(n.requests) == 0 && n.root { // the root of all nodes tells the viewer nothing
		w.siblings(n.children, level, above)
		return
	}
	if w.room < 0 {
		w.leftOut += 1 + len(n.requests)
	} else {
		w.addRows(n, level, above)
	}
	w.siblings(n.children, level+1, n.text)
}

// addRows appends the row of a node and the rows of its requests, holders first.
func (w *treeWalk[N]) addRows(n *treeNode[N], level int, above text) {
	shown, below := relative(n.text, above).name(), w.filter(n.node, n.text)
	w.room -= len(shown.Short) + len(shown.Full) + len(below)
	w.rows = append(w.rows, row{Level: level, Node: &shown, Below: below, Holds: n.holds, Waits: n.waits})
	slices.SortStableFunc(n.requests, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Request.Number, b.Request.Number))
	})
	for _, r := range nested(n.requests) {
		r.Level = level
		w.rows = append(w.rows, r)
	}
}

// nested returns the rows of one node with each widening, and then each request inside a grant,
// below its grant. A row whose grant does not claim the node keeps its place.
func nested(rows []row) (all []row) {
	claims := make(map[*request]bool, len(rows))
	for _, r := range rows {
		claims[r.Request] = true
	}
	shown, below := make(map[*request]bool, len(rows)), make(map[*request][]row)
	for _, pass := range []bool{true, false} { // widenings come first
		for _, r := range rows {
			if grant := r.Request.grant(); (r.Request.Widens != nil) == pass && claims[grant] {
				below[grant] = append(below[grant], r)
			}
		}
	}
	var add func(r row, depth int)
	add = func(r row, depth int) {
		r.Depth = min(depth, maxDepth)
		all = append(all, r)
		if shown[r.Request] {
			return // another claim of it at this node
		}
		shown[r.Request] = true
		for _, inner := range below[r.Request] {
			add(inner, depth+1)
		}
	}
	for _, r := range rows {
		if !claims[r.Request.grant()] {
			add(r, 0)
		}
	}
	return all
}

// grant returns the grant that the request is inside, or widens, or nil.
func (r *request) grant() *request {
	if r.Widens != nil {
		return r.Widens
	}
	return r.Inside
}

// relative returns t without the text of the node above it, if the rest begins with a slash.
func relative(t, above text) text {
	rest, ok := strings.CutPrefix(t.kept, above.kept)
	if !ok || above.size == 0 || t.size > maxFull || !strings.HasPrefix(rest, "/") {
		return t
	}
	return newText(rest)
}
