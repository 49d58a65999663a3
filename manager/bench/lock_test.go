package bench_test

import (
	"context"
	"fmt"
	"testing"
)

// A lockCase is what the clients of a benchmark do. A field that an implementation does not know
// is empty.
type lockCase struct {
	op    string // read or write
	nodes string // disjoint, shared or contended
	depth int
}

// node returns the node that a client locks.
func (c lockCase) node(client int) path {
	if c.nodes != "disjoint" {
		client = 0 // one node for all
	}
	return leaf(c.depth, client)
}

// String returns the part of a benchmark's name that describes c.
func (c lockCase) String() string {
	s := ""
	if c.op != "" {
		s += "/op=" + c.op
	}
	if c.nodes != "" {
		s += "/nodes=" + c.nodes
	}
	if c.depth != 0 {
		s += fmt.Sprint("/depth=", c.depth)
	}
	return s
}

// lockCases returns what so many clients do: every operation at depth 4, and some at other depths.
func lockCases(clients int) []lockCase {
	depths := []int{4}
	if clients == 1 || clients == 32 {
		depths = []int{1, 4, 16, 64}
	}
	var cases []lockCase
	for _, depth := range depths {
		cases = append(cases, lockCase{"read", "disjoint", depth}, lockCase{"write", "disjoint", depth})
	}
	if clients > 1 {
		cases = append(cases, lockCase{"read", "shared", 4}, lockCase{"write", "contended", 4})
	}
	return cases
}

// BenchmarkLock is an acquire and a release that conflict with no other request, unless
// nodes=contended.
func BenchmarkLock(b *testing.B) {
	// All implementations for one number of clients, then the next: what is compared is measured
	// close together.
	for _, clients := range []int{1, 2, 32, 1000, 10_000} {
		run := func(impl string, start peer, cases ...lockCase) {
			for _, c := range cases {
				b.Run(fmt.Sprintf("impl=%s%v/clients=%d", impl, c, clients), func(b *testing.B) {
					inParallel(b, clients, start(b, c, clients))
				})
			}
		}
		run("echo", startEcho, lockCase{})
		run("batch-echo", startBatchEcho, lockCase{})
		run("treelock", startTreelock, lockCases(clients)...)
		run("rwmutex-map", startRWMutexMap, lockCases(clients)...)
		run("rwmutex", startRWMutex, lockCase{op: "read"}, lockCase{op: "write"})
		run("semaphore", startSemaphore, lockCase{})
	}
}

// BenchmarkContext is a write of a node of each client's own. ctx=endless is a context that cannot
// end, ctx=can-end one for each client, ctx=shared one for all clients.
func BenchmarkContext(b *testing.B) {
	c := lockCase{"write", "disjoint", 4}
	for _, clients := range []int{1, 32, 1000} {
		for _, kind := range []string{"endless", "can-end", "shared"} {
			b.Run(fmt.Sprintf("impl=treelock/ctx=%s%v/clients=%d", kind, c, clients), func(b *testing.B) {
				m, shared := startManager(b), canEnd(b)
				inParallel(b, clients, func(client int) func() {
					ctx := map[string]context.Context{"endless": context.Background(), "shared": shared}[kind]
					if ctx == nil {
						ctx = canEnd(b)
					}
					req := request(c.op, c.node(client))
					return func() { must(m.Acquire(ctx, req)).Release() }
				})
			})
		}
	}
}
