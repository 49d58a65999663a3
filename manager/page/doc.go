// Package page shows a lock manager as it is now, on a web page: each node of the tree with the requests that hold it and
// those that wait for it, what each of them waits for, and how that has gone during the last minutes. It is mounted like
// net/http/pprof:
//
//	http.Handle("/debug/locks", page.Handler(m))
//
// The page refreshes itself every two seconds. It takes one snapshot of the manager each time (see
// [manager.Manager.Snapshot]), which keeps no request waiting. While no viewer looks it does nothing. It needs nothing from
// elsewhere, and works at any path, and without JavaScript.
//
// # Queries
//
//	?below=/tenants/17   only requests that reach this node, or something below it
//	?limit=50            at most so many requests; 200 unless it says otherwise, and at most 2,000
//	?format=json         a manager.Snapshot as JSON, of at most 2,000 requests
//	?format=dot          requests, nodes and what waits for what, for Graphviz
//
// A path that is not canonical is cleaned, and the answer says what it shows. A query that cannot be understood is answered
// with 400 and the reason, as is one that has a field twice, or a node that the manager refuses; one of more than 64 KiB, or with a node of more than 16 KiB, with 414. A manager that has stopped
// is answered with 503, and its final statistics.
//
// # Bounds
//
// An answer has at most 1 MiB. Every format shows the first 8 claims of a request, and 1,000 bytes of a node's name (of
// these the page and the graph show 160, and the others as a tooltip). What is left out is counted in the answer:
//
//	left_out      in JSON, the requests that are left out; the page and the graph say so in words
//	max_bytes     in JSON, the bound of an answer, if requests are left out because of it
//	more_claims   of a request in JSON
//	node_bytes    of a claim in JSON, the length of the node's name, if that is cut
//	below         in JSON, the node of the filter
//
// The JSON decodes into a [manager.Snapshot] if its nodes are paths, numbers, or values without pointers; other nodes stand
// there as text.
//
// Answers that clients have not taken yet keep at most 8 MiB together. Beyond that viewers get 503, as they do when there is
// no snapshot within 5 seconds. A client has 30 seconds to take an answer, unless the server allows less, or its
// http.ResponseWriter knows no deadlines.
//
// # Safety
//
// Labels and nodes may be anything. A text of which something does not print, such as a line break, a byte that is no
// UTF-8 or a character that turns the direction of writing, is shown as a quoted Go string, which the filter takes too. Methods of nodes run on the goroutine of the viewer's HTTP
// request, while nothing is held that other viewers need; one that blocks keeps that request's snapshot in memory.
//
// The page changes nothing, and runs no script but its own. It tells everybody who can reach it the names of nodes and what
// requests are for: as with pprof, the program decides who that is.
package page
