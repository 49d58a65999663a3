package clustertest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager/cluster"
	"github.com/treelock/treelock/manager/cluster/clustertest"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

// A locker is what a benchmark measures: lock locks a name, and returns how to unlock it. Each has
// a client of its own, as a process would. All are in the process of the test, and share its CPUs.
type locker struct {
	lock  func(name string) (unlock func())
	close func()
	fork  func() locker // for another goroutine; nil if the same will do
}

// A newLocker makes a locker with a client.
type newLocker func(b testing.TB, etcd *clientv3.Client, prefix string) locker

// An implOf is a kind of locker.
type implOf struct {
	name string
	make newLocker
}

// impls are the lockers by name. put locks nothing: it writes a key, which is the least that a lock
// over etcd must do.
var impls = []implOf{
	{"put", func(b testing.TB, etcd *clientv3.Client, prefix string) locker {
		return locker{func(name string) func() {
			if _, err := etcd.Put(background, prefix+name, ""); err != nil {
				b.Error(err)
			}
			return func() {}
		}, func() {}, nil}
	}},
	{"treelock", newTreelock},
	{"mutex", newMutexes},
}

// newTransactions returns a locker that locks nothing either: it writes what one request of
// treelock writes, and waits for the event. So it is the least that treelock's protocol can take.
func newTransactions(b testing.TB, etcd *clientv3.Client, prefix string) locker {
	lease, err := etcd.Grant(background, 60)
	if err != nil {
		b.Fatal(err)
	}
	watcher := clientv3.NewWatcher(etcd)
	events := watcher.Watch(background, prefix+"/q/", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	<-events
	n, control, with := 0, prefix+"/c", clientv3.WithLease(lease.ID)
	if _, err := etcd.Put(background, control, "0", with); err != nil {
		b.Fatal(err)
	}
	lock := func(name string) func() {
		before := fmt.Sprint(n)
		n++
		written := make(chan error)
		go func() {
			_, err := etcd.Txn(background).If(clientv3.Compare(clientv3.Value(control), "=", before)).
				Then(clientv3.OpPut(control, fmt.Sprint(n), with), clientv3.OpPut(fmt.Sprint(prefix, "/q/", n), name, with)).
				Commit()
			written <- err
		}()
		<-events
		if err := <-written; err != nil {
			b.Error(err)
		}
		return func() {}
	}
	return locker{lock, func() { watcher.Close() }, nil}
}

func newTreelock(b testing.TB, etcd *clientv3.Client, prefix string) locker {
	return treelockOf(b, startFor(b, etcd, prefix))
}

func startFor(b testing.TB, etcd *clientv3.Client, prefix string) *cluster.Manager {
	m, err := cluster.Start(background, etcd, prefix, cluster.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		b.Fatal(err)
	}
	return m
}

func treelockOf(b testing.TB, m *cluster.Manager) locker {
	return locker{func(name string) func() {
		g, err := m.Acquire(background, treelock.Write(treelock.Path(name)))
		if err != nil {
			b.Error(err)
			return func() {}
		}
		return g.Release
	}, func() { m.Shutdown(background) }, nil}
}

// newMutexes returns the mutexes of one session. Mutexes of one session do not exclude each other,
// so each goroutine needs a session of its own, unless it locks other names than the others.
func newMutexes(b testing.TB, etcd *clientv3.Client, prefix string) locker {
	session, err := concurrency.NewSession(etcd, concurrency.WithTTL(60))
	if err != nil {
		b.Fatal(err)
	}
	lock := func(name string) func() {
		m := concurrency.NewMutex(session, prefix+name)
		err := m.Lock(background)
		for until := time.Now().Add(time.Minute); err != nil && time.Now().Before(until); {
			err = m.Lock(background) // etcd has a new leader
		}
		if err != nil {
			b.Error(err)
		}
		return func() { m.Unlock(background) }
	}
	fork := func() locker { return newMutexes(b, etcd, prefix) }
	return locker{lock, func() { session.Close() }, fork}
}

// onServers runs a benchmark on one server and on three, which are started for it.
func onServers(b *testing.B, f func(b *testing.B, servers []*clustertest.Server)) {
	for _, n := range []int{1, 3} {
		b.Run(fmt.Sprintf("servers=%d", n), func(b *testing.B) { f(b, startServers(b, n)) })
	}
}

// newPrefix returns a prefix that no other run of a benchmark has.
func newPrefix(b testing.TB) string { return fmt.Sprintf("/%s-%d", b.Name(), time.Now().UnixNano()) }

// newLockers returns a locker for each of some processes. Each has locked once, so that its
// connections are there.
func newLockers(b testing.TB, servers []*clustertest.Server, processes int, impl newLocker) (lockers []locker, end func()) {
	prefix := newPrefix(b)
	var ends []func()
	for i := range processes {
		etcd := clientFor(b, clustertest.Endpoints(servers))
		l := impl(b, etcd, prefix)
		lockers = append(lockers, l)
		ends = append(ends, l.close, func() { etcd.Close() })
		l.lock(fmt.Sprintf("/first-%d", i))()
	}
	return lockers, func() {
		for _, end := range ends {
			end()
		}
	}
}

// reportMedian reports the median of times.
func reportMedian(b *testing.B, times []time.Duration, unit string) {
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2]), unit)
}

