// Package page shows a lock manager as it is now, on a web page: each node of the tree with who holds it and who queues
// for it, who holds up whom, and how that has gone during the last minutes. It is mounted like net/http/pprof:
//
//	http.Handle("/debug/locks", page.Handler(m))
//
// The page looks again every two seconds. It takes one snapshot of the manager for each look (see [manager.Manager.Snapshot]),
// which keeps nobody waiting, and nothing while nobody looks: there is no goroutine. It needs nothing from elsewhere, and works at any path,
// and without JavaScript.
//
// # Queries
//
//	?below=/tenants/17   only requests that reach this node, or something below it
//	?limit=50            at most so many requests; 200 unless it says otherwise, and at most 2,000
//	?format=json         a manager.Snapshot as JSON, of at most 2,000 requests
//	?format=dot          requests, nodes and who waits for whom, for Graphviz
//
// What cannot be understood is answered with 400 and the reason. A manager that has stopped is answered with 503, and its
// final statistics: the page is there, but what it is about is not, and whoever polls it should notice.
//
// # Safety
//
// Labels and nodes may be anything. What does not print, such as line breaks, bytes that are no UTF-8 and characters that turn the
// direction of writing, is shown as in a Go string, and long names are cut. The page changes nothing, and runs no script but its own.
// It tells everybody who can reach it the names of nodes and what requests are for: as with pprof, who that is is for the
// program to decide.
package page
