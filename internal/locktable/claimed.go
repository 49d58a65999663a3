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
type link[N comparable, W any] struct {
	next, prev *link[N, W] // in the list of the node; the first one's prev is the last, nil if it is alone
	request    *Request[N, W]
	place      int         // the index of the place that has the claim
	more       *link[N, W] // of the same request, in the order of its places; or the next one that is free
}

// claim puts l, which claims n in mode, at the end of its list.
func (n *node[N, W]) claim(l *link[N, W], mode waitqueue.Mode) {
	if n.claimed == nil {
		n.claimed = l // alone, as most are: see BenchmarkLock
		return
	}
	n.claimLast(l, mode)
}

// claimLast is claim where others are.
func (n *node[N, W]) claimLast(l *link[N, W], mode waitqueue.Mode) {
	list := n.claimsLike(mode)
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
func (n *node[N, W]) claimFirst(l *link[N, W], mode waitqueue.Mode) {
	list := n.claimsLike(mode)
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
func (n *node[N, W]) claimsLike(mode waitqueue.Mode) (first **link[N, W]) {
	if n.claimed == nil || n.claimed.ofReader() == (mode == waitqueue.NR) {
		return &n.claimed
	}
	if n.lower == nil {
		n.lower = new(children[N, W])
	}
	return &n.lower.claimed
}

// claims returns the first of each list of the claims of n, nil if there is none.
func (n *node[N, W]) claims() (lists [2]*link[N, W]) {
	lists[0] = n.claimed
	if n.lower != nil {
		lists[1] = n.lower.claimed
	}
	return lists
}

// ofReader reports whether l is in the list of claims in mode NR.
func (l *link[N, W]) ofReader() bool { return l.request.places[l.place].mode == waitqueue.NR }

// unclaim takes l, which claims n in mode, off its list.
func (n *node[N, W]) unclaim(l *link[N, W], mode waitqueue.Mode) {
	if n.claimed == l && l.next == nil && n.lower == nil {
		n.claimed = nil
		return
	}
	n.unclaimOne(l, mode)
}

// unclaimOne is unclaim where others are, or have been.
func (n *node[N, W]) unclaimOne(l *link[N, W], mode waitqueue.Mode) {
	l.remove(n.claimsLike(mode))
	if n.claimed == nil && n.lower != nil {
		n.claimed, n.lower.claimed = n.lower.claimed, nil
	}
}

// remove takes l off a list.
func (l *link[N, W]) remove(list **link[N, W]) {
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
func (t *Table[N, W]) link(r *Request[N, W], narrowed bool) {
	last := (*link[N, W])(nil)
	for i := range r.places {
		p := &r.places[i]
		if !p.mode.Claims() {
			continue
		}
		l := &r.first
		if last != nil {
			l = t.newLink(r)
			last.more = l
		}
		l.place = i
		if narrowed {
			p.node.claimFirst(l, p.mode)
		} else {
			p.node.claim(l, p.mode)
		}
		last = l
	}
}

// unlink is the reverse of link.
func (t *Table[N, W]) unlink(r *Request[N, W]) {
	if r.first.more == nil && len(r.places) > 0 { // one claim, which is at the first place
		r.places[0].node.unclaim(&r.first, r.places[0].mode)
		return
	}
	l := &r.first
	for i := 0; i < len(r.places) && l != nil; i++ {
		if p := &r.places[i]; p.mode.Claims() {
			p.node.unclaim(l, p.mode)
			l = t.nextLink(l)
		}
	}
}

// nextLink returns the link of the same request that follows l, and lets go of l, which is in no list any more.
func (t *Table[N, W]) nextLink(l *link[N, W]) (next *link[N, W]) {
	next = l.more
	if l == &l.request.first {
		l.more = nil
	} else {
		t.freeLink(l)
	}
	return next
}

// newLink returns a link for a further claim of r.
func (t *Table[N, W]) newLink(r *Request[N, W]) *link[N, W] {
	l := t.storage.links
	if l == nil {
		return &link[N, W]{request: r}
	}
	t.storage.links = l.more
	t.storage.linksFree--
	l.request, l.more = r, nil
	return l
}

// freeLink lets go of l.
func (t *Table[N, W]) freeLink(l *link[N, W]) {
	*l = link[N, W]{}
	if t.storage.linksFree < maxFree {
		l.more = t.storage.links
		t.storage.links = l
		t.storage.linksFree++
	}
}
