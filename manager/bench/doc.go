// Package bench measures what a lock costs, beside what a program would use without treelock. It
// has benchmarks only, which use the public API only:
//
//	go test ./manager/bench -bench . -cpu 2    # all of them: some minutes
//	go test ./manager/bench -bench 'Lock/impl=treelock/op=write/nodes=disjoint/depth=4' -cpu 2
//	go test ./manager/bench -bench 'Lock/impl=batch-echo/clients=32$|Lock/impl=rwmutex' -cpu 2
//	go test ./manager/bench -list Benchmark
//
// A benchmark's name has parts like key=value between slashes. The parts of a pattern are matched
// one by one from the left, and found anywhere in a part: a dot is any part, and clients=1 without
// a $ is also clients=1000.
//
// The implementations are:
//
//	impl=batch-echo   the yardstick: a goroutine that answers each message and knows no locks. Like
//	                  the manager, it takes what its inbox holds before other goroutines run
//	impl=echo         an echo that lets other goroutines run whenever its inbox is empty
//	impl=semaphore    one channel of capacity 1 for all clients
//	impl=rwmutex      one sync.RWMutex for all clients
//	impl=rwmutex-map  a sync.RWMutex for each path, in a map that only grows. It locks one path,
//	                  not a subtree
//	impl=treelock     the lock manager
//
// nodes=disjoint: each client has a leaf of its own, and all leaves have one parent. nodes=shared:
// all clients read one node. nodes=contended: all clients write one node, so each operation is a
// hand-over.
//
// One operation is an acquire and a release, unless the benchmark says otherwise. With many
// clients, ns/op is the wall-clock time divided by the operations of all clients. It tells of
// throughput, not of how long one client waits: see BenchmarkHandOver and BenchmarkNeighbours.
//
// A figure alone says little, as machines differ and run other programs too. Compare within one
// run of at least ten rounds. Each round measures everything once, so a slow minute affects all
// benchmarks alike:
//
//	go test -c -o bench.test ./manager/bench
//	for i in $(seq 10); do ./bench.test -test.bench Lock -test.cpu 2; done | tee new.txt
//	go run golang.org/x/perf/cmd/benchstat@latest old.txt new.txt    # before and after a change
//
// go run ./examples/speed does that and draws the results.
package bench
