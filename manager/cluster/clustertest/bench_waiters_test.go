package clustertest_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/treelock/treelock/manager/cluster/clustertest"
)

// BenchmarkWaiters lets 1,000 goroutines of a process wait for one node. watches is how many
// watches etcd has for them, and events/release how many events etcd sends, for each of them, from
// the first release to the last. The events of their arrival do not count.
func BenchmarkWaiters(b *testing.B) {
	onServers(b, func(b *testing.B, servers []*clustertest.Server) {
		for _, impl := range impls[1:] {
			b.Run("impl="+impl.name, func(b *testing.B) {
				for range b.N {
					watches, events := waitAndRelease(b, servers, impl.make, 1000)
					b.ReportMetric(watches, "watches")
					b.ReportMetric(events/1000, "events/release")
				}
				b.ReportMetric(0, "ns/op") // it has the arrival
			})
		}
	})
}

func TestWaitersOfAProcessShareAWatch(t *testing.T) {
	const waiters = 300
	watches, events := waitAndRelease(t, startServers(t, 1), newTreelock, waiters)
	if watches != 1 {
		t.Errorf("etcd has %v watches for %d waiters, want 1", watches, waiters)
	}
	if events == 0 || events > waiters+1 {
		t.Errorf("etcd sends %v events for %d releases, want one each at most", events, waiters+1)
	}
}

// waitAndRelease lets goroutines wait for a node and lock it in turn, and returns how many watches
// etcd had meanwhile, and how many events it sent for the releases.
func waitAndRelease(b testing.TB, servers []*clustertest.Server, impl newLocker, waiters int) (watches, events float64) {
	before := settled(b, servers)
	lockers, end := newLockers(b, servers, 1, impl)
	defer end()
	holder := lockers[0]
	unlock := holder.lock("/node")
	var done sync.WaitGroup
	for range waiters {
		l := holder
		if l.fork != nil {
			l = l.fork()
			defer l.close()
		}
		done.Go(func() { l.lock("/node")() })
	}
	waiting := settled(b, servers)
	unlock()
	done.Wait()
	after := settled(b, servers)
	return waiting.watchers - before.watchers, after.events - waiting.events
}

// A watching is what etcd servers say of watches.
type watching struct{ watchers, events float64 }

// settled returns what servers say once it has not changed for a while.
func settled(b testing.TB, servers []*clustertest.Server) watching {
	b.Helper()
	last, since := watchingOf(b, servers), time.Now()
	for time.Since(since) < 300*time.Millisecond {
		time.Sleep(20 * time.Millisecond)
		if w := watchingOf(b, servers); w != last {
			last, since = w, time.Now()
		}
	}
	return last
}

// watchingOf reads the metrics of servers, and adds them up.
func watchingOf(b testing.TB, servers []*clustertest.Server) (w watching) {
	b.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, s := range servers {
		resp, err := client.Get(s.Client + "/metrics")
		if err != nil {
			b.Fatal(err)
		}
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), " ")
			var n float64
			fmt.Sscan(value, &n)
			switch name {
			case "etcd_debugging_mvcc_watcher_total":
				w.watchers += n
			case "etcd_debugging_mvcc_events_total":
				w.events += n
			}
		}
		resp.Body.Close()
	}
	return w
}
