package locktable

import "github.com/treelock/treelock/waitqueue"

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
	next, prev    *claimLink[N, W] // in the claim list; first.prev is the last link, or nil
	request       *Request[N, W]
	use           int              // the index in request.uses
	nextOfRequest *claimLink[N, W] // the link of the request's next claim, or the next free link
}

// addClaim appends l, a claim of n in mode, to its list. A new request is the latest of all, so the
// list stays in order of arrival.
func (n *node[N, W]) addClaim(l *claimLink[N, W], mode waitqueue.Mode) {
	if n.claims == nil {
		n.claims = l // the common case, inlined: see BenchmarkLock
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
	// The list is not circular: the head has no previous link, and its prev field points to the
	// last one.
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

// listClaims puts the claims of r into the lists of their nodes, in front if r has narrowed. Most
// requests have one claim, whose link is a field of the request. So they need no memory for links.
func (t *Table[N, W]) listClaims(r *Request[N, W], narrowed bool) {
	last := (*claimLink[N, W])(nil)
	for i := range r.uses {
		use := &r.uses[i]
		if !use.mode.Claims() {
			continue
		}
		// The first node use is always a claim, so the first claim gets the link in the request.
		l := &r.firstClaim
		if last != nil {
			l = t.newClaimLink(r)
			last.nextOfRequest = l
		}
		l.use = i
		if narrowed {
			use.node.prependClaim(l, use.mode)
		} else {
			use.node.addClaim(l, use.mode)
		}
		last = l
	}
}

// unlistClaims removes the claims of r from the lists of their nodes. It needs the complete node
// uses of r, as listClaims left them.
func (t *Table[N, W]) unlistClaims(r *Request[N, W]) {
	if r.firstClaim.nextOfRequest == nil && len(r.uses) > 0 { // one claim, which is the first node use
		r.uses[0].node.removeClaim(&r.firstClaim, r.uses[0].mode)
		return
	}
	l := &r.firstClaim
	// listClaims linked the claims in the order of the node uses. A withdrawal must call
	// unlistClaims before it clears node uses.
	for i := 0; i < len(r.uses) && l != nil; i++ {
		if use := &r.uses[i]; use.mode.Claims() {
			use.node.removeClaim(l, use.mode)
			l = t.nextClaim(l)
		}
	}
}

// nextClaim frees l, which is in no list, and returns the link of the request's next claim.
func (t *Table[N, W]) nextClaim(l *claimLink[N, W]) (next *claimLink[N, W]) {
	next = l.nextOfRequest
	if l == &l.request.firstClaim {
		l.nextOfRequest = nil
	} else {
		t.freeClaimLink(l)
	}
	return next
}

// newClaimLink returns a link for a claim of r after its first.
func (t *Table[N, W]) newClaimLink(r *Request[N, W]) *claimLink[N, W] {
	l := t.storage.freeLinks
	if l == nil {
		return &claimLink[N, W]{request: r}
	}
	t.storage.freeLinks = l.nextOfRequest
	t.storage.numFreeLinks--
	l.request, l.nextOfRequest = r, nil
	return l
}

// freeClaimLink frees l.
func (t *Table[N, W]) freeClaimLink(l *claimLink[N, W]) {
	*l = claimLink[N, W]{}
	if t.storage.numFreeLinks < maxFree {
		l.nextOfRequest = t.storage.freeLinks
		t.storage.freeLinks = l
		t.storage.numFreeLinks++
	}
}
