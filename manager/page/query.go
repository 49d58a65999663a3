package page

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/nodetext"
	"github.com/treelock/treelock/manager"
)

const (
	defaultLimit = 200  // requests on a page
	maxLimit     = 2000 // requests in a snapshot, from which blockers are computed

	maxQuery = 64 << 10 // bytes of a query
	maxBelow = 16 << 10 // bytes of the node in it

	// maxSteps bounds the ancestors that walk visits, as the lineage may be endless.
	maxSteps = 1 << 16
)

var errLongQuery = fmt.Errorf("treelock: the query is too long: it may have %s, and a node in it %s",
	byteSize(maxQuery), byteSize(maxBelow))

const (
	formatHTML = "html"
	formatJSON = "json"
	formatDOT  = "dot"
)

// A query is what a client asks for.
type query[N treelock.Node[N]] struct {
	below    string // the filter as typed; "" for everything
	node     N      // the node that below names
	shown    text   // the text of node
	limit    int    // how many requests are shown
	hasLimit bool   // the query has a limit
	format   string
}

// readQuery parses the query of a URL. With an error it returns the part that it has parsed.
func (h *handler[N]) readQuery(raw string) (query[N], error) {
	q := query[N]{limit: defaultLimit, format: formatHTML}
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
	if s := values.Get("limit"); s != "" {
		limit, err := strconv.Atoi(s)
		if err != nil || limit < 1 || limit > maxLimit {
			return q, fmt.Errorf("treelock: limit %s: use a number from 1 to %d",
				nodetext.Quote(s, 40), maxLimit)
		}
		q.limit, q.hasLimit = limit, true
	}
	below := values.Get("below")
	if len(below) > maxBelow {
		return q, errLongQuery
	}
	if q.below, q.shown = unquote(below), newText(below); below == "" {
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

// cleanPath returns the path for the text in the filter.
func cleanPath(s string) (treelock.Path, error) {
	if path, err := treelock.ParsePath(s); err == nil {
		return path, nil
	}
	return treelock.CleanPath(s), nil
}

// unquote is the reverse of printable: the filter accepts what the page shows.
func unquote(s string) string {
	if raw, err := strconv.Unquote(s); err == nil && printable(raw) == s {
		return raw
	}
	return s
}

// walk visits the node of the filter and its ancestors, as the snapshot does. A Parent that blocks
// does so here, before the viewer holds snapshotSem.
func (q *query[N]) walk() {
	node, ok := q.node, q.below != ""
	for step := 0; ok && step < maxSteps; step++ {
		node, ok = node.Parent()
	}
}

// snapshotQuery returns the query for the manager. The snapshot of a page has more requests than
// the page shows, so that the page can name their blockers.
func (q *query[N]) snapshotQuery() manager.Query[N] {
	limit := maxLimit
	if q.format == formatDOT || q.format == formatJSON && q.hasLimit {
		limit = q.limit
	}
	mq := manager.Query[N]{Limit: limit}
	if q.below != "" {
		mq.Below = []N{q.node}
	}
	return mq
}
