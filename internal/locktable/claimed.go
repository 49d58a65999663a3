package locktable

// A link is a claim of one node by one live request, in that node's list of all such, be they waiting or not. Intentions
// are in no list: so a request that releases touches nobody who is somewhere below the same ancestors.
//
// The lists are for telling who is in the way; whether somebody is, the queues decide. They are in order of arrival, but for
// those that came to a node by [Table.Narrow].
type link[N comparable, W any] struct {
	next, prev *link[N, W] // in the list of the node; the first one's prev is the last, nil if it is alone
	request    *Request[N, W]
	place      int         // the index of the place that has the claim
	more       *link[N, W] // of the same request, in the order of its places; or the next one that is free
}

// claim puts l at the end of the list of those who claim n.
func (n *node[N, W]) claim(l *link[N, W]) {
	if n.claimed == nil {
		n.claimed = l // alone, as most are: see BenchmarkLock
		return
	}
	n.claimLast(l)
}

// claimLast is claim where others are.
func (n *node[N, W]) claimLast(l *link[N, W]) {
	first := n.claimed
	last := first.prev
	if last == nil {
		last = first
	}
	last.next, l.prev, first.prev = l, last, l
}

// unclaim takes l off the list of those who claim n.
func (n *node[N, W]) unclaim(l *link[N, W]) {
	if n.claimed == l && l.next == nil {
		n.claimed = nil
		return
	}
	n.unclaimOne(l)
}

// unclaimOne is unclaim where others are.
func (n *node[N, W]) unclaimOne(l *link[N, W]) {
	first := n.claimed
	if l == first {
		n.claimed = l.next
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

// link puts the claims of r into the lists of their nodes. Most requests have one, and the link for it in themselves.
func (t *Table[N, W]) link(r *Request[N, W]) {
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
		p.node.claim(l)
		last = l
	}
}

// unlink is the reverse of link.
func (t *Table[N, W]) unlink(r *Request[N, W]) {
	if r.first.more == nil && len(r.places) > 0 { // one claim, which is at the first place
		r.places[0].node.unclaim(&r.first)
		return
	}
	l := &r.first
	for i := 0; i < len(r.places) && l != nil; i++ {
		if p := &r.places[i]; p.mode.Claims() {
			p.node.unclaim(l)
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
