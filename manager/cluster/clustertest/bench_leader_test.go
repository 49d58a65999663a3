//go:build unix

package clustertest_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/treelock/treelock/manager/cluster/clustertest"
)

// BenchmarkLeader kills the leader of three servers, or stops it for 4 s, while 8 goroutines of a
// process lock and unlock own names. longest-ns is the longest lock that overlaps with that.
func BenchmarkLeader(b *testing.B) {
	for _, fault := range []struct {
		name    string
		inflict func(s *clustertest.Server)
	}{
		{"killed", func(s *clustertest.Server) {
			s.Kill()
			time.Sleep(2 * time.Second)
		}},
		{"stopped", func(s *clustertest.Server) {
			s.Stop()
			time.Sleep(4 * time.Second)
			s.Continue()
		}},
	} {
		for _, impl := range impls[1:] {
			b.Run(fmt.Sprintf("servers=3/fault=%s/impl=%s", fault.name, impl.name), func(b *testing.B) {
				for range b.N {
					servers := startServers(b, 3)
					etcd := clientFor(b, clustertest.Endpoints(servers))
					lockers, end := newLockers(b, servers, 1, impl.make)
					longest := lockDuring(lockers[0], func() { fault.inflict(servers[leaderOf(b, etcd, servers)]) })
					b.ReportMetric(float64(longest), "longest-ns")
					end()
				}
				b.ReportMetric(0, "ns/op") // it has the start of the servers
			})
		}
	}
}

// lockDuring locks and unlocks while f runs, and returns the longest time that a lock took.
func lockDuring(l locker, f func()) (longest time.Duration) {
	over, times := make(chan struct{}), make(chan time.Duration, 8)
	var first sync.WaitGroup
	for i := range cap(times) {
		first.Add(1)
		go func() {
			name := fmt.Sprintf("/node-%d", i)
			l.lock(name)()
			first.Done()
			var longest time.Duration
			for ended := false; !ended; {
				select {
				case <-over:
					ended = true // after one lock more
				default:
				}
				began := time.Now()
				unlock := l.lock(name)
				longest = max(longest, time.Since(began))
				unlock()
			}
			times <- longest
		}()
	}
	first.Wait()
	f()
	close(over)
	for range cap(times) {
		longest = max(longest, <-times)
	}
	return longest
}
