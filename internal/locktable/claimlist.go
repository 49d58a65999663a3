package locktable

import (
	"slices"

	"github.com/treelock/treelock/waitqueue"
)

// A claimLink is a live claim in a claim list of the node that it names. A node has two such lists:
// one for claims in mode NR, which most other requests do not conflict with, and one for the rest.
// Intentions are in no list. So a release does not touch requests that claim other nodes below the
// same ancestors.
//
//	node.claims --> first <--> second <--> last --> nil
//	                first.prev = last
//
// A list is in order of arrival, except that a request that comes to the node by [Table.Narrow]
// goes to the front. (It is earlier than each claim there that conflicts with it.) So admitted
// claims come before waiting ones (I4): claims of one list that do not conflict have the same mode.
type claimLink[N comparable, W any] struct {
	next, prev *claimLink[N, W] // in the claim list; first.prev is the last link, or nil
	request    *Request[N, W]
	use        int // the index in request.uses
}

// addClaim appends l, a claim of n in mode, to its list. A new request is the latest of all, so the
// list stays in order of arrival.
//
// addClaim and removeClaim treat the common case of one claim inline. BenchmarkSubmit takes 8% more
// without that.
func (n *node[N, W]) addClaim(l *claimLink[N, W], mode waitqueue.Mode) {
	if n.claims == nil {
		n.claims = l // the common case, inlined
		return
	}
	n.appendClaim(l, mode)
}

// appendClaim is addClaim for a node with other claims.
func (n *node[N, W]) appendClaim(l *claimLink[N, W], mode waitqueue.Mode) {
	list := n.claimList(mode)
	first := *list
	if first == nil {
		*list = l
		return
	}
	// first.prev is the last link, so an append needs no walk. It is nil if first is the only one.
	last := first.prev
	if last == nil {
		last = first
	}
	last.next, l.prev, first.prev = l, last, l
}

// prependClaim puts l, a claim of n in mode, at the front of its list. Narrow uses it: the request
// is granted, so its claim comes before all waiting ones (I4).
func (n *node[N, W]) prependClaim(l *claimLink[N, W], mode waitqueue.Mode) {
	list := n.claimList(mode)
	if second := *list; second != nil {
		last := second.prev
		if last == nil {
			last = second
		}
		l.next, l.prev, second.prev = second, last, l
	}
	*list = l
}

// claimList returns the list of n for claims in mode. If any list is not empty, n.claims is not.
// The other list is in n.children, as few nodes have two.
func (n *node[N, W]) claimList(mode waitqueue.Mode) (first **claimLink[N, W]) {
	if n.claims == nil || n.claims.readsNode() == (mode == waitqueue.NR) {
		return &n.claims
	}
	if n.children == nil {
		n.children = new(children[N, W])
	}
	return &n.children.claims
}

// claimLists returns the first link of each claim list of n, nil if it is empty.
func (n *node[N, W]) claimLists() (lists [2]*claimLink[N, W]) {
	lists[0] = n.claims
	if n.children != nil {
		lists[1] = n.children.claims
	}
	return lists
}

// readsNode reports whether l belongs to the list of claims in mode NR.
func (l *claimLink[N, W]) readsNode() bool { return l.request.uses[l.use].mode == waitqueue.NR }

// removeClaim removes l, a claim of n in mode, from its list.
func (n *node[N, W]) removeClaim(l *claimLink[N, W], mode waitqueue.Mode) {
	if n.claims == l && l.next == nil && n.children == nil {
		n.claims = nil
		return
	}
	n.removeSharedClaim(l, mode)
}

// removeSharedClaim is removeClaim for a node that has, or may have had, other claims.
func (n *node[N, W]) removeSharedClaim(l *claimLink[N, W], mode waitqueue.Mode) {
	// claimList compares mode with the first claim of a list. That works as l is still in its list.
	l.remove(n.claimList(mode))
	// If any list is not empty, n.claims must not be empty.
	if n.claims == nil && n.children != nil {
		n.claims, n.children.claims = n.children.claims, nil
	}
}

// remove unlinks l from a list, in O(1).
func (l *claimLink[N, W]) remove(list **claimLink[N, W]) {
	first := *list
	if first == l && l.next == nil {
		*list = nil
		return
	}
	// The list is not circular: first.prev is the last link, or nil if first is alone. There are
	// five cases: the only link (above), the first of two, the first of more, the last one, and one
	// in the middle. first.prev must forget the last one.
	if l == first {
		*list = l.next
		if l.prev != l.next {
			l.next.prev = l.prev
		} else {
			l.next.prev = nil // it is the only one now
		}
	} else {
		l.prev.next = l.next
		switch {
		case l.next != nil:
			l.next.prev = l.prev
		case l.prev != first:
			first.prev = l.prev // it was the last one
		default:
			first.prev = nil
		}
	}
	l.next, l.prev = nil, nil
}

// listClaims puts the claims of r into the lists of their nodes, in front if r has narrowed. The
// first node use is always a claim. Its link is a field of the request, so that a request of one
// claim needs no other memory for links.
func (t *Table[N, W]) listClaims(r *Request[N, W], narrowed bool) {
	claims := 0
	for i := range r.uses {
		if r.uses[i].mode.Claims() {
			claims++
		}
	}
	if claims > 1 {
		if r.moreClaims == nil {
			r.moreClaims = new([]claimLink[N, W])
		}
		// The lists point to the links, so the slice must not move while it fills.
		*r.moreClaims = slices.Grow(*r.moreClaims, claims-1)
	}
	for i := range r.uses {
		use := &r.uses[i]
		if !use.mode.Claims() {
			continue
		}
		l := &r.firstClaim
		if i > 0 {
			more := append(*r.moreClaims, claimLink[N, W]{request: r, use: i})
			l, *r.moreClaims = &more[len(more)-1], more
		}
		if narrowed {
			use.node.prependClaim(l, use.mode)
		} else {
			use.node.addClaim(l, use.mode)
		}
	}
}

// unlistClaims removes the claims of r from the lists of their nodes. A withdrawal must call it
// before it clears node uses.
func (t *Table[N, W]) unlistClaims(r *Request[N, W]) {
	if len(r.uses) == 0 {
		return // the empty request
	}
	r.uses[0].node.removeClaim(&r.firstClaim, r.uses[0].mode)
	if r.moreClaims == nil {
		return
	}
	for i := range *r.moreClaims {
		l := &(*r.moreClaims)[i]
		use := &r.uses[l.use]
		use.node.removeClaim(l, use.mode)
	}
	// After a Narrow, a request may have far fewer node uses than it had claims.
	if *r.moreClaims = (*r.moreClaims)[:0]; cap(*r.moreClaims) > maxUses {
		r.moreClaims = nil
	}
}
