// Package metrics shows a lock manager to Prometheus.
//
//	m := manager.Start(ctx)
//	prometheus.MustRegister(metrics.New(m, metrics.WithName("folders")))
//
// It is a module of its own, so that who uses the manager alone depends on the standard library alone.
//
// # What there is
//
//	treelock_granted_total                counter    requests granted, at once or after they had waited
//	treelock_waited_total                 counter    requests that had to wait
//	treelock_withdrawn_total              counter    requests that ended while they waited
//	treelock_released_total               counter    grants that ended
//	treelock_refused_total{reason}        counter    requests refused: conflict, busy or draining
//	treelock_live_requests{state}         gauge      requests that are holding, or waiting
//	treelock_nodes                        gauge      nodes that are known, idle ones included
//	treelock_inbox_messages               gauge      messages that the manager has not dealt with yet
//	treelock_wait_seconds                 histogram  of those that were granted after they had waited
//	treelock_hold_seconds                 histogram  of those that were released
//	treelock_queue_length                 histogram  how many waited, at each arrival of one that had to
//
// All of it is what [manager.Stats] has. With [WithName] everything also has the label manager, so that one registry can have
// many managers.
//
// A scrape shows one instant: what is holding is what was granted less what was released, exactly.
//
// # What it costs
//
// A scrape sends the manager one message, as a release does, and waits for the answer, whatever the number of nodes and of requests; and
// then makes 58 series of it, on its own goroutine. Between scrapes nothing happens: there is no goroutine, and the manager counts
// in any case.
//
// Once the manager has stopped, scrapes go on and show what it had counted until then. That includes the requests that were live at its end,
// so alarms may go off for what is no more: unregister the collector in a process that outlives its manager.
//
// # Buckets
//
// The manager counts whole microseconds, by powers of two. The bounds here are every other one of them, less one: the bucket of
// le="0.001023" has the times below 1,024 microseconds, which are 1,023 at most when cut to whole ones. Times are told from 15 microseconds, below
// which the manager's clock is no better, to 18 minutes; queues from 1 to 524,287. A quantile is estimated within its bucket, so it may be wrong
// by a factor of four; the share of what is below a bound is exact.
//
// # When to raise an alarm
//
// Waits have become long, where nobody should wait for more than a second (take a bound for the threshold, and the answer does not depend
// on an estimate):
//
//	alert: TreelockLongWaits
//	expr: |
//	  histogram_quantile(0.99, sum by (manager, instance, le) (rate(treelock_wait_seconds_bucket[5m]))) > 1.048575
//	for: 10m
//
// A wait is in the histogram when it is over. So a grant that is never released is not seen there, by those who wait for
// it: but somebody waits all the time, and nothing is released.
//
//	alert: TreelockStuck
//	expr: |
//	  min_over_time(treelock_live_requests{state="waiting"}[10m]) > 0
//	    and ignoring (state) increase(treelock_released_total[10m]) == 0
//
// If the rest of the tree is busy, that is not seen either. [manager.WithSlowLog] finds each such grant, and says where it was made.
//
// Requests are turned away since too many wait ([manager.WithMaxWaiting]):
//
//	alert: TreelockBusy
//	expr: rate(treelock_refused_total{reason="busy"}[5m]) > 0
//	for: 5m
//
// The manager is one goroutine. If its inbox, which has room for 2,048 unless [manager.WithClients] says otherwise, is never less than
// half full, it has more to do than a processor can:
//
//	alert: TreelockSaturated
//	expr: min_over_time(treelock_inbox_messages[5m]) > 1024
//
// # Dashboard
//
// grafana.json, next to this file, is a dashboard of all this, to be imported into Grafana as it is. It asks for the
// data source, and for the managers that are to be shown.
package metrics
