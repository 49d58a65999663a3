package report

import (
	"fmt"

	"github.com/treelock/treelock/examples/speed/figures"
)

// A File is a file of a report.
type File struct {
	Name string
	Data []byte
}

// Plots draws what there is enough of to draw.
func Plots(set *figures.Set) ([]File, error) {
	var plots []File
	for _, c := range []chart{clientsChart(), depthChart(), flatChart()} {
		svg, err := c.draw(set)
		if err != nil {
			return nil, fmt.Errorf("speed: %s cannot be drawn: %w", c.name, err)
		}
		if svg != nil {
			plots = append(plots, File{c.name, svg})
		}
	}
	return plots, nil
}

// A chart is lines of figures over a number of something. Both axes are logarithmic.
type chart struct {
	name, title string
	x, y        string // what the axes are
	ticks       []int  // the numbers that are measured
	lines       []line
}

type line struct {
	says  string
	style style
	at    func(x int) figures.Figure
}

// clientsChart compares the implementations.
func clientsChart() chart {
	c := chart{
		name:  "clients.svg",
		title: "Acquire and release of a write at depth 4, each client on its own node",
		x:     "clients", y: "ns per acquire and release (log)",
		ticks: clientCounts,
	}
	for i, impl := range impls {
		says := map[string]string{"batch-echo": "batch echo (the floor)", "echo": "echo", "rwmutex": "one RWMutex", "rwmutex-map": "map of RWMutexes"}[impl]
		if says == "" {
			says = impl
		}
		c.lines = append(c.lines, line{says, styles[i], func(clients int) figures.Figure { return ofImpl(impl, clients) }})
	}
	return c
}

// depthChart shows what a deeper node costs. The echo, which knows no depth, is a level line.
func depthChart() chart {
	c := chart{
		name:  "depth.svg",
		title: "Acquire and release by depth, each client on its own node",
		x:     "depth of the node", y: "ns per acquire and release (log)",
		ticks: depths,
	}
	for i, clients := range []int{1, 32} {
		who := plural(clients, "client")
		floor := line{"batch echo, " + who, styles[0], func(int) figures.Figure { return batchEcho(clients) }}
		floor.style.glyph = styles[i+1].glyph
		c.lines = append(c.lines, floor)
		for j, op := range []string{"read", "write"} {
			c.lines = append(c.lines, line{
				op + ", " + who, styles[1+2*i+j],
				func(depth int) figures.Figure { return disjoint("treelock", op, depth, clients) },
			})
		}
	}
	return c
}

// flatChart shows that it does not matter how many others there are.
func flatChart() chart {
	c := chart{
		name:  "flat.svg",
		title: "One step, however many others hold or wait",
		x:     "nodes held elsewhere, or waiters on the same node", y: "ns per step (log)",
		ticks: []int{1, 10, 1000, 100_000, 1_000_000},
	}
	c.lines = append(c.lines, line{"acquire (others hold)", styles[1], func(others int) figures.Figure {
		if others == 1 {
			others = 0 // which has no place on a logarithmic axis: see tickLabel
		}
		return live(others)
	}})
	short := map[string]string{
		"arrive":             "arrive and withdraw",
		"withdraw/at=front":  "withdraw: front",
		"withdraw/at=middle": "withdraw: middle",
		"withdraw/at=back":   "withdraw: back",
		"hand-over":          "hand over",
	}
	for i, s := range waiterSteps {
		c.lines = append(c.lines, line{short[s.step], styles[2+i], func(others int) figures.Figure { return waiters(others, s.step) }})
	}
	return c
}

// tickLabel writes a number of what is on the x axis.
func (c chart) tickLabel(x int) string {
	switch {
	case c.name == "flat.svg" && x == 1:
		return "0"
	case x >= 1_000_000:
		return digits(x/1_000_000) + "M"
	case x >= 1000:
		return digits(x/1000) + "k"
	}
	return digits(x)
}
