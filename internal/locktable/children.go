package locktable

import "github.com/treelock/treelock/waitqueue"

// An activity is what the requests at a node and below it do there.
type activity uint8

const (
	inactive activity = iota
	reading           // all of them read
	writing           // one of them writes
)

// activityOf returns the activity of a request in modes.
func activityOf(modes waitqueue.Modes) activity {
	if modes&waitqueue.Writing != 0 {
		return writing
	}
	return reading
}

// children are the children of a node that are in use, in two lists: those that are only read, and
// those that are written. So a search for blockers below a node does not visit idle or unrelated
// ones. For example, a request waits to read /x, where 10,000 requests read a child each and one
// writes a child. The search finds that one in the list of written children at once.
//
// An arriving request links each of its nodes. A search unlinks a child that it meets idle, and
// moves one that is no longer written (search.relink); an eviction unlinks it as well. So a node
// that alternates between idle and busy is not relinked each time. Each relinking is charged to the
// request that linked the node.
type children[N comparable, W any] struct {
	first  [writing]*node[N, W] // indexed by activity - reading; the lists are circular
	claims *claimLink[N, W]     // the first link of the second claim list of the parent
}

// linkUnder moves n to the list of parent for kind. n must not be in a list of parent for kind or a
// stronger activity.
func (n *node[N, W]) linkUnder(parent *node[N, W], kind activity) {
	if n.queue.Uses(waitqueue.Writing) {
		kind = writing // n has moved here while it was in use
	}
	// n may be in the other list of parent, or in a list of a former parent.
	n.unlink()
	if parent.children == nil {
		parent.children = new(children[N, W])
	}
	first := &parent.children.first[kind-reading]
	// A new child goes between the last one and the first one, which is the end of the list.
	if *first == nil {
		*first, n.next, n.prev = n, n, n
	} else {
		n.next, n.prev = *first, (*first).prev
		n.prev.next, n.next.prev = n, n
	}
	n.linkedAs = kind
}

// unlink removes n from the list of its parent.
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

// unlinkAll removes all nodes from the lists.
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
