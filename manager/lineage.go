package manager

import (
	"fmt"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/nodetext"
)

// A tracer appends a node and all its ancestors to lineage, or says what is wrong with one of them, or that there are
// more than o allows.
type lineageFunc[N any] func(lineage []N, node N, o *options) ([]N, error)

// tracerFor returns the tracer for nodes of type N.
func lineageFuncFor[N treelock.Node[N]]() lineageFunc[N] {
	if trace, ok := any(lineageFunc[treelock.Path](pathLineage)).(lineageFunc[N]); ok {
		return trace
	}
	return nodeLineage[N]
}

// traceNode asks each node for its parent. All have to be looked at, since the ancestors of a good node may be bad.
func nodeLineage[N treelock.Node[N]](lineage []N, node N, o *options) ([]N, error) {
	first, limit := node, o.maxDepth
	for length, ok := 0, true; ok; node, ok = node.Parent() {
		if length++; length > limit {
			return lineage, tooDeep(first, limit)
		}
		if err := checkComparable(node); err != nil {
			return lineage, err
		}
		lineage = append(lineage, node)
	}
	return lineage, nil
}

func tooLong(p treelock.Path, limit int) error {
	return fmt.Errorf("%w: %s has %d bytes, and at most %d are allowed", treelock.ErrTooLong, quoteNode(p), len(p), limit)
}

func tooDeep[N any](node N, limit int) error {
	return fmt.Errorf("%w (more than %d from %s up)", treelock.ErrTooDeep, limit, quoteNode(node))
}

// vet refuses values that cannot be found again in a map: a NaN is not equal to itself, and an
// interface may hold a value that == panics on.
func checkComparable[N comparable](node N) (err error) {
	defer func() {
		if recover() != nil {
			err = incomparable(node)
		}
	}()
	if again := node; again != node {
		return incomparable(node)
	}
	return nil
}

func incomparable[N any](node N) error {
	return fmt.Errorf("%w (a %s)", treelock.ErrIncomparable, nodetext.Line(fmt.Sprintf("%T", node), nodetext.Longest))
}

// tracePath looks at all of p, as ParsePath does, and leaves its ancestors to the manager, which finds those that it
// knows without their names.
func pathLineage(lineage []treelock.Path, p treelock.Path, o *options) ([]treelock.Path, error) {
	if len(p) > o.maxPath {
		return lineage, tooLong(p, o.maxPath)
	}
	if _, err := treelock.ParsePath(string(p)); err != nil {
		return lineage, err
	}
	limit := o.maxDepth
	if len(p) >= 2*limit-1 && p != "/" && strings.Count(string(p), "/") >= limit {
		return lineage, tooDeep(p, limit)
	}
	return append(lineage, p), nil
}
