package report

import (
	"fmt"

	"github.com/treelock/treelock/examples/speed/figures"
)

// A Goal is what a figure has to reach: alone, or set off against another one of the same rounds.
type Goal struct {
	What    string
	Of      figures.Figure
	To      figures.Figure // the zero Figure: Of is judged alone
	Limit   float64
	AtLeast bool // the limit is the least, not the most
}

// A Verdict is what became of a goal.
type Verdict string

// The verdicts. They go by the median.
const (
	Met         Verdict = "met"
	Missed      Verdict = "missed"
	NotMeasured Verdict = "not measured"
)

// A Judgement is a goal with what was measured.
type Judgement struct {
	Goal
	Measured figures.Summary // a ratio, if the goal is one
	Verdict  Verdict
}

// Judge compares a goal with what was measured.
func (g Goal) Judge(set *figures.Set) Judgement {
	measured, ok := set.Of(g.Of)
	if g.To != (figures.Figure{}) {
		measured, ok = set.Ratio(g.Of, g.To)
	}
	j := Judgement{Goal: g, Measured: measured, Verdict: Missed}
	switch {
	case !ok:
		j.Verdict = NotMeasured
	case g.AtLeast && measured.Median >= g.Limit, !g.AtLeast && measured.Median <= g.Limit:
		j.Verdict = Met
	}
	return j
}

// The units of memory.
const (
	perRequest = "B/request"
	perQueue   = "B/queue"
)

func ns(format string, args ...any) figures.Figure {
	return figures.Figure{Name: fmt.Sprintf(format, args...), Unit: figures.Time}
}

// batchEcho is the floor for so many clients.
func batchEcho(clients int) figures.Figure { return ns("Lock/impl=batch-echo/clients=%d", clients) }

// echo is the floor of old, which looks for each message by itself.
func echo(clients int) figures.Figure { return ns("Lock/impl=echo/clients=%d", clients) }

// disjoint is a lock of a node of each client's own.
func disjoint(impl, op string, depth, clients int) figures.Figure {
	return ns("Lock/impl=%s/op=%s/nodes=disjoint/depth=%d/clients=%d", impl, op, depth, clients)
}

func live(n int) figures.Figure {
	return ns("Live/impl=treelock/op=write/depth=4/leaves=1000/live=%d", n)
}

func neighbours(impl string, busy, clients int, unit string) figures.Figure {
	name := fmt.Sprintf("Neighbours/impl=%s/busy=%d/clients=%d", impl, busy, clients)
	return figures.Figure{Name: name, Unit: unit}
}

func waiters(n int, step string) figures.Figure {
	return ns("Waiters/impl=treelock/waiters=%d/where=here/step=%s", n, step)
}

// waiterSteps are the steps at a node for which many wait: what they are called, and in the names of benchmarks.
var waiterSteps = []struct{ says, step string }{
	{"arrival and withdrawal of the last", "arrive"},
	{"withdrawal from the front, and arrival", "withdraw/at=front"},
	{"withdrawal from the middle, and arrival", "withdraw/at=middle"},
	{"withdrawal from the back, and arrival", "withdraw/at=back"},
	{"hand-over, and arrival", "hand-over"},
}

// Goals are the goals of the project.
func Goals() []Goal {
	var goals []Goal
	ratio := func(what string, of, to figures.Figure, most float64) {
		goals = append(goals, Goal{What: what, Of: of, To: to, Limit: most})
	}
	for _, op := range []string{"read", "write"} {
		own := func(depth, clients int) figures.Figure { return disjoint("treelock", op, depth, clients) }
		ratio("1 client, "+op+", depth 4, to the batch echo", own(4, 1), batchEcho(1), 1.35)
		ratio("1 client, "+op+", depth 4, to the echo", own(4, 1), echo(1), 1.3)
		ratio("1 client, "+op+", depth 16, to the echo", own(16, 1), echo(1), 2)
		ratio("32 clients, "+op+", depth 4, own nodes, to the batch echo", own(4, 32), batchEcho(32), 1.65)
		ratio("32 clients, "+op+", depth 4, own nodes, to the echo", own(4, 32), echo(32), 1.05)
		for _, clients := range []int{1000, 10_000} {
			goals = append(goals, Goal{
				What: fmt.Sprintf("throughput of %s clients, %s, to that of 32", digits(clients), op),
				Of:   own(4, 32), To: own(4, clients), Limit: 0.9, AtLeast: true, // times are the inverse of throughput
			})
		}
	}
	contended := ns("Lock/impl=treelock/op=write/nodes=contended/depth=4/clients=32")
	ratio("32 clients, write, depth 4, all one node, to the echo", contended, echo(32), 1.4)
	ratio("1,000,000 other nodes held, to none", live(1_000_000), live(0), 1.3)
	for _, s := range waiterSteps {
		ratio("100,000 waiters, to 10: "+s.says, waiters(100_000, s.step), waiters(10, s.step), 1.3)
	}
	return append(goals, absoluteGoals()...)
}

// absoluteGoals are those that are not compared with anything.
func absoluteGoals() []Goal {
	const drain = "Drain/impl=treelock/op=write/depth=4/waiters=8000"
	memory := func(state string) figures.Figure {
		return figures.Figure{Name: "Memory/impl=treelock/state=" + state + "/depth=4", Unit: perRequest}
	}
	allocs := disjoint("treelock", "write", 4, 32)
	allocs.Unit = figures.Allocs
	return []Goal{
		{What: "beside 8 goroutines that compute, 1 client: median", Of: neighbours("treelock", 8, 1, "p50-ns"), Limit: 10e3},
		{What: "beside 8 goroutines that compute, 32 clients: median", Of: neighbours("treelock", 8, 32, "p50-ns"), Limit: 100e3},
		{What: "beside 8 goroutines that compute, 1 client: 99th percentile", Of: neighbours("treelock", 8, 1, "p99-ns"), Limit: 10e6},
		{What: "beside 8 goroutines that compute, 32 clients: 99th percentile", Of: neighbours("treelock", 8, 32, "p99-ns"), Limit: 10e6},
		{What: "allocations, 32 clients, write, depth 4", Of: allocs, Limit: 0},
		{What: "8,000 queued writers served", Of: figures.Figure{Name: drain, Unit: figures.Time}, Limit: 10e6},
		{What: "8,000 queued writers, memory", Of: figures.Figure{Name: drain, Unit: perQueue}, Limit: 10 << 20},
		{What: "memory of a grant, depth 4", Of: memory("held"), Limit: 600},
		{What: "memory of a waiting ticket, depth 4", Of: memory("waiting"), Limit: 600},
		{What: "memory of a waiting ticket, one node for all", Of: memory("waiting-one-node"), Limit: 600},
	}
}
