package manager

import (
	"fmt"
	"strings"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/nodetext"
)

// Bounds of the user code that a report runs. What has not returned keeps its goroutine, which Go
// cannot end. So maxStuck bounds the goroutines that bad methods and handlers cost.
const (
	maxStuck       = 4                      // runs that have not returned
	textTimeout    = 100 * time.Millisecond // for the texts of one report
	handlerTimeout = time.Second            // for the handler of one report
)

// A report is what is logged of one request. The goroutine of the watcher owns it. An isolated run
// that is late may still read it, so it does not change once it is filled in.
type report[N treelock.Node[N]] struct {
	info    RequestInfo[N]
	blocked *treelock.BlockedError[N] // of one that waits
}

// texts are the texts of a report that name nodes.
type texts struct {
	claims   string
	blockers []string
}

// textsOf returns the texts of r. If nodes have methods for their texts, these run isolated. If
// they do not return, nodes are shown as they would be without methods. Nodes without methods, such
// as a Path, need no goroutine.
func (w *watcher[N]) textsOf(r *report[N]) texts {
	// A first pass uses no methods. If no node has any, its texts are final. If a method does not
	// return, they are what is left to show, so this pass comes first.
	plain := true
	t := r.texts(func(node N) string {
		text, ok := nodetext.Plain(node)
		plain = plain && ok
		return text
	})
	if plain {
		return t
	}
	// made is from the goroutine of the run to this one. It has room for the texts, so a run that
	// ends after the timeout does not block. A run that returned in time has sent them.
	made := make(chan texts, 1)
	full := func(node N) string { return nodetext.Of(node) }
	if w.strings.run(func() { made <- r.texts(full) }) {
		return <-made
	}
	return t
}

// texts makes the texts, naming each node by of. It is all of a report that may call code of a
// user.
func (r *report[N]) texts(of func(N) string) texts {
	return texts{claimsText(r.info.Claims, of), blockersText(r.blocked, of)}
}

// claimsText names at most eight claims in one string, of bounded length. Each name is quoted where
// it would read like a second claim.
func claimsText[N treelock.Node[N]](claims []treelock.Claim[N], of func(N) string) string {
	const most = 8 // as many as an error keeps
	var names []string
	for _, c := range claims[:min(most, len(claims))] {
		names = append(names, nodetext.Claim(c.Verb(), of(c.Node)))
	}
	text := strings.Join(names, ", ")
	if more := len(claims) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// blockersText names the blockers in e, as their String does. A request that holds has none, and e
// is nil.
func blockersText[N treelock.Node[N]](
	e *treelock.BlockedError[N], of func(N) string,
) (names []string) {
	if e == nil {
		return nil
	}
	for _, b := range e.Blockers {
		claim := nodetext.Claim(b.Claim.Verb(), of(b.Claim.Node))
		names = append(names,
			nodetext.Blocker(b.Number, b.Label, b.Process, treelock.MaxLabel, claim, b.State.String(), b.For))
	}
	// The last line says how many blockers are not named, or that the bounded search found none.
	switch {
	case e.AtLeast && len(names) == 0:
		names = append(names, "requests that could not be found")
	case e.AtLeast:
		names = append(names, fmt.Sprintf("and at least %d more", e.More))
	case e.More > 0:
		names = append(names, fmt.Sprintf("and %d more", e.More))
	}
	return names
}
