package manager

import (
	"slices"
	"strconv"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/nodetext"
)

// A PossibleCircle is a list of live requests. Each of them lasts until the next one ends, and the
// last one until the first one ends, if one guess is right: that a holder and a waiter with the
// same label have the same caller. Then only a context that ends, or a release out of turn, can end
// it. It is a hint for people. A deadlock that the manager knows is never there: it refuses the
// call that would close it (see [treelock.NewContext]).
//
// A caller waits for one request at a time. So only a label that exactly one waiting request has
// counts. To see such circles, give each job a label of its own.
type PossibleCircle []CircleStep

// A CircleStep is one request of a [PossibleCircle].
type CircleStep struct {
	Number uint64 `json:"number"`
	Label  string `json:"label,omitempty"`

	// Link says why the request lasts until the next one ends. With LinkHolder this is the guess.
	Link treelock.Link `json:"link"`
}

// String describes the circle in one line:
//
//	#8 "copy" waits for #3 "rename"; #3 "rename" may be held by the caller of #9 "rename"; ...
//
// It names at most eight steps, since the slow log writes the circle in one line.
func (c PossibleCircle) String() string {
	texts := make([]string, 0, len(c))
	for i, step := range c[:min(len(c), maxNamed)] {
		verb := map[treelock.Link]string{
			treelock.LinkWaits:  " waits for ",
			treelock.LinkHolder: " may be held by the caller of ",
			treelock.LinkInside: " has inside it ",
		}[step.Link]
		texts = append(texts, step.name()+verb+c[(i+1)%len(c)].name())
	}
	if more := len(c) - len(texts); more > 0 {
		texts = append(texts, strconv.Itoa(more)+" more")
	}
	return strings.Join(texts, "; ")
}

func (s CircleStep) name() string {
	name := "#" + strconv.FormatUint(s.Number, 10)
	if s.Label != "" {
		name += " " + nodetext.Quote(s.Label, treelock.MaxLabel)
	}
	return name
}

// The bounds keep a search short. longestCircle is also how deep visit calls itself.
const (
	maxPossibleCircles = 8    // that a snapshot shows
	longestCircle      = 1000 // that a search finds
)

// A circleSearch looks for possible circles among the requests of a snapshot. It is a search in
// depth that visits each request once. So it finds a circle in each set of requests that reach one
// another, but not all circles. It follows the blockers that the snapshot names.
type circleSearch[N treelock.Node[N]] struct {
	requests map[uint64]*RequestInfo[N]
	waiter   map[string]uint64   // by label; 0 if several have it
	widening map[uint64]uint64   // that waits, by its grant
	inside   map[uint64][]uint64 // grants, by the grant that they are inside

	path    []CircleStep   // from the first request to the present one
	at      map[uint64]int // one more than the index in path; 0 if the request is not there
	visited map[uint64]bool
	found   []PossibleCircle
}

// possibleCircles returns what s shows as such. It costs a look at each request, and a search if a
// holder and one waiter have the same label.
func (s *Snapshot[N]) possibleCircles() []PossibleCircle {
	// A label of several waiters says nothing: they may be of one caller or of many. 0 is no number
	// of a request, so the search follows it nowhere.
	c := circleSearch[N]{waiter: make(map[string]uint64)}
	for i := range s.Waiters {
		if r := &s.Waiters[i]; r.Label == "" {
			continue
		} else if _, several := c.waiter[r.Label]; several {
			c.waiter[r.Label] = 0
		} else {
			c.waiter[r.Label] = r.Number
		}
	}
	// Requests that only wait are on no circle, as each waits for earlier ones. So without a holder
	// whose caller waits there is none, and most snapshots end here.
	if !slices.ContainsFunc(s.Holders, func(r RequestInfo[N]) bool { return c.waiter[r.Label] != 0 }) {
		return nil
	}
	c.index(s)
	for i := range s.Waiters {
		c.visit(&s.Waiters[i])
	}
	return c.found
}

// index notes how requests belong together. It takes pointers into s, which does not change during
// the search.
func (c *circleSearch[N]) index(s *Snapshot[N]) {
	c.requests, c.visited, c.at = make(map[uint64]*RequestInfo[N]), make(map[uint64]bool), make(map[uint64]int)
	c.widening, c.inside = make(map[uint64]uint64), make(map[uint64][]uint64)
	for i := range s.Waiters {
		r := &s.Waiters[i]
		c.requests[r.Number] = r
		if r.Widens != 0 {
			c.widening[r.Widens] = r.Number
		}
	}
	for i := range s.Holders {
		r := &s.Holders[i]
		c.requests[r.Number] = r
		if r.Inside != 0 {
			c.inside[r.Inside] = append(c.inside[r.Inside], r.Number)
		}
	}
}

// visit goes on from r to the requests that it lasts for. The cases are those of a circle (see
// deadlock.go), but a label says what the caller of a waiter holds:
//
//   - A waiter lasts for its blockers.
//   - A grant lasts for the grants inside it, for its widening, and for what its caller waits for.
func (c *circleSearch[N]) visit(r *RequestInfo[N]) {
	if c.visited[r.Number] || len(c.path) == longestCircle || len(c.found) == maxPossibleCircles {
		return
	}
	// A request stays visited when the search leaves it. Without that the search would try all
	// paths, whose number grows exponentially.
	c.visited[r.Number] = true
	c.path = append(c.path, CircleStep{Number: r.Number, Label: r.Label})
	c.at[r.Number] = len(c.path)
	if r.State == treelock.Waiting {
		c.follow(treelock.LinkWaits, r.BlockedBy...)
	} else {
		c.follow(treelock.LinkInside, c.inside[r.Number]...)
		c.follow(treelock.LinkHolder, c.widening[r.Number], c.waiter[r.Label])
	}
	c.path = c.path[:len(c.path)-1]
	delete(c.at, r.Number)
}

// follow goes on from the latest request of the path. A request that is on the path closes a
// circle.
func (c *circleSearch[N]) follow(link treelock.Link, numbers ...uint64) {
	latest := len(c.path) - 1
	for _, number := range numbers {
		// add copies the path with its links, so the link of its latest step is set before each
		// look.
		c.path[latest].Link = link
		if at := c.at[number]; at > 0 {
			c.add(c.path[at-1:])
		} else if r := c.requests[number]; r != nil { // nil: the query left it out
			c.visit(r)
		}
	}
}

// add keeps a copy of circle, which begins with a request that waits.
func (c *circleSearch[N]) add(circle PossibleCircle) {
	// Each circle has a request that waits. Without one it would have grants alone, each inside the
	// one before it.
	first := slices.IndexFunc(circle, func(s CircleStep) bool { return s.Link == treelock.LinkWaits })
	if len(c.found) < maxPossibleCircles {
		c.found = append(c.found, slices.Concat(circle[first:], circle[:first]))
	}
}
