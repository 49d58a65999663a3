package page

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A drawing draws requests as boxes, nodes as folders, and who waits for whom as arrows.
type drawing[N treelock.Node[N]] struct {
	sink
	names map[N]name
	drawn map[N]int // the number of each node that is drawn
}

// prepareDOT asks the nodes for their names, but for no more than an answer has room for.
func prepareDOT[N treelock.Node[N]](asked query[N], p *picture[N]) (render func() answer) {
	type prepared struct {
		part  *picture[N]
		names map[N]name
	}
	most := fit(p, func(part *picture[N]) (prepared, bool) {
		names, fits := namesOf(part)
		return prepared{part, names}, fits
	})
	return func() answer {
		body := fit(most.part, func(part *picture[N]) ([]byte, bool) {
			d := &drawing[N]{names: most.names, drawn: make(map[N]int)}
			d.draw(asked, part, part != p)
			return d.Bytes(), !d.full
		})
		return answer{http.StatusOK, typeDOT, bytes.Clone(body)}
	}
}

// namesOf returns the names of all nodes, unless they take more than an answer.
func namesOf[N treelock.Node[N]](p *picture[N]) (names map[N]name, fits bool) {
	names = make(map[N]name)
	room := maxAnswer
	for live := range p.All() {
		for _, c := range live.Claims {
			if _, known := names[c.Node]; known {
				continue
			}
			name := textOf(c.Node).name()
			if room -= len(name.Short) + len(name.Full); room < 0 {
				return nil, false
			}
			names[c.Node] = name
		}
	}
	return names, true
}

// draw draws p, which lacks requests if it is cut.
func (d *drawing[N]) draw(asked query[N], p *picture[N], cut bool) {
	fmt.Fprint(d, "digraph locks {\n\trankdir=LR\n\tnode [fontname=\"sans-serif\" fontsize=10]\n\tedge [fontname=\"sans-serif\" fontsize=9]\n")
	var title []string
	if asked.below != "" {
		title = append(title, "below "+asked.shown.name().Short)
	}
	if p.LeftOut > 0 {
		title = append(title, some(p.LeftOut, "more request")+" left out")
	}
	if cut {
		title = append(title, "at most "+size(maxAnswer))
	}
	if len(title) > 0 {
		fmt.Fprintf(d, "\tlabel=%s\n", quoteDOT(title...))
	}
	for live := range p.All() {
		if d.full {
			return
		}
		d.request(p, live)
	}
	fmt.Fprint(d, "}\n")
}

// request draws one request, its nodes and what it waits for.
func (d *drawing[N]) request(p *picture[N], live manager.Live[N]) {
	shape, verb := "style=filled fillcolor=\"#d9efe4\"", "holds for "
	if live.State != treelock.Holding {
		shape, verb = "style=dashed", "waits for "
	}
	title := fmt.Sprintf("#%d", live.Number)
	if live.Label != "" {
		title += " “" + nameOf(live.Label).Short + "”"
	}
	lines := []string{title, verb + ago(p.Taken.Sub(live.Since))}
	if more := p.moreClaims[live.Number]; more > 0 {
		lines = append(lines, "and "+some(more, "more claim"))
	}
	if live.More > 0 {
		or := ""
		if live.AtLeast {
			or = " or more"
		}
		lines = append(lines, "waits for "+count(live.More)+or+" that are not drawn")
	}
	fmt.Fprintf(d, "\tr%d [shape=box %s label=%s]\n", live.Number, shape, quoteDOT(lines...))
	for _, c := range live.Claims {
		fmt.Fprintf(d, "\tr%d -> n%d [style=dotted arrowhead=none label=%s]\n", live.Number, d.node(c.Node), quoteDOT(c.Verb()))
	}
	for _, seq := range live.BlockedBy {
		fmt.Fprintf(d, "\tr%d -> r%d [color=\"#b3261e\"]\n", live.Number, seq)
	}
}

// node returns the number of a node, which it draws the first time.
func (d *drawing[N]) node(node N) int {
	if number, drawn := d.drawn[node]; drawn {
		return number
	}
	number, name := len(d.drawn), d.names[node]
	d.drawn[node] = number
	tooltip := ""
	if name.Full != "" {
		tooltip = " tooltip=" + quoteDOT(name.Full)
	}
	fmt.Fprintf(d, "\tn%d [shape=folder label=%s%s]\n", number, quoteDOT(name.Short), tooltip)
	return number
}

// dotEscapes has what means something inside of a quoted label: besides the quote these are the escapes of line breaks and
// names, and entities as in HTML.
var dotEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `&`, `&amp;`)

// quoteDOT returns lines, which are visible and short, as a quoted label.
func quoteDOT(lines ...string) string {
	for i, line := range lines {
		lines[i] = dotEscapes.Replace(line)
	}
	return `"` + strings.Join(lines, `\n`) + `"`
}
