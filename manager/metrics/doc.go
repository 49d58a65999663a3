// Package metrics exports the statistics of a lock manager to Prometheus.
//
//	m := manager.Start(ctx)
//	prometheus.MustRegister(metrics.New(m, metrics.WithName("folders")))
//
// It is a module of its own, so that the manager depends on the standard library alone.
//
// # Metrics
//
//	treelock_granted_total           counter    requests granted, at once or after a wait
//	treelock_waited_total            counter    requests that had to wait
//	treelock_withdrawn_total         counter    requests that ended while they waited
//	treelock_released_total          counter    grants that ended
//	treelock_refused_total{reason}   counter    requests refused: conflict, busy, ...
//	treelock_widened_total           counter    grants that came to hold more
//	treelock_live_requests{state}    gauge      requests that are holding or waiting
//	treelock_nodes                   gauge      nodes in memory, including idle ones
//	treelock_inbox_messages          gauge      messages that the manager has not handled yet
//	treelock_wait_seconds            histogram  waits that ended in a grant
//	treelock_hold_seconds            histogram  times from grant to release
//	treelock_queue_length            histogram  waiting requests, at each arrival of one
//
// They are the fields of [manager.Stats]. With [WithName] each also has the label manager, so that
// one registry can have many managers. A scrape shows one instant: the number of holding requests
// is exactly that of granted less that of released requests.
//
// # Cost
//
// A scrape sends the manager one message, as a release does, whatever the number of nodes and
// requests. On its own goroutine it makes 61 series of the answer. Between scrapes the package does
// nothing, and has no goroutine.
//
// After the manager has stopped, scrapes return its final statistics. These include the requests
// that were live at the end, so alerts may still fire: unregister the collector if the process
// continues.
//
// # Buckets
//
// The manager counts whole microseconds, in buckets of powers of two. This package exports every
// other bound, less one: the bucket le="0.001023" has the times below 1,024 microseconds. The
// bounds are 15 microseconds to 18 minutes for times, and 1 to 524,287 for queues. The share of
// values below a bound is exact. A quantile is an estimate within its bucket, and may be wrong by a
// factor of four.
//
// # Alerts
//
// Waits are long, in a program where a wait of more than a second is a fault. A threshold that is a
// bound makes the estimate exact:
//
//	alert: TreelockLongWaits
//	expr: |
//	  histogram_quantile(0.99,
//	    sum by (manager, instance, le) (rate(treelock_wait_seconds_bucket[5m]))) > 1.048575
//	for: 10m
//
// A wait is in the histogram when it is over, so a grant that is never released does not show
// there. But then requests wait all the time, and none is released:
//
//	alert: TreelockStuck
//	expr: |
//	  min_over_time(treelock_live_requests{state="waiting"}[10m]) > 0
//	    and ignoring (state) increase(treelock_released_total[10m]) == 0
//
// This alert does not fire while the rest of the tree is busy. [manager.WithSlowLog] reports each
// such grant, and where it was acquired.
//
// Requests are refused because too many wait ([manager.WithMaxWaiting]):
//
//	alert: TreelockBusy
//	expr: rate(treelock_refused_total{reason="busy"}[5m]) > 0
//	for: 5m
//
// The manager is one goroutine. It is overloaded if its inbox is always at least half full; the
// inbox has room for 2,048 messages unless [manager.WithClients] changes that:
//
//	alert: TreelockSaturated
//	expr: min_over_time(treelock_inbox_messages[5m]) > 1024
//
// # Dashboard
//
// The file grafana.json next to this one is a dashboard of all metrics for Grafana. On import it
// asks for the data source and the managers.
package metrics
