package report

import (
	"fmt"

	"github.com/treelock/treelock/examples/speed/figures"
)

// A table is figures in rows and columns. The first column says what a row is about.
type table struct {
	title  string
	header []string
	rows   []row
}

type row struct {
	says  string
	cells []figures.Figure
}

// impls are the implementations, the floor first.
var impls = []string{"batch-echo", "treelock", "echo", "rwmutex-map", "rwmutex"}

// ofImpl is a write at depth 4 of a node of each client's own, or what an implementation that knows no nodes does.
func ofImpl(impl string, clients int) figures.Figure {
	switch impl {
	case "batch-echo":
		return batchEcho(clients)
	case "echo":
		return echo(clients)
	case "rwmutex":
		return ns("Lock/impl=rwmutex/op=write/clients=%d", clients)
	}
	return disjoint(impl, "write", 4, clients)
}

var (
	clientCounts = []int{1, 2, 32, 1000, 10_000}
	depths       = []int{1, 4, 16, 64}
	liveCounts   = []int{0, 1000, 100_000, 1_000_000}
	waiterCounts = []int{10, 1000, 100_000}
)

// tables returns what is worth comparing.
func tables() []table {
	return []table{byClients(), byDepth(), contention(), byLive(), byWaiters(), byHandOver(), byNeighbours(), byMemory()}
}

func byClients() table {
	t := table{title: "A write at depth 4, each client on its own node", header: append([]string{"clients"}, impls...)}
	for _, n := range clientCounts {
		r := row{says: digits(n)}
		for _, impl := range impls {
			r.cells = append(r.cells, ofImpl(impl, n))
		}
		t.rows = append(t.rows, r)
	}
	return t
}

func byDepth() table {
	t := table{
		title:  "By depth, each client on its own node",
		header: []string{"depth", "read, 1 client", "write, 1 client", "read, 32 clients", "write, 32 clients"},
	}
	for _, depth := range depths {
		r := row{says: fmt.Sprint(depth)}
		for _, clients := range []int{1, 32} {
			for _, op := range []string{"read", "write"} {
				r.cells = append(r.cells, disjoint("treelock", op, depth, clients))
			}
		}
		t.rows = append(t.rows, r)
	}
	return t
}

func contention() table {
	t := table{title: "32 clients, depth 4, all on one node", header: append([]string{""}, impls...)}
	for _, c := range []struct{ says, op, nodes string }{
		{"all read it", "read", "shared"}, {"all write it: a hand-over", "write", "contended"},
	} {
		one := func(impl string) figures.Figure {
			return ns("Lock/impl=%s/op=%s/nodes=%s/depth=4/clients=32", impl, c.op, c.nodes)
		}
		t.rows = append(t.rows, row{c.says, []figures.Figure{
			batchEcho(32), one("treelock"), echo(32), one("rwmutex-map"), ns("Lock/impl=rwmutex/op=%s/clients=32", c.op),
		}})
	}
	return t
}

func byLive() table {
	t := table{title: "One client's write at depth 4, while others hold other nodes", header: []string{"nodes held", "acquire and release"}}
	for _, n := range liveCounts {
		t.rows = append(t.rows, row{digits(n), []figures.Figure{live(n)}})
	}
	return t
}

func byWaiters() table {
	t := table{title: "A step at a node for which many wait", header: []string{"step"}}
	for _, n := range waiterCounts {
		t.header = append(t.header, digits(n)+" waiters")
	}
	for _, s := range waiterSteps {
		r := row{says: s.says}
		for _, n := range waiterCounts {
			r.cells = append(r.cells, waiters(n, s.step))
		}
		t.rows = append(t.rows, r)
	}
	return t
}

func byHandOver() table {
	t := table{title: "From a release to the next grant, all clients on one node", header: []string{"", "median", "99.9th percentile", "longest"}}
	for _, clients := range []int{32, 1000} {
		for _, c := range []struct{ impl, rest string }{{"treelock", "/op=write/nodes=contended/depth=4"}, {"rwmutex", "/op=write"}} {
			r := row{says: fmt.Sprintf("%s, %s clients", c.impl, digits(clients))}
			for _, unit := range []string{"p50-ns", "p99.9-ns", "max-ns"} {
				name := fmt.Sprintf("HandOver/impl=%s%s/clients=%d", c.impl, c.rest, clients)
				r.cells = append(r.cells, figures.Figure{Name: name, Unit: unit})
			}
			t.rows = append(t.rows, r)
		}
	}
	return t
}

func byNeighbours() table {
	t := table{
		title:  "An acquire in a program in which goroutines compute without end, each client on its own node",
		header: []string{"", "median", "90th percentile", "99th percentile"},
	}
	for _, busy := range []int{2, 8} {
		for _, clients := range []int{1, 32} {
			for _, impl := range []string{"treelock", "parking-echo"} {
				r := row{says: fmt.Sprintf("%s, %d such goroutines, %s", impl, busy, plural(clients, "client"))}
				for _, unit := range []string{"p50-ns", "p90-ns", "p99-ns"} {
					r.cells = append(r.cells, neighbours(impl, busy, clients, unit))
				}
				t.rows = append(t.rows, r)
			}
		}
	}
	return t
}

func byMemory() table {
	t := table{title: "Memory of a live request for one node at depth 4", header: []string{"", "heap", "stack"}}
	for _, m := range []struct{ says, state string }{
		{"a grant", "held"},
		{"a ticket that waits", "waiting"},
		{"a ticket that waits, one node for all", "waiting-one-node"},
		{"a goroutine that waits in Acquire", "waiting-acquire"},
	} {
		name := "Memory/impl=treelock/state=" + m.state + "/depth=4"
		t.rows = append(t.rows, row{m.says, []figures.Figure{{Name: name, Unit: perRequest}, {Name: name, Unit: "B/stack"}}})
	}
	return t
}
