package clustertest_test

import (
	"context"
	"fmt"
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
// a client of its own, as a process would.
type locker struct {
	lock  func(name string) (unlock func())
	close func()
	fork  func() locker // for another goroutine; nil if the same will do
}

// impls are the lockers by name. put locks nothing: it writes a key, which is the least that a lock
// over etcd must do.
var impls = []struct {
	name string
	make func(b *testing.B, etcd *clientv3.Client, prefix string) locker
}{
	{"put", func(b *testing.B, etcd *clientv3.Client, prefix string) locker {
		return locker{func(name string) func() {
			if _, err := etcd.Put(background, prefix+name, ""); err != nil {
				b.Error(err)
			}
			return func() {}
		}, func() {}, nil}
	}},
	{"treelock", func(b *testing.B, etcd *clientv3.Client, prefix string) locker {
		m, err := cluster.Start(background, etcd, prefix)
		if err != nil {
			b.Fatal(err)
		}
		return locker{func(name string) func() {
			g, err := m.Acquire(background, treelock.Write(treelock.Path(name)))
			if err != nil {
				b.Error(err)
			}
			return g.Release
		}, func() { m.Shutdown(background) }, nil}
	}},
	{"mutex", newMutexes},
}

// newMutexes returns the mutexes of one session. Mutexes of one session do not exclude each other,
// so each goroutine needs a session of its own, unless it locks other names than the others.
func newMutexes(b *testing.B, etcd *clientv3.Client, prefix string) locker {
	session, err := concurrency.NewSession(etcd, concurrency.WithTTL(60))
	if err != nil {
		b.Fatal(err)
	}
	lock := func(name string) func() {
		m := concurrency.NewMutex(session, prefix+name)
		if err := m.Lock(background); err != nil {
			b.Error(err)
		}
		return func() { m.Unlock(background) }
	}
	fork := func() locker { return newMutexes(b, etcd, prefix) }
	return locker{lock, func() { session.Close() }, fork}
}

// servers returns the endpoints of n servers, those of one benchmark.
func servers(b *testing.B, n int) []string {
	b.Helper()
	s, err := clustertest.Start(b.TempDir(), n)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		for _, s := range s {
			s.Kill()
		}
	})
	return clustertest.Endpoints(s)
}

// BenchmarkLock locks and unlocks with several processes (a locker with a client each) of several
// goroutines: each on a name of its own, or all on one. lock-ns is the median time of lock.
func BenchmarkLock(b *testing.B) {
	cases := []struct {
		processes, goroutines int
		nodes                 string
	}{
		{1, 1, "own"}, {1, 64, "own"}, {1, 512, "own"}, {1, 64, "one"}, {8, 8, "one"},
	}
	for _, n := range []int{1, 3} {
		endpoints := servers(b, n)
		for _, c := range cases {
			for _, impl := range impls {
				name := fmt.Sprintf("servers=%d/processes=%d/goroutines=%d/nodes=%s/impl=%s",
					n, c.processes, c.goroutines, c.nodes, impl.name)
				b.Run(name, func(b *testing.B) {
					var lockers []locker
					for range c.processes {
						etcd := clientFor(b, endpoints)
						l := impl.make(b, etcd, "/"+b.Name()+fmt.Sprint(b.N))
						lockers = append(lockers, l)
						defer etcd.Close()
						defer l.close()
					}
					benchmarkLock(b, lockers, c.goroutines, c.nodes == "own")
				})
			}
		}
	}
}

func benchmarkLock(b *testing.B, lockers []locker, goroutines int, own bool) {
	work := make(chan struct{}, b.N)
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	times := make(chan []time.Duration, len(lockers)*goroutines)
	begin := make(chan struct{})
	for i, l := range lockers {
		for j := range goroutines {
			name, l := "/node", l
			if own {
				name = fmt.Sprintf("/process-%d/node-%d", i, j)
			} else if l.fork != nil {
				l = l.fork()
				defer l.close()
			}
			go func() {
				var took []time.Duration
				<-begin
				for range work {
					began := time.Now()
					unlock := l.lock(name)
					took = append(took, time.Since(began))
					unlock()
				}
				times <- took
			}()
		}
	}
	b.ResetTimer()
	close(begin)
	var all []time.Duration
	for range cap(times) {
		all = append(all, <-times...)
	}
	b.StopTimer()
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2]), "lock-ns")
}

