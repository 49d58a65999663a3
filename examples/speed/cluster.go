package main

import (
	"fmt"
	"strings"
)

// overEtcd is the suite of package cluster.
var overEtcd = suite{" -cluster", "cluster.md", []string{"manager/cluster/clustertest"}, ".", clusterTable, clusterCharts()}

// A peer is what a row of the cluster's table has beside treelock.
type peer struct{ says, impl, name string }

// clusterRows are benchmarks. In their names and those of their peers, SERVERS stands for the
// number of servers.
var clusterRows = []struct {
	says, name, unit string
	rate             bool // show operations per second
	peer             peer
}{
	{"acquire, in an idle process", "Acquire/SERVERS", "lock-sec", false, put("Acquire/SERVERS")},
	{"acquire, in an idle process", "Acquire/SERVERS", "lock-sec", false, peer{"its transaction and event alone", "transaction", "Acquire/SERVERS"}},
	{"acquire and release, 1 goroutine", lockName(1, 1, "own"), "sec/op", true, mutex(lockName(1, 1, "own"))},
	{"64 goroutines, own nodes", lockName(1, 64, "own"), "sec/op", true, mutex(lockName(1, 64, "own"))},
	{"512 goroutines, own nodes", lockName(1, 512, "own"), "sec/op", true,
		peer{"Mutex, 64 goroutines", "mutex", lockName(1, 64, "own")}},
	{"64 goroutines, one node", lockName(1, 64, "one"), "sec/op", true, mutex(lockName(1, 64, "one"))},
	{"8 processes of 8 goroutines, one node", lockName(8, 8, "one"), "sec/op", true, mutex(lockName(8, 8, "one"))},
	{"hand-over to another process", "HandOver/SERVERS/processes=2", "handover-sec", false, mutex("HandOver/SERVERS/processes=2")},
	{"hand-over within a process", "HandOver/SERVERS/processes=1", "handover-sec", false, mutex("HandOver/SERVERS/processes=1")},
	{"64 goroutines, own nodes, 100,000 other locks live", "Live/SERVERS/live=100000/do=lock", "sec/op", true,
		peer{"none live", "treelock", "Live/SERVERS/live=0/do=lock"}},
	{"try to lock `/`, 100,000 locks live", "Live/SERVERS/live=100000/do=try-root", "lock-sec", false,
		peer{"none live", "treelock", "Live/SERVERS/live=0/do=try-root"}},
	{"a new process is ready, 100,000 locks live", "Dead/SERVERS", "ready-sec", false, peer{}},
	{"100,000 locks of a process that ended are free", "Dead/SERVERS", "cleanup-sec", false, peer{}},
	{"watches of 1,000 waiters in a process", "Waiters/SERVERS", "watches", false, mutex("Waiters/SERVERS")},
	{"events for each release, 1,000 waiters", "Waiters/SERVERS", "events/release", false, mutex("Waiters/SERVERS")},
	{"longest acquire, leader killed", "Leader/SERVERS/fault=killed", "longest-sec", false, mutex("Leader/SERVERS/fault=killed")},
	{"longest acquire, leader stopped for 4 s", "Leader/SERVERS/fault=stopped", "longest-sec", false, mutex("Leader/SERVERS/fault=stopped")},
}

func put(name string) peer   { return peer{"Put", "put", name} }
func mutex(name string) peer { return peer{"Mutex", "mutex", name} }

func lockName(processes, goroutines int, nodes string) string {
	return fmt.Sprintf("Lock/SERVERS/processes=%d/goroutines=%d/nodes=%s", processes, goroutines, nodes)
}

// clusterTable returns the rows of which something was measured, as Markdown.
func clusterTable(f figures) []byte {
	var b strings.Builder
	b.WriteString("| | beside | 1 server: treelock | peer | ratio | 3 servers: treelock | peer | ratio |\n|---|---|" +
		strings.Repeat("---:|", 6) + "\n")
	rounds := 0
	for _, r := range clusterRows {
		line, empty := "| "+r.says+" | "+r.peer.says+" |", true
		for _, servers := range []string{"servers=1", "servers=3"} {
			values := func(impl, name string) []float64 {
				values := f.of(impl, strings.Replace(name, "SERVERS", servers, 1), r.unit)
				if r.rate {
					values = quotients(ones(len(values)), values)
				}
				return values
			}
			ours, theirs := values("treelock", r.name), values(r.peer.impl, r.peer.name)
			unit := r.unit
			if r.rate {
				unit = "/s"
			}
			line += fmt.Sprintf(" %s | %s | %s |", text(ours, unit), text(theirs, unit), text(quotients(ours, theirs), "x"))
			empty, rounds = empty && len(ours) == 0, max(rounds, len(ours))
		}
		if !empty {
			b.WriteString(line + "\n")
		}
	}
	b.WriteString(f.circumstances(rounds) + `
Mutex is concurrency.Mutex with its Session, of etcd's client; Put writes a key and locks nothing.
All run in turn on the same servers, which are on this machine and sync their logs to its disk. A
process is a client with a manager, or with sessions, in the one process that measures. Figures in
/s are pairs of acquire and release in a second, of all goroutines.
`)
	return []byte(b.String())
}

// ones returns n times 1.
func ones(n int) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = 1
	}
	return s
}

func clusterCharts() []chart {
	var goroutines, handOver []line
	for _, impl := range []struct{ says, impl string }{{"Put", "put"}, {"Mutex", "mutex"}, {"treelock", "treelock"}} {
		for _, servers := range []string{"1 server", "3 servers"} {
			goroutines = append(goroutines, line{impl.says + ", " + servers,
				"Lock/servers=" + servers[:1] + "/processes=1/goroutines=%d/nodes=own", impl.impl, "sec/op"})
		}
		if impl.impl != "put" {
			handOver = append(handOver,
				line{impl.says + ", one process", "HandOver/servers=%d/processes=1", impl.impl, "handover-sec"},
				line{impl.says + ", two processes", "HandOver/servers=%d/processes=2", impl.impl, "handover-sec"})
		}
	}
	return []chart{
		{"cluster.svg", "Acquire and release over etcd, each goroutine on its own node",
			"goroutines", []int{1, 8, 64, 512}, goroutines, 1e6, "µs"},
		{"hand-over.svg", "From a release to the lock that waits for it, over etcd",
			"servers", []int{1, 3}, handOver, 1e6, "µs"},
	}
}
