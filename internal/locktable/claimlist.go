package locktable

import "github.com/treelock/treelock/waitqueue"

// A link is a claim of one node by one live request, waiting or admitted, in one of the node's two
// lists: that of claims in mode NR, which most other requests pass, and that of all other claims.
// Intentions are in no list, so a release touches no request that claims another node below the
// same ancestors.
//
// The lists name the blockers of a request; the queues decide whether it has any. A list is in
// order of arrival, but a request that comes to the node by [Table.Narrow] goes to the front. (If
// it conflicts with another claim there, it is the earlier one.) So those of a list that are
// admitted stand first: claims of one list that do not conflict have the same mode.
type claimLink[N comparable, W any] struct {
	next, prev    *claimLink[N, W] // in the list of the node; the first one's prev is the last, nil if it is alone
	request       *Request[N, W]
	use           int              // the index of the place that has the claim
	nextOfRequest *claimLink[N, W] // of the same request, in the order of its places; or the next one that is free
}

// claim puts l, which claims n in mode, at the end of its list.
func (n *node[N, W]) addClaim(l *claimLink[N, W], mode waitqueue.Mode) {
	if n.claims == nil {
		n.claims = l // alone, as most are: see BenchmarkLock
		return
	}
	n.appendClaim(l, mode)
}

// claimLast is claim where others are.
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

// claimFirst puts l, which claims n in mode, at the front of its list.
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

// claimsLike returns the list of the claims of n like those in mode. One list is n.claimed, if any
// is not empty; the other is with the lists of n's children, as few nodes have both.
func (n *node[N, W]) claimList(mode waitqueue.Mode) (first **claimLink[N, W]) {
	if n.claims == nil || n.claims.readsNode() == (mode == waitqueue.NR) {
		return &n.claims
	}
	if n.children == nil {
		n.children = new(children[N, W])
	}
	return &n.children.claims
}

// claims returns the first of each list of the claims of n, nil if there is none.
func (n *node[N, W]) claimLists() (lists [2]*claimLink[N, W]) {
	lists[0] = n.claims
	if n.children != nil {
		lists[1] = n.children.claims
	}
	return lists
}

// ofReader reports whether l is in the list of claims in mode NR.
func (l *claimLink[N, W]) readsNode() bool { return l.request.uses[l.use].mode == waitqueue.NR }

// unclaim takes l, which claims n in mode, off its list.
func (n *node[N, W]) removeClaim(l *claimLink[N, W], mode waitqueue.Mode) {
	if n.claims == l && l.next == nil && n.children == nil {
		n.claims = nil
		return
	}
	n.removeSharedClaim(l, mode)
}

// unclaimOne is unclaim where others are, or have been.
func (n *node[N, W]) removeSharedClaim(l *claimLink[N, W], mode waitqueue.Mode) {
	l.remove(n.claimList(mode))
	if n.claims == nil && n.children != nil {
		n.claims, n.children.claims = n.children.claims, nil
	}
}

// remove takes l off a list.
func (l *claimLink[N, W]) remove(list **claimLink[N, W]) {
	first := *list
	if first == l && l.next == nil {
		*list = nil
		return
	}
	if l == first {
		*list = l.next
		if l.prev != l.next {
			l.next.prev = l.prev
		} else {
			l.next.prev = nil // it is alone now
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

// link puts the claims of r into the lists of their nodes, in front if r has narrowed. Most
// requests have one claim, and the link for it in themselves.
func (t *Table[N, W]) listClaims(r *Request[N, W], narrowed bool) {
	last := (*claimLink[N, W])(nil)
	for i := range r.uses {
		use := &r.uses[i]
		if !use.mode.Claims() {
			continue
		}
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

// unlink is the reverse of link.
func (t *Table[N, W]) unlistClaims(r *Request[N, W]) {
	if r.firstClaim.nextOfRequest == nil && len(r.uses) > 0 { // one claim, which is at the first place
		r.uses[0].node.removeClaim(&r.firstClaim, r.uses[0].mode)
		return
	}
	l := &r.firstClaim
	for i := 0; i < len(r.uses) && l != nil; i++ {
		if use := &r.uses[i]; use.mode.Claims() {
			use.node.removeClaim(l, use.mode)
			l = t.nextClaim(l)
		}
	}
}

// nextLink returns the link of the same request that follows l, and lets go of l, which is in no list any more.
func (t *Table[N, W]) nextClaim(l *claimLink[N, W]) (next *claimLink[N, W]) {
	next = l.nextOfRequest
	if l == &l.request.firstClaim {
		l.nextOfRequest = nil
	} else {
		t.freeClaimLink(l)
	}
	return next
}

// newLink returns a link for a further claim of r.
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

// freeLink lets go of l.
func (t *Table[N, W]) freeClaimLink(l *claimLink[N, W]) {
	*l = claimLink[N, W]{}
	if t.storage.numFreeLinks < maxFree {
		l.nextOfRequest = t.storage.freeLinks
		t.storage.freeLinks = l
		t.storage.numFreeLinks++
	}
}