// BenchmarkHandOver measures the time from an unlock to the lock that waits for it, in the same
// process or in another one.
func BenchmarkHandOver(b *testing.B) {
	for _, n := range []int{1, 3} {
		endpoints := servers(b, n)
		for _, processes := range []int{1, 2} {
			for _, impl := range impls[1:] {
				b.Run(fmt.Sprintf("servers=%d/processes=%d/impl=%s", n, processes, impl.name), func(b *testing.B) {
					var lockers []locker
					for range processes {
						etcd := clientFor(b, endpoints)
						l := impl.make(b, etcd, "/"+b.Name()+fmt.Sprint(b.N))
						lockers = append(lockers, l)
						defer etcd.Close()
						defer l.close()
					}
					from, to := lockers[0], lockers[processes-1]
					if processes == 1 && to.fork != nil {
						to = to.fork()
						defer to.close()
					}
					benchmarkHandOver(b, from, to)
				})
			}
		}
	}
}

func benchmarkHandOver(b *testing.B, from, to locker) {
	var took []time.Duration
	for range b.N {
		unlock := from.lock("/node")
		locked := make(chan time.Time)
		done := make(chan struct{})
		go func() {
			unlock := to.lock("/node")
			locked <- time.Now()
			unlock()
			close(done)
		}()
		time.Sleep(10 * time.Millisecond) // until it waits
		began := time.Now()
		unlock()
		took = append(took, (<-locked).Sub(began))
		<-done
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2]), "handover-ns")
}

// BenchmarkLive locks own names while other names are locked.
func BenchmarkLive(b *testing.B) {
	endpoints := servers(b, 1)
	for _, live := range []int{0, 100_000} {
		b.Run(fmt.Sprintf("live=%d", live), func(b *testing.B) {
			etcd := clientFor(b, endpoints)
			defer etcd.Close()
			m, err := cluster.Start(background, etcd, "/"+b.Name()+fmt.Sprint(b.N))
			if err != nil {
				b.Fatal(err)
			}
			defer m.Shutdown(canceled())
			acquireMany(b, m, live)
			benchmarkLock(b, []locker{{lock: func(name string) func() {
				g, err := m.Acquire(background, treelock.Write(treelock.Path(name)))
				if err != nil {
					b.Error(err)
				}
				return g.Release
			}}}, 64, true)
		})
	}
}

// acquireMany acquires n names.
func acquireMany(b *testing.B, m *cluster.Manager, n int) {
	b.Helper()
	var wg sync.WaitGroup
	for g := range 1000 {
		wg.Go(func() {
			for i := g; i < n; i += 1000 {
				if _, err := m.Acquire(background, treelock.Write(treelock.PathOf("live", fmt.Sprint(i%100), fmt.Sprint(i)))); err != nil {
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

// BenchmarkStart measures how long a new process takes until it is ready, and how long others take
// until what a process held is free after its lease has ended, with 100,000 live requests.
func BenchmarkStart(b *testing.B) {
	endpoints := servers(b, 1)
	for range b.N {
		b.StopTimer()
		etcd, other := clientFor(b, endpoints), clientFor(b, endpoints)
		prefix := "/" + b.Name() + fmt.Sprint(time.Now().UnixNano())
		owner, err := cluster.Start(background, etcd, prefix)
		if err != nil {
			b.Fatal(err)
		}
		acquireMany(b, owner, 100_000)
		b.StartTimer()
		m, err := cluster.Start(background, other, prefix)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		began := time.Now()
		owner.Shutdown(canceled())
		g, err := m.Acquire(background, treelock.Write("/live"))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(began))/1e6, "cleanup-ms")
		g.Release()
		m.Shutdown(background)
		etcd.Close()
		other.Close()
	}
}