// BenchmarkAcquire measures the time that lock takes in an idle process, one lock after another, as
// the median lock-ns. A pause after unlock lets the transaction of a release end, so the next lock
// does not wait for it.
func BenchmarkAcquire(b *testing.B) {
	onServers(b, func(b *testing.B, servers []*clustertest.Server) {
		for _, impl := range append(impls[:len(impls):len(impls)], implOf{"transaction", newTransactions}) {
			b.Run("impl="+impl.name, func(b *testing.B) {
				lockers, end := newLockers(b, servers, 1, impl.make)
				defer end()
				var took []time.Duration
				for range b.N {
					time.Sleep(10 * time.Millisecond)
					began := time.Now()
					unlock := lockers[0].lock("/node")
					took = append(took, time.Since(began))
					unlock()
				}
				b.ReportMetric(0, "ns/op") // it has the pauses
				reportMedian(b, took, "lock-ns")
			})
		}
	})
}

// BenchmarkLock measures the throughput of lock and unlock, without a pause, of several processes
// with several goroutines each: on a name of its own each, or all on one. Its ns/op is the time of
// all divided by the locks of all. The goroutines of a process share its client; a mutex that
// others contend for has a session of its own.
func BenchmarkLock(b *testing.B) {
	cases := []struct {
		processes, goroutines int
		nodes                 string
	}{
		{1, 1, "own"}, {1, 8, "own"}, {1, 64, "own"}, {1, 512, "own"}, {1, 64, "one"}, {8, 8, "one"},
	}
	onServers(b, func(b *testing.B, servers []*clustertest.Server) {
		for _, c := range cases {
			for _, impl := range impls {
				b.Run(fmt.Sprintf("processes=%d/goroutines=%d/nodes=%s/impl=%s", c.processes, c.goroutines, c.nodes, impl.name), func(b *testing.B) {
					lockers, end := newLockers(b, servers, c.processes, impl.make)
					defer end()
					benchmarkLock(b, lockers, c.goroutines, c.nodes == "own")
				})
			}
		}
	})
}

// benchmarkLock locks and unlocks b.N times in all.
func benchmarkLock(b *testing.B, lockers []locker, goroutines int, own bool) {
	work := make(chan struct{}, b.N)
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	begin := make(chan struct{})
	var done sync.WaitGroup
	for i, l := range lockers {
		for j := range goroutines {
			name, l := "/node", l
			if own {
				name = fmt.Sprintf("/process-%d/node-%d", i, j)
			} else if l.fork != nil {
				l = l.fork()
				defer l.close()
			}
			done.Go(func() {
				<-begin
				for range work {
					l.lock(name)()
				}
			})
		}
	}
	b.ResetTimer()
	close(begin)
	done.Wait()
	b.StopTimer()
}

// BenchmarkHandOver measures the time from the call of unlock to the return of the lock that waits
// for it, in the same process or in another one, as the median handover-ns. The lock has waited for
// longer than 100 ms: etcd catches up only that often with a watch of the past, as a mutex has.
func BenchmarkHandOver(b *testing.B) {
	onServers(b, func(b *testing.B, servers []*clustertest.Server) {
		for _, processes := range []int{1, 2} {
			for _, impl := range impls[1:] {
				b.Run(fmt.Sprintf("processes=%d/impl=%s", processes, impl.name), func(b *testing.B) {
					lockers, end := newLockers(b, servers, processes, impl.make)
					defer end()
					from, to := lockers[0], lockers[processes-1]
					if processes == 1 && to.fork != nil {
						to = to.fork()
						defer to.close()
					}
					benchmarkHandOver(b, from, to)
				})
			}
		}
	})
}

