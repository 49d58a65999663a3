package bench_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/treelock/treelock"
)

// BenchmarkVerb takes a write lock of a node of each client's own, and releases it, in each way
// there is. request=new builds the request each time.
func BenchmarkVerb(b *testing.B) {
	work := func(context.Context) error { return nil }
	verbs := []verb{
		{"Acquire/request=reused", func(m *lockManager, ctx context.Context, node path) func() {
			req := treelock.Write(node)
			return func() { must(m.Acquire(ctx, req)).Release() }
		}},
		{"Acquire/request=new", func(m *lockManager, ctx context.Context, node path) func() {
			return func() { must(m.Acquire(ctx, treelock.Write(node))).Release() }
		}},
		{"TryAcquire/request=reused", func(m *lockManager, ctx context.Context, node path) func() {
			req := treelock.Write(node)
			return func() { must(m.TryAcquire(ctx, req)).Release() }
		}},
		{"Do/request=reused", func(m *lockManager, ctx context.Context, node path) func() {
			req := treelock.Write(node)
			return func() { must(0, m.Do(ctx, req, work)) }
		}},
		{"Submit/request=reused", func(m *lockManager, ctx context.Context, node path) func() {
			req := treelock.Write(node)
			return func() { (<-must(m.Submit(ctx, req)).Granted()).Release() }
		}},
	}
	runVerbs(b, verbs)
}

// A verb is what the clients of a benchmark do with a node. start returns the step of one client.
type verb struct {
	name  string
	start func(m *lockManager, ctx context.Context, node path) (step func())
}

// runVerbs measures each verb with one client and with 32, each with a node of its own.
func runVerbs(b *testing.B, verbs []verb) {
	for _, clients := range []int{1, 32} {
		for _, v := range verbs {
			const name = "impl=treelock/verb=%s/op=write/nodes=disjoint/depth=4/clients=%d"
			b.Run(fmt.Sprintf(name, v.name, clients), func(b *testing.B) {
				m := startManager(b)
				inParallel(b, clients, func(client int) func() {
					return v.start(m, canEnd(b), leaf(4, client))
				})
			})
		}
	}
}

// BenchmarkClaims is one client's acquire and release of a request for so many nodes.
// where=siblings have one parent, where=apart have only the root in common.
func BenchmarkClaims(b *testing.B) {
	for _, where := range []struct {
		name string
		node func(i int) path
	}{
		{"siblings", func(i int) path { return leaf(4, i) }},
		{"apart", func(i int) path { return path(fmt.Sprintf("/%06d/a/b/c", i)) }},
	} {
		for _, claims := range []int{1, 2, 10, 100} {
			const name = "impl=treelock/op=write/depth=4/where=%s/claims=%d/clients=1"
			b.Run(fmt.Sprintf(name, where.name, claims), func(b *testing.B) {
				nodes := make([]path, claims)
				for i := range nodes {
					nodes[i] = where.node(i)
				}
				m, req := startManager(b), treelock.Write(nodes...)
				inParallel(b, 1, func(int) func() { return acquireStep(b, m, req) })
			})
		}
	}
}
