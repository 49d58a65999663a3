package page

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

const (
	// defaultRows is how many requests a page shows.
	defaultRows = 200

	// mostRows is how many a page can be asked to show, and how many are looked at to find out who holds up whom.
	mostRows = 2000
)

const (
	formatHTML = "html"
	formatJSON = "json"
	formatDOT  = "dot"
)

// A query is what somebody asks for.
type query[N treelock.Node[N]] struct {
	below  string // as it was typed; "" for everything
	node   N      // what that names
	limit  int    // how many requests are shown
	given  bool   // limit was asked for
	format string
}

// readQuery reads the query of a URL. With an error it returns what it could read.
func (h *handler[N]) readQuery(raw string) (query[N], error) {
	values, err := url.ParseQuery(raw)
	q := query[N]{below: values.Get("below"), limit: defaultRows, format: formatHTML}
	switch format := values.Get("format"); format {
	case "", formatHTML:
	case formatJSON, formatDOT:
		q.format = format
	default:
		return q, fmt.Errorf("treelock: format %q: use html, json or dot", clip(format, 40))
	}
	if err != nil {
		return q, fmt.Errorf("treelock: the query cannot be read: %w", err)
	}
	if text := values.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > mostRows {
			return q, fmt.Errorf("treelock: limit %q: use a number from 1 to %d", clip(text, 40), mostRows)
		}
		q.limit, q.given = limit, true
	}
	if q.below == "" {
		return q, nil
	}
	if h.parse == nil {
		return q, errors.New("treelock: this page has no filter: leave out below")
	}
	q.node, err = h.parse(q.below)
	return q, err
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