func benchmarkHandOver(b *testing.B, from, to locker) {
	var took []time.Duration
	for range b.N {
		unlock := from.lock("/node")
		locked := make(chan time.Time)
		done := make(chan struct{})
		go func() {
			defer close(done)
			unlock := to.lock("/node")
			locked <- time.Now()
			unlock()
		}()
		time.Sleep(150 * time.Millisecond)
		began := time.Now()
		unlock()
		took = append(took, (<-locked).Sub(began))
		<-done
	}
	b.ReportMetric(0, "ns/op") // it has the pauses
	reportMedian(b, took, "handover-ns")
}

// many is how many locks are live in some benchmarks.
const many = 100_000

// BenchmarkLive measures what locks that are held cost others in the same process: the throughput
// of 64 goroutines on own names, as BenchmarkLock does, and how long a try to lock the root takes.
// That is refused if something is live.
func BenchmarkLive(b *testing.B) {
	onServers(b, func(b *testing.B, servers []*clustertest.Server) {
		for _, live := range []int{0, many} {
			b.Run(fmt.Sprintf("live=%d", live), func(b *testing.B) {
				etcd := clientFor(b, clustertest.Endpoints(servers))
				defer etcd.Close()
				m := startFor(b, etcd, newPrefix(b))
				defer m.Shutdown(canceled())
				acquireMany(b, m, live)
				b.Run("do=lock/impl=treelock", func(b *testing.B) {
					benchmarkLock(b, []locker{treelockOf(b, m)}, 64, true)
				})
				b.Run("do=try-root/impl=treelock", func(b *testing.B) { benchmarkTryRoot(b, m, live == 0) })
			})
		}
	})
}

// benchmarkTryRoot tries to lock the root, which is free or not, as BenchmarkAcquire locks.
func benchmarkTryRoot(b *testing.B, m *cluster.Manager, free bool) {
	var took []time.Duration
	for range b.N {
		time.Sleep(10 * time.Millisecond)
		began := time.Now()
		g, err := m.TryAcquire(background, treelock.Write("/"))
		took = append(took, time.Since(began))
		if free == errors.Is(err, treelock.ErrConflict) {
			b.Fatalf("TryAcquire of the root = %v, free: %v", err, free)
		}
		if err == nil {
			g.Release()
		}
	}
	b.ReportMetric(0, "ns/op") // it has the pauses
	reportMedian(b, took, "lock-ns")
}

// acquireMany acquires n names.
func acquireMany(b *testing.B, m *cluster.Manager, n int) {
	b.Helper()
	var wg sync.WaitGroup
	for g := range 1000 {
		wg.Go(func() {
			for i := g; i < n; i += 1000 {
				path := treelock.PathOf("live", fmt.Sprint(i%100), fmt.Sprint(i))
				if _, err := m.Acquire(background, treelock.Write(path)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(background)
	cancel()
	return ctx
}

// BenchmarkDead measures how long a new process takes until it is ready beside 100,000 live locks
// of another process, as ready-ns, and how long from the end of that process, which releases
// nothing but ends its lease, until the new one holds what was locked, as cleanup-ns.
func BenchmarkDead(b *testing.B) {
	onServers(b, func(b *testing.B, servers []*clustertest.Server) {
		b.Run("impl=treelock", func(b *testing.B) {
			var ready, cleanup []time.Duration
			for range b.N {
				etcd, other := clientFor(b, clustertest.Endpoints(servers)), clientFor(b, clustertest.Endpoints(servers))
				prefix := newPrefix(b)
				owner := startFor(b, etcd, prefix)
				acquireMany(b, owner, many)
				began := time.Now()
				m := startFor(b, other, prefix)
				ready = append(ready, time.Since(began))
				began = time.Now()
				owner.Shutdown(canceled())
				treelockOf(b, m).lock("/live")()
				cleanup = append(cleanup, time.Since(began))
				m.Shutdown(background)
				etcd.Close()
				other.Close()
			}
			b.ReportMetric(0, "ns/op") // it has the 100,000
			reportMedian(b, ready, "ready-ns")
			reportMedian(b, cleanup, "cleanup-ns")
		})
	})
}
