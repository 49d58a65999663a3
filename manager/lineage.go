package manager

import (
	"fmt"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/nodetext"
	"github.com/treelock/treelock/internal/terms"
)

// A nodeType is all that depends on the type of nodes.
type nodeType[N comparable] struct {
	// appendLineage appends node and its ancestors to lineage, as far as the lock table reads them.
	// It returns an error if one of them is not valid, or if there are more than o allows. Clients
	// call it.
	appendLineage func(lineage []N, node N, o *options) ([]N, error)

	naming locktable.Naming[N] // for the lock table; nil if lineages say all
}

// nodeTypeOf returns what N needs. This is the one place where a Path is special.
func nodeTypeOf[N treelock.Node[N]]() nodeType[N] {
	paths := nodeType[treelock.Path]{pathLineage, terms.NewPaths()}
	if t, ok := any(paths).(nodeType[N]); ok {
		return t
	}
	return nodeType[N]{appendLineage: nodeLineage[N]}
}

// nodeLineage calls Parent of each node. It checks every node, since a valid node may have an
// ancestor that is not. It runs code of the user, so clients call it before they send.
func nodeLineage[N treelock.Node[N]](lineage []N, node N, o *options) ([]N, error) {
	first, limit := node, o.maxDepth
	for length, ok := 0, true; ok; node, ok = node.Parent() {
		// Parent may be cyclic. The limit ends the walk then, so it comes first.
		if length++; length > limit {
			return lineage, tooDeep(first, limit)
		}
		// An ancestor is a key of the lock table as well. There a bad one would panic on the
		// manager goroutine, or would not be found again.
		if err := checkComparable(node); err != nil {
			return lineage, err
		}
		lineage = append(lineage, node)
	}
	return lineage, nil
}

// pathLineage checks p as ParsePath does, and appends p alone. The lock table finds the ancestors
// that it knows without their names. So a request for a known path costs its client no walk, and no
// memory for names of ancestors.
func pathLineage(lineage []treelock.Path, p treelock.Path, o *options) ([]treelock.Path, error) {
	if len(p) > o.maxPath {
		return lineage, tooLong(p, o.maxPath)
	}
	if _, err := treelock.ParsePath(string(p)); err != nil {
		return lineage, err
	}
	// A path has one ancestor for each slash, but "/" has none. The length tells for most paths
	// that they have too few slashes, so these are not counted.
	limit := o.maxDepth
	if len(p) >= 2*limit-1 && p != "/" && strings.Count(string(p), "/") >= limit {
		return lineage, tooDeep(p, limit)
	}
	return append(lineage, p), nil
}

// wholeLineage returns node and all its ancestors, also for a Path. A region needs them: it finds a
// request that claims a subtree above node by the names of the ancestors of node.
func (m *Manager[N]) wholeLineage(node N) ([]N, error) {
	if _, err := m.appendLineage(nil, node, &m.options); err != nil {
		return nil, err
	}
	return nodeLineage(nil, node, &m.options)
}

// checkComparable refuses values that cannot be found again in a map. A NaN is not equal to itself,
// and an interface may hold a value on which == panics.
func checkComparable[N comparable](node N) (err error) {
	defer func() {
		if recover() != nil {
			err = incomparable(node)
		}
	}()
	// Two names, since a linter takes node != node for a mistake.
	if again := node; again != node {
		return incomparable(node)
	}
	return nil
}

// tooLong returns the error for a path of more bytes than limit.
func tooLong(p treelock.Path, limit int) error {
	return fmt.Errorf("%w: %s has %d bytes, and at most %d are allowed",
		treelock.ErrTooLong, nodetext.Of(p), len(p), limit)
}

// tooDeep returns the error for a node with a lineage longer than limit.
func tooDeep[N any](node N, limit int) error {
	return fmt.Errorf("%w (more than %d from %s up)", treelock.ErrTooDeep, limit, nodetext.Of(node))
}

// incomparable returns the error for a node that cannot be a key of a map. It names the type alone,
// as the value may have no bounded text.
func incomparable[N any](node N) error {
	typ := nodetext.Line(fmt.Sprintf("%T", node), nodetext.Longest)
	return fmt.Errorf("%w (a %s)", treelock.ErrIncomparable, typ)
}
