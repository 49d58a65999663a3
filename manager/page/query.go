package page

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/nodetext"
	"github.com/treelock/treelock/manager"
)

const (
	// defaultRows is how many requests a page shows.
	defaultRows = 200

	// mostRows is how many a page can be asked to show, and how many are looked at to find out who holds up whom.
	mostRows = 2000

	// maxQuery is how long a query may be, and maxBelow the name of a node in it.
	maxQuery = 64 << 10
	maxBelow = 16 << 10

	// mostSteps is how far up the node of the filter is followed before the manager looks whether it is too deep.
	mostSteps = 1 << 16
)

var errLongQuery = fmt.Errorf("treelock: the query is too long: it may have %s, and a node in it %s", size(maxQuery), size(maxBelow))

const (
	formatHTML = "html"
	formatJSON = "json"
	formatDOT  = "dot"
)

// A query is what somebody asks for.
type query[N treelock.Node[N]] struct {
	below  string // as it was typed; "" for everything
	node   N      // what that names
	shown  text   // the text of node
	limit  int    // how many requests are shown
	given  bool   // limit was asked for
	format string
}

// readQuery reads the query of a URL. With an error it returns what it could read.
func (h *handler[N]) readQuery(raw string) (query[N], error) {
	q := query[N]{limit: defaultRows, format: formatHTML}
	if len(raw) > maxQuery {
		return q, errLongQuery
	}
	values, err := url.ParseQuery(raw)
	switch format := values.Get("format"); format {
	case "", formatHTML:
	case formatJSON, formatDOT:
		q.format = format
	default:
		return q, fmt.Errorf("treelock: format %s: use html, json or dot", nodetext.Quote(format, 40))
	}
	if err != nil {
		return q, fmt.Errorf("treelock: the query cannot be read: %w", err)
	}
	for _, field := range []string{"format", "limit", "below"} {
		if len(values[field]) > 1 {
			return q, fmt.Errorf("treelock: the query has more than one %s", field)
		}
	}
	if text := values.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > mostRows {
			return q, fmt.Errorf("treelock: limit %s: use a number from 1 to %d", nodetext.Quote(text, 40), mostRows)
		}
		q.limit, q.given = limit, true
	}
	below := values.Get("below")
	if len(below) > maxBelow {
		return q, errLongQuery
	}
	if q.below, q.shown = unquoted(below), newText(below); below == "" {
		return q, nil
	}
	if h.parse == nil {
		return q, errors.New("treelock: this page has no filter: leave out below")
	}
	if q.node, err = h.parse(q.below); err == nil {
		q.shown = textOf(q.node)
	}
	return q, err
}

// cleanPath returns the path that a person means by text.
func cleanPath(text string) (treelock.Path, error) {
	if path, err := treelock.ParsePath(text); err == nil {
		return path, nil
	}
	return treelock.CleanPath(text), nil
}

// unquoted returns what a person means who types s, or copies it from the page, which quotes what
// does not print.
func unquoted(s string) string {
	if raw, err := strconv.Unquote(s); err == nil && visible(raw) == s {
		return raw
	}
	return s
}

// walk goes from the node of the filter up to its root, as the snapshot does. If Parent blocks, it does so here, before the
// viewer has the turn.
func (q *query[N]) walk(ctx context.Context) {
	node, ok := q.node, q.below != ""
	for step := 0; ok && step < mostSteps && ctx.Err() == nil; step++ {
		node, ok = node.Parent()
	}
}

// snapshotQuery returns the query for the manager. A page looks at more requests than it shows, so that it knows whom those that it
// shows wait for.
func (q *query[N]) snapshotQuery() manager.Query[N] {
	limit := mostRows
	if q.format == formatDOT || q.format == formatJSON && q.given {
		limit = q.limit
	}
	asked := manager.Query[N]{Limit: limit}
	if q.below != "" {
		asked.Below = []N{q.node}
	}
	return asked
}
