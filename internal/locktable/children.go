package locktable

import "github.com/treelock/treelock/waitqueue"

// A use says what the requests at a node and below it do there.
type activity uint8

const (
	inactive activity = iota
	reading           // they read
	writing           // one of them writes
)

// useOf returns the use of a node where a request is in modes.
func activityOf(modes waitqueue.Modes) activity {
	if modes&waitqueue.Writing != 0 {
		return writing
	}
	return reading
}

// children are the nodes below a node that are in use, in two lists: so a request that has to wait
// for one further down finds it without a look at those elsewhere.
//
// A node is put into a list when a request comes to it, and taken out of it by a search that meets
// it idle (search.tidy), or when it leaves the table. So to become idle and busy again costs
// nothing, and what a search takes out was paid for by the request that put it in. In the same way
// a search moves a node that is only read from the list of written ones to the other.
type children[N comparable, W any] struct {
	first  [writing]*node[N, W] // by use, without unused; the lists are circular
	claims *claimLink[N, W]     // the first of the other list of live claims of the node above them
}

// linkUnder moves n, which is not in a list of up for u or a stronger use, to the one for u.
func (n *node[N, W]) linkUnder(parent *node[N, W], kind activity) {
	if n.queue.Uses(waitqueue.Writing) {
		kind = writing // n has moved here while it was in use
	}
	n.unlink()
	if parent.children == nil {
		parent.children = new(children[N, W])
	}
	first := &parent.children.first[kind-reading]
	if *first == nil {
		*first, n.next, n.prev = n, n, n
	} else {
		n.next, n.prev = *first, (*first).prev
		n.prev.next, n.next.prev = n, n
	}
	n.linkedAs = kind
}

// unlink takes n out of its parent's list.
func (n *node[N, W]) unlink() {
	if n.linkedAs == inactive {
		return
	}
	first := &n.parent.children.first[n.linkedAs-reading]
	if n.next == n {
		*first = nil
	} else {
		n.prev.next, n.next.prev = n.next, n.prev
		if *first == n {
			*first = n.next
		}
	}
	n.next, n.prev, n.linkedAs = nil, nil, inactive
}

// unlinkAll takes all nodes out of the lists.
func (c *children[N, W]) unlinkAll() {
	if c == nil {
		return
	}
	for i := range c.first {
		for c.first[i] != nil {
			c.first[i].unlink()
		}
	}
}
