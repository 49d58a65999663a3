package page

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A graph draws requests as boxes, nodes as folders, and blockers as arrows.
type graph[N treelock.Node[N]] struct {
	limitedBuffer
	names map[N]name
	ids   map[N]int // of the nodes that are drawn
}

// prepareDOT gets the names of the nodes, as far as they fit into an answer.
func prepareDOT[N treelock.Node[N]](q query[N], s *cutSnapshot[N]) (finish func() answer) {
	var names map[N]name
	most := fit(s, func(part *cutSnapshot[N]) (_ *cutSnapshot[N], fits bool) {
		names, fits = namesOf(part)
		return part, fits
	})
	return func() answer {
		body := fit(most, func(part *cutSnapshot[N]) ([]byte, bool) {
			g := &graph[N]{names: names, ids: make(map[N]int)}
			g.draw(q, part, part != s)
			return g.Bytes(), !g.full
		})
		return answer{http.StatusOK, typeDOT, bytes.Clone(body)}
	}
}

// namesOf returns the names of all nodes of s, and whether they fit into an answer.
func namesOf[N treelock.Node[N]](s *cutSnapshot[N]) (names map[N]name, fits bool) {
	names = make(map[N]name)
	room := maxAnswer
	for live := range s.All() {
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

// draw draws s. isCut means that s lacks requests because of maxAnswer.
func (g *graph[N]) draw(q query[N], s *cutSnapshot[N], isCut bool) {
	fmt.Fprint(g, "digraph locks {\n\trankdir=LR\n"+
		"\tnode [fontname=\"sans-serif\" fontsize=10]\n\tedge [fontname=\"sans-serif\" fontsize=9]\n")
	var title []string
	if q.below != "" {
		title = append(title, "below "+q.shown.name().Short)
	}
	if s.LeftOut > 0 {
		title = append(title, plural(s.LeftOut, "more request")+" left out")
	}
	if isCut {
		title = append(title, "at most "+byteSize(maxAnswer))
	}
	if len(title) > 0 {
		fmt.Fprintf(g, "\tlabel=%s\n", quoteDOT(title...))
	}
	for live := range s.All() {
		if g.full {
			return
		}
		g.request(s, live)
	}
	fmt.Fprint(g, "}\n")
}

// request draws a request, its nodes and its blockers.
func (g *graph[N]) request(s *cutSnapshot[N], live manager.Live[N]) {
	shape, verb := "style=filled fillcolor=\"#d9efe4\"", "holds for "
	if live.State != treelock.Holding {
		shape, verb = "style=dashed", "waits for "
	}
	title := fmt.Sprintf("#%d", live.Number)
	if live.Label != "" {
		title += " “" + nameOf(live.Label).Short + "”"
	}
	lines := []string{title, verb + age(s.Taken.Sub(live.Since))}
	if more := s.moreClaims[live.Number]; more > 0 {
		lines = append(lines, "and "+plural(more, "more claim"))
	}
	if live.More > 0 {
		more := number(live.More)
		if live.AtLeast {
			more += " or more"
		}
		lines = append(lines, "waits for "+more+" that are not drawn")
	}
	fmt.Fprintf(g, "\tr%d [shape=box %s label=%s]\n", live.Number, shape, quoteDOT(lines...))
	for _, c := range live.Claims {
		fmt.Fprintf(g, "\tr%d -> n%d [style=dotted arrowhead=none label=%s]\n",
			live.Number, g.node(c.Node), quoteDOT(c.Verb()))
	}
	for _, blocker := range live.BlockedBy {
		fmt.Fprintf(g, "\tr%d -> r%d [color=\"#b3261e\"]\n", live.Number, blocker)
	}
}

// node returns the ID of a node. The first call for a node draws it.
func (g *graph[N]) node(node N) int {
	if id, drawn := g.ids[node]; drawn {
		return id
	}
	id, name := len(g.ids), g.names[node]
	g.ids[node] = id
	tooltip := ""
	if name.Full != "" {
		tooltip = " tooltip=" + quoteDOT(name.Full)
	}
	fmt.Fprintf(g, "\tn%d [shape=folder label=%s%s]\n", id, quoteDOT(name.Short), tooltip)
	return id
}

// dotEscapes replaces the special characters of a quoted label: besides the quote these are the
// backslash, for line breaks and names, and the ampersand, for entities as in HTML.
var dotEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `&`, `&amp;`)

// quoteDOT returns printable lines as a quoted label.
func quoteDOT(lines ...string) string {
	for i, line := range lines {
		lines[i] = dotEscapes.Replace(line)
	}
	return `"` + strings.Join(lines, `\n`) + `"`
}
