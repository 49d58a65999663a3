package page

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// writeDOT draws requests as boxes, nodes as folders, and who waits for whom as arrows.
func writeDOT[N treelock.Node[N]](s *manager.Snapshot[N]) []byte {
	var b bytes.Buffer
	b.WriteString("digraph locks {\n\trankdir=LR\n\tnode [fontname=\"sans-serif\" fontsize=10]\n\tedge [fontname=\"sans-serif\" fontsize=9]\n")
	if s.LeftOut > 0 {
		fmt.Fprintf(&b, "\tlabel=%s\n", quoteDOT(some(s.LeftOut, "more request")+" left out"))
	}
	nodes := make(map[N]int)
	for live := range s.All() {
		r := requestOf(live, s.Taken)
		shape := "style=filled fillcolor=\"#d9efe4\""
		verb := "holds for "
		if !r.Holds {
			shape, verb = "style=dashed", "waits for "
		}
		title := fmt.Sprintf("#%d", r.Seq)
		if live.Label != "" {
			title += " “" + live.Label + "”"
		}
		fmt.Fprintf(&b, "\tr%d [shape=box %s label=%s]\n", r.Seq, shape, quoteDOT(title, verb+r.Age))
		for _, c := range live.Claims[:min(mostClaims, len(live.Claims))] {
			at, known := nodes[c.Node]
			if !known {
				at = len(nodes)
				nodes[c.Node] = at
				fmt.Fprintf(&b, "\tn%d [shape=folder label=%s]\n", at, quoteDOT(textOf(c.Node)))
			}
			fmt.Fprintf(&b, "\tr%d -> n%d [style=dotted arrowhead=none label=%s]\n", r.Seq, at, quoteDOT(c.Verb()))
		}
		for _, seq := range live.BlockedBy {
			fmt.Fprintf(&b, "\tr%d -> r%d [color=\"#b3261e\"]\n", r.Seq, seq)
		}
	}
	b.WriteString("}\n")
	return b.Bytes()
}

// dotEscapes has what means something inside of a quoted label: besides the quote these are the escapes of line breaks and
// names, and entities as in HTML.
var dotEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `&`, `&amp;`)

// quoteDOT returns lines as a quoted label.
func quoteDOT(lines ...string) string {
	for i, line := range lines {
		lines[i] = dotEscapes.Replace(visible(clip(line, shortest)))
	}
	return `"` + strings.Join(lines, `\n`) + `"`
}
