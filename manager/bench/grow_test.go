package bench_test

import (
	"context"
	"testing"

	"github.com/treelock/treelock"
)

// BenchmarkGrow measures what grants can be asked for. One operation is
//
//	verb=acquire             an acquire of a node, and its release, to compare with
//	verb=acquire/inside=N    the same inside a grant, which is inside N-1 others
//	verb=acquire-nothing     an acquire of the empty request, and its release
//	verb=widen               the same, with a Widen by the node in between
//	verb=narrow              an acquire of a subtree, a Narrow to the node, and a release
//
// So a widening costs the difference of widen and acquire-nothing.
func BenchmarkGrow(b *testing.B) {
	nothing := treelock.Request[path]{}
	verbs := []verb{
		{"acquire", acquireInside(0)},
		{"acquire/inside=1", acquireInside(1)},
		{"acquire/inside=8", acquireInside(8)},
		{"acquire-nothing", func(m *lockManager, ctx context.Context, _ path) func() {
			return func() { must(m.Acquire(ctx, nothing)).Release() }
		}},
		{"widen", func(m *lockManager, ctx context.Context, node path) func() {
			req := treelock.Write(node)
			return func() { must(must(m.Acquire(ctx, nothing)).Widen(ctx, req)).Release() }
		}},
		{"narrow", func(m *lockManager, ctx context.Context, node path) func() {
			parent, _ := node.Parent()
			whole, part := treelock.ReadNode(parent).Write(node), treelock.Write(node)
			return func() {
				g := must(m.Acquire(ctx, whole))
				must(0, g.Narrow(part))
				g.Release()
			}
		}},
	}
	runVerbs(b, verbs)
}

// acquireInside returns the step of a client that acquires its node inside so many grants.
func acquireInside(depth int) func(m *lockManager, ctx context.Context, node path) (step func()) {
	return func(m *lockManager, ctx context.Context, node path) func() {
		locker, req := treelock.Locker[path](m), treelock.Write(node)
		for range depth {
			locker = must(locker.Acquire(ctx, req))
		}
		return func() { must(locker.Acquire(ctx, req)).Release() }
	}
}
