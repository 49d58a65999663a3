package treelock

import "iter"

// longestLineage bounds the nodes of a lineage that are looked at: as many as a manager admits by
// default.
const longestLineage = 4096

// Covers reports whether a request that holds c holds d too: the region of d lies inside that of c,
// and c is Exclusive if d is. A claim of a node alone never covers a subtree.
//
// It calls Parent, of d's node and its ancestors, on the calling goroutine. It looks at the first
// 4,096 nodes of a lineage, the default depth limit of a manager: there a Parent that runs in a
// circle ends, and what lies further up is not found. A node that a manager refuses with
// [ErrIncomparable] equals no node, so nothing covers or conflicts with a claim of it. The cost is
// O(length of the lineage). It allocates nothing.
func (c Claim[N]) Covers(d Claim[N]) bool {
	wide := c.Scope != NodeOnly || d.Scope == NodeOnly
	strong := c.Access == Exclusive || d.Access != Exclusive
	return wide && strong && c.reaches(d.Node)
}

// Conflicts reports whether c and d conflict: their regions share a node and at least one of them
// is Exclusive. It is symmetric. It calls Parent, ends and costs as [Claim.Covers] does, for the
// lineages of both.
func (c Claim[N]) Conflicts(d Claim[N]) bool {
	return (c.Access == Exclusive || d.Access == Exclusive) && (c.reaches(d.Node) || d.reaches(c.Node))
}

// reaches reports whether node lies in the region of c.
func (c Claim[N]) reaches(node N) bool {
	if !isNode(c.Node) {
		return false
	}
	for above := range lineage(node) {
		if above == c.Node { // It does not panic, as isNode has compared all that c.Node holds.
			return true
		}
		if c.Scope == NodeOnly {
			return false
		}
	}
	return false
}

// Conflicts reports whether r and other conflict: some claim of one conflicts with some claim of
// the other. It is symmetric. It asks no manager: to know whether a request would be granted now,
// try to acquire it.
//
// It costs O(n x d) time, with n the claims of both and d the length of their lineages, and O(n)
// memory. It calls Parent on the calling goroutine, and ends as [Claim.Covers] does.
func (r Request[N]) Conflicts(other Request[N]) bool {
	return r.meets(&other) || other.meets(&r)
}

// meets reports whether some claim of r conflicts with a claim of lower that names the same node or
// one below. Two claims that conflict meet at the upper one of their two nodes.
func (r *Request[N]) meets(lower *Request[N]) bool {
	at := make(map[N]kinds, r.Len())
	for c := range r.Claims() {
		if isNode(c.Node) {
			at[c.Node] |= kindOf(c.Scope, c.Access)
		}
	}
	for c := range lower.Claims() {
		rivals := writes
		if c.Access == Exclusive {
			rivals |= reads
		}
		for node := range lineage(c.Node) {
			if isNode(node) && at[node]&rivals != 0 {
				return true
			}
			rivals &= subtrees
		}
	}
	return false
}

// kinds is a set of kinds of claims.
type kinds uint8

const (
	readNode kinds = 1 << iota
	writeNode
	readSubtree
	writeSubtree

	reads    = readNode | readSubtree
	writes   = writeNode | writeSubtree
	subtrees = readSubtree | writeSubtree
)

// kindOf returns the kind of a claim.
func kindOf(scope Scope, access Access) kinds {
	kind := readNode
	if access == Exclusive {
		kind = writeNode
	}
	if scope != NodeOnly {
		kind <<= 2
	}
	return kind
}

// lineage returns an iterator over node and its ancestors, up to the longest lineage.
func lineage[N Node[N]](node N) iter.Seq[N] {
	return func(yield func(N) bool) {
		for length, ok := 1, true; ok && yield(node) && length < longestLineage; length++ {
			node, ok = node.Parent()
		}
	}
}

// isNode reports whether node is equal to itself and can be compared, so that it can be found in a
// map.
func isNode[N comparable](node N) (ok bool) {
	defer func() { _ = recover() }()
	again := node
	return again == node
}
