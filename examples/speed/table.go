package main

import (
	"fmt"
	"slices"
	"strings"
)

// columns are the implementations, each with the value of impl= in names of benchmarks.
var columns = []struct{ says, impl string }{
	{"batch echo", "batch-echo"}, {"echo", "(parking-)?echo"}, {"treelock", "treelock"}, {"RWMutex", "rwmutex"},
	{"map of RWMutexes", "rwmutex-map"}, {"x/sync semaphore", "x-semaphore"},
}

// rows are benchmarks, by the names that they have without an implementation, and units to show.
var rows = []struct{ says, name, units string }{
	{"1 client reads", "Lock/op=read/nodes=disjoint/depth=4/clients=1", "sec/op"},
	{"1 client writes", "Lock/op=write/nodes=disjoint/depth=4/clients=1", "sec/op"},
	{"1 client writes at depth 16", "Lock/op=write/nodes=disjoint/depth=16/clients=1", "sec/op"},
	{"2 clients write", "Lock/op=write/nodes=disjoint/depth=4/clients=2", "sec/op"},
	{"32 clients read", "Lock/op=read/nodes=disjoint/depth=4/clients=32", "sec/op"},
	{"32 clients write", "Lock/op=write/nodes=disjoint/depth=4/clients=32", "sec/op"},
	{"32 clients read one node", "Lock/op=read/nodes=shared/depth=4/clients=32", "sec/op"},
	{"32 clients write one node", "Lock/op=write/nodes=contended/depth=4/clients=32", "sec/op"},
	{"1,000 clients write", "Lock/op=write/nodes=disjoint/depth=4/clients=1000", "sec/op"},
	{"10,000 clients write", "Lock/op=write/nodes=disjoint/depth=4/clients=10000", "sec/op"},
	{"acquire beside 1 busy goroutine, 1 client: median, 90%, 99%", "Neighbours/busy=1/clients=1", "p50-sec p90-sec p99-sec"},
	{"acquire beside 2 busy goroutines, 1 client: median, 90%, 99%", "Neighbours/busy=2/clients=1", "p50-sec p90-sec p99-sec"},
	{"acquire beside 8 busy goroutines, 1 client: median, 90%, 99%", "Neighbours/busy=8/clients=1", "p50-sec p90-sec p99-sec"},
	{"acquire beside 1 busy goroutine, 32 clients: median, 90%, 99%", "Neighbours/busy=1/clients=32", "p50-sec p90-sec p99-sec"},
	{"acquire beside 2 busy goroutines, 32 clients: median, 90%, 99%", "Neighbours/busy=2/clients=32", "p50-sec p90-sec p99-sec"},
	{"acquire beside 8 busy goroutines, 32 clients: median, 90%, 99%", "Neighbours/busy=8/clients=32", "p50-sec p90-sec p99-sec"},
	{"release to next grant, 1,000 clients write one node: median, 99.9%", "HandOver/op=write/nodes=contended/depth=4/clients=1000", "p50-sec p99.9-sec"},
	{"1 client writes, no other node held", "Live/op=write/depth=4/leaves=1000/live=0", "sec/op"},
	{"1 client writes, 1,000,000 other nodes held", "Live/op=write/depth=4/leaves=1000/live=1000000", "sec/op"},
	{"arrive and withdraw behind 10 waiters", "Waiters/waiters=10/where=here/step=arrive", "sec/op"},
	{"arrive and withdraw behind 100,000 waiters", "Waiters/waiters=100000/where=here/step=arrive", "sec/op"},
	{"hand over and arrive, 10 waiters", "Waiters/waiters=10/where=here/step=hand-over", "sec/op"},
	{"hand over and arrive, 100,000 waiters", "Waiters/waiters=100000/where=here/step=hand-over", "sec/op"},
	{"serve 8,000 queued writers: time, memory", "Drain/op=write/depth=4/waiters=8000", "sec/op B/queue"},
	{"memory of a grant", "Memory/state=held/depth=4", "B/request"},
	{"memory of a waiting ticket", "Memory/state=waiting/depth=4", "B/request"},
	{"memory of a waiting Acquire: heap, stack", "Memory/state=waiting-acquire/depth=4", "B/request B/stack"},
}

// processTable returns the rows of which something was measured, as Markdown.
func processTable(f figures) []byte {
	var b strings.Builder
	b.WriteString("| acquire and release, by default on own nodes at depth 4 |")
	for _, c := range columns {
		fmt.Fprintf(&b, " %s |", c.says)
	}
	b.WriteString(" treelock to batch echo |\n|---|" + strings.Repeat("---:|", len(columns)+1) + "\n")
	rounds := 0
	for _, r := range rows {
		line, empty := "| "+r.says+" |", true
		for _, c := range columns {
			var parts []string
			for unit := range strings.FieldsSeq(r.units) {
				if values := f.of(c.impl, r.name, unit); len(values) > 0 {
					parts, empty, rounds = append(parts, text(values, unit)), false, max(rounds, len(values))
				}
			}
			line += " " + strings.Join(parts, ", ") + " |"
		}
		if !empty {
			ratios := quotients(f.of("treelock", r.name, "sec/op"), f.of("batch-echo", r.name, "sec/op"))
			fmt.Fprintf(&b, "%s %s |\n", line, text(ratios, "x"))
		}
	}
	b.WriteString(f.circumstances(rounds) + `
With many clients, a time is the wall-clock time divided by the operations of all clients. An echo
is a goroutine that answers each message and knows no locks. The batch echo takes what its inbox
holds before other goroutines run, as treelock's manager does. The echo lets them run whenever its
inbox is empty; beside busy goroutines it is one that never yields. Where a processor is free, as
beside one busy goroutine, the manager serves many clients in one batch, so each of them waits for
the batch. The mutexes and the semaphore do not serve many clients in turn, and a map of mutexes
does not lock subtrees.
`)
	return []byte(b.String())
}

// quotients returns a divided by b in each round that has both.
func quotients(a, b []float64) []float64 {
	a = slices.Clone(a[:min(len(a), len(b))])
	for i := range a {
		a[i] /= b[i]
	}
	return a
}

// circumstances returns what is below a table.
func (f figures) circumstances(rounds int) string {
	intervals := ""
	if rounds >= 6 {
		intervals = ", with 95% confidence intervals"
	}
	return fmt.Sprintf(`
Rounds: %d. Figures are medians%s. Ratios are taken within each round.
%s, %s/%s, %s, %s:
%s
`, rounds, intervals, f.last.GetConfig("go"), f.last.GetConfig("goos"), f.last.GetConfig("goarch"), f.last.GetConfig("cpu"),
		f.last.GetConfig("date"), "`"+f.last.GetConfig("command")+"`")
}
