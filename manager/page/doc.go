// Package page serves a web page that shows the live state of a lock manager: each node of the tree
// with the requests that hold it and that wait for it, what each request waits for, and how these
// numbers changed during the last minutes. It is mounted like net/http/pprof:
//
//	http.Handle("/debug/locks", page.Handler(m))
//
// The page refreshes itself every two seconds. Each refresh takes one snapshot of the manager (see
// [manager.Manager.Snapshot]), which keeps no request waiting. Without a viewer the page does
// nothing. It loads nothing from other addresses, and works at any path and without JavaScript.
//
// # Queries
//
//	?below=/tenants/17   only requests that reach this node or a node below it
//	?limit=50            at most this many requests: 200 by default, and at most 2,000
//	?format=json         a manager.Snapshot as JSON, of at most 2,000 requests
//	?format=dot          requests, nodes and what waits for what, for Graphviz
//
// A path that is not canonical is cleaned, and the answer says what it shows. The answer is 400
// with the reason if the query cannot be read, if it has a field twice, or if the manager refuses
// its node. It is 414 if the query has more than 64 KiB or its node more than 16 KiB. It is 503
// with the final statistics if the manager has stopped.
//
// # Bounds
//
// An answer has at most 1 MiB. Every format shows the first 8 claims of a request, and 1,000 bytes
// of the name of a node; the page and the graph show 160 bytes, and the rest in a tooltip. The
// page and the graph say in words what is left out. The JSON has these fields for it:
//
//	left_out      the requests that are left out
//	max_bytes     the bound of an answer, if requests are left out because of it
//	more_claims   of a request or a suspension: the claims that are left out
//	node_bytes    of a claim: the length of the node's name, if that is cut
//	below         the node of the filter
//
// Every format but the graph shows the first 8 suspensions, whatever the query. The page shows a
// [manager.PossibleCircle] once its waiting requests have waited for 10 seconds.
//
// The JSON decodes into a [manager.Snapshot] if its nodes are paths, numbers, or values without
// pointers. Other nodes appear there as text.
//
// Answers that clients have not read yet keep at most 8 MiB together. Beyond that, and if there is
// no snapshot within 5 seconds, the answer is 503. A client has 30 seconds to read an answer,
// unless the server allows less or its http.ResponseWriter has no deadlines.
//
// # Safety
//
// Labels and nodes may be anything. A text with a part that does not print, such as a line break, a
// byte that is not UTF-8 or a character that changes the direction of writing, is shown as a quoted
// Go string, which the filter accepts too. Methods of nodes run on the goroutine of the HTTP
// request, which then holds nothing that other viewers need, with one exception: a Parent of the
// filter's node that blocks in its second call delays other viewers by at most 5 seconds. A method
// that blocks keeps the snapshot of its request in memory.
//
// The page changes nothing, and runs no script but its own. It shows the names of nodes and the
// labels of requests to every client that can reach it: as with pprof, the program restricts that.
package page
