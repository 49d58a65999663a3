package manager_test

// The files bench_*_test.go measure what a lock costs, next to what people would use in its place.
//
//	go test ./manager -run - -bench . -cpu 2    # all of it: some minutes
//	go test ./manager -run - -bench 'Lock/impl=treelock/op=write/nodes=disjoint/depth=4' -cpu 2
//	go test ./manager -run - -bench 'Lock/impl=echo/clients=32$|Lock/impl=treelock/././depth=4/clients=32$' -cpu 2
//	go test ./manager -run - -bench 'Waiters/impl=treelock/waiters=100000/where=here' -cpu 2
//
// A name is parts like key=value between slashes. The parts of a pattern are matched with them one by one from the
// left, and found anywhere in them: a dot is any part, and clients=1 without a $ is clients=1000, too.
//
//	BenchmarkLock      acquire and release: the implementations side by side, by op, nodes, depth and clients
//	BenchmarkContext   what the kind of context costs
//	BenchmarkVerb      Acquire, TryAcquire, Do and Submit
//	BenchmarkClaims    requests for many nodes
//	BenchmarkLive      acquire and release while others hold up to a million other nodes
//	BenchmarkWaiters   one step at a node for which up to 100,000 wait
//	BenchmarkDrain     8,000 writers of one node, all queued, then served one after the other
//	BenchmarkHandOver  from the release to the next grant, as percentiles, while many want one node
//	BenchmarkMemory    bytes for a live request
//	BenchmarkNeighbours   an acquire beside goroutines that compute without end
//	BenchmarkCancelStorm  the longest acquire of a bystander while 30,000 others are cancelled
//	BenchmarkCancel       what a cancellation costs the manager, and a withdrawal
//
// The implementations are:
//
//	impl=echo          the floor: a goroutine that answers every message and knows nothing. It has no op, depth or nodes
//	impl=batch-echo    the floor of today's run loop: an echo that takes what its inbox holds, and then lets others run
//	impl=semaphore     one channel of capacity 1 for all
//	impl=rwmutex       one sync.RWMutex for all. It has no depth and no nodes
//	impl=rwmutex-map   a sync.RWMutex for each path, in a map that forgets nothing. It locks one path, not a subtree
//	impl=treelock      the real thing
//
// nodes=disjoint: each client has a leaf of its own, and all leaves one parent. nodes=shared: all read one node.
// nodes=contended: all write one node, so that each operation is a hand-over. One op is an acquire and a release, unless
// its benchmark says otherwise. With many clients ns/op is the time by the clock for each op of all clients together,
// which tells of throughput, not of how long one of them waits; BenchmarkHandOver tells of that.
//
// A figure alone says little, as machines differ and are busy with other things. Compare within one run, over at
// least ten rounds, each of which measures everything once so that a slow minute hits all alike:
//
//	go test -c -o manager.test ./manager
//	for i in $(seq 10); do ./manager.test -test.run - -test.bench Lock -test.cpu 2; done | tee new.txt
//	go run golang.org/x/perf/cmd/benchstat@latest -col /impl -row /clients \
//		-ignore /op,/nodes,/depth -filter '/impl:echo OR (/impl:rwmutex /op:write) OR (/op:write /nodes:disjoint /depth:4)' new.txt
//	go run golang.org/x/perf/cmd/benchstat@latest old.txt new.txt    # before and after a change
//
// go run ./examples/speed does that, judges the results and draws them.

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// startManager starts a manager that has ended before the benchmark has.
func startManager(b *testing.B, opts ...manager.Option) *manager.Manager[path] {
	m := manager.Start(b.Context(), opts...)
	b.Cleanup(func() { <-m.Done() })
	return m
}

// inParallel measures b.N steps in all, taken by so many clients at once. start makes the step of a client.
func inParallel(b *testing.B, clients int, start func(client int) (step func())) {
	b.ReportAllocs()
	warmUp, begin := make(chan struct{}), make(chan struct{})
	var warm, done sync.WaitGroup
	warm.Add(clients)
	for client := range clients {
		step := start(client)
		share := b.N / clients
		if client < b.N%clients {
			share++
		}
		done.Go(func() {
			<-warmUp
			step() // all at once, so that what is made once, like a large enough stack, is there
			warm.Done()
			<-begin
			for range share {
				step()
			}
		})
	}
	close(warmUp)
	warm.Wait()
	b.ResetTimer()
	close(begin)
	done.Wait()
	b.StopTimer()
}

// leaf returns the i-th of many nodes that are so deep and have one parent.
func leaf(depth, i int) path {
	var parent strings.Builder
	for level := range depth - 1 {
		parent.WriteByte('/')
		parent.WriteByte('a' + byte(level%26))
	}
	return path(fmt.Sprintf("%s/%06d", &parent, i))
}

// request returns a request for one node.
func request(op string, node path) treelock.Request[path] {
	if op == "read" {
		return treelock.Read(node)
	}
	return treelock.Write(node)
}

// must returns v. It panics on an error, as a goroutine that is not the benchmark's own must not end the benchmark.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// canEnd returns a context of the caller's own that can end, as that of a request to a server.
func canEnd(b *testing.B) context.Context {
	ctx, cancel := context.WithCancel(b.Context())
	b.Cleanup(cancel)
	return ctx
}
