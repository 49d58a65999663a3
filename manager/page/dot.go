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
	names map[treelock.Claim[N]]name
	ids   map[N]int // of the nodes that are drawn
}

// prepareDOT gets the names of the nodes, as far as they fit into an answer.
func prepareDOT[N treelock.Node[N]](q query[N], s *cutSnapshot[N]) (finish func() answer) {
	most, names := prepareClaims(s, func(c treelock.Claim[N]) (name, int) {
		name := textOf(c.Node).name()
		return name, len(name.Short) + len(name.Full)
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
func (g *graph[N]) request(s *cutSnapshot[N], live manager.RequestInfo[N]) {
	shape, verb := "style=filled fillcolor=\"#d9efe4\"", "holds for "
	if live.State != treelock.Holding {
		shape, verb = "style=dashed", "waits for "
	}
	title := fmt.Sprintf("#%d", live.Number)
	if live.Label != "" {
		title += " “" + nameOf(live.Label).Short + "”"
	}
	if live.Process != "" {
		title += " on " + nameOf(live.Process).Short
	}
	if live.Widens != 0 {
		title += fmt.Sprintf(" widens #%d", live.Widens)
	}
	if live.Inside != 0 {
		title += fmt.Sprintf(" inside #%d", live.Inside)
	}
	lines := []string{title, verb + ageOf(live, s.Taken)}
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
			live.Number, g.node(c), quoteDOT(c.Verb()))
	}
	for _, blocker := range live.BlockedBy {
		fmt.Fprintf(g, "\tr%d -> r%d [color=\"#b3261e\"]\n", live.Number, blocker)
	}
}

// node returns the ID of the node of a claim. The first call for a node draws it.
func (g *graph[N]) node(c treelock.Claim[N]) int {
	if id, drawn := g.ids[c.Node]; drawn {
		return id
	}
	id, name := len(g.ids), g.names[c]
	g.ids[c.Node] = id
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
