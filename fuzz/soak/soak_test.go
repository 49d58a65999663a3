package soak_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

var soakTime = flag.Duration("soak", 2*time.Second, "how long TestSoak takes, no longer than -timeout allows; with -v it says every 10s how it goes")

const (
	soakers      = 20
	longestStuck = 30 * time.Second // without an answer to one call
	sayEvery     = 10 * time.Second
)

// A soak is many clients on a tree of some dozens of nodes, that use managers one after the other: each goes on
// where the tokens of the last one ended.
type soak struct {
	t       *testing.T
	shadow  *shadow
	clients []*soaker

	main, observer desk

	storm atomic.Pointer[storm]
	over  atomic.Bool // no more requests

	rng      *rand.Rand
	began    time.Time
	said     time.Time // when it last said how it goes
	restarts int
	token    uint64 // the first of the next manager
}

// A storm is a context that ends for many clients at once.
type storm struct {
	ctx context.Context
	end context.CancelFunc
}

// TestSoak lets many clients loose for a long time, or for a short one: see the flag -soak. It is made for the race
// detector. The shadow asserts I1 and I7, the clients I6; besides, every call returns, nothing is live at the end of a
// manager, and no goroutine is left.
func TestSoak(t *testing.T) {
	leftover := goleak.IgnoreCurrent()
	long := soakLength(t)
	s := &soak{t: t, shadow: newShadow(3, 3, 2), rng: rand.New(rand.NewPCG(11, 12)), began: time.Now(), said: time.Now(), token: 1}
	s.main.owner, s.observer.owner = "main", "observer"
	for i := range uint64(soakers) {
		s.clients = append(s.clients, newSoaker(s, i))
	}
	leave := make(chan struct{})
	var helpers sync.WaitGroup
	s.nextStorm()
	helpers.Go(func() { s.watch(leave) })
	helpers.Go(func() { s.stormy(leave) })
	for i := 0; time.Since(s.began) < long && !t.Failed(); i++ {
		s.epoch(i)
	}
	close(leave)
	helpers.Wait()
	s.nextStorm().end() // and so is the one before
	total := s.report()
	for i, n := range total.counts {
		if long >= 2*time.Second && (n == 0 || s.restarts == 0) {
			t.Errorf("%s: %d, restarts: %d, want some of each: the test tests nothing", countNames[i], n, s.restarts)
		}
	}
	goleak.VerifyNone(t, leftover)
}

// soakLength returns how long to soak: no longer than the test binary lives (see go test -timeout).
func soakLength(t *testing.T) time.Duration {
	long := *soakTime
	if testing.Short() {
		long = min(long, 300*time.Millisecond)
	}
	if deadline, ok := t.Deadline(); ok && long > time.Until(deadline)-longestStuck {
		long = time.Until(deadline) - longestStuck
		t.Logf("-timeout leaves time for a soak of %v only", long.Round(time.Second))
	}
	return long
}

// fail is an error, and the end of the soak.
func (s *soak) fail(format string, args ...any) {
	s.t.Errorf(format, args...)
	s.over.Store(true)
}

// epoch is the life of one manager. It is drained in the midst of everything, left by all before it ends, or stopped
// in the midst of everything: that most often, and most often soon, since few moments of a stop are dangerous.
func (s *soak) epoch(i int) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	m := manager.Start(ctx, manager.WithFirstToken(s.token),
		manager.WithMaxWaiting([]int{-1, 4}[s.rng.IntN(2)]), manager.WithIdleNodes([]int{-1, 0, 5}[s.rng.IntN(3)]),
		manager.WithClients([]int{-1, 1, 5}[s.rng.IntN(3)]))
	s.over.Store(s.t.Failed())
	var clients sync.WaitGroup
	for _, c := range s.clients {
		clients.Go(func() { c.work(m) })
	}
	var observer sync.WaitGroup
	observer.Go(func() { s.observe(m, uint64(i)) })
	life := time.Duration(50+s.rng.IntN(100)) * time.Millisecond
	if i%100 > 2 {
		life = time.Duration(s.rng.IntN(3000)) * time.Microsecond
	}
	<-time.After(life)
	switch i % 100 {
	case 0:
		s.drain(m) // those who work see that it is draining, and leave
		clients.Wait()
	case 1:
		s.over.Store(true)
		clients.Wait()
		s.checkNothingIsLive(m)
	default:
		stop()
		clients.Wait()
		if err := m.Drain(context.Background()); !errors.Is(err, treelock.ErrStopped) {
			s.fail("Drain() of a manager that was stopped with much to do = %v, want ErrStopped", err)
		}
	}
	stop()
	s.main.begin("stop")
	<-m.Done()
	s.main.end()
	observer.Wait()
	s.restart()
}

// checkNothingIsLive checks that all that clients had is back, when they have left.
func (s *soak) checkNothingIsLive(m *manager.Manager[treelock.Path]) {
	g, err := m.TryAcquire(treelock.Write("/"))
	if err != nil {
		s.fail("TryAcquire(write /) when all have left = %v, want a grant", err)
	}
	g.Release()
	s.drain(m)
}

// restart prepares the next epoch.
func (s *soak) restart() {
	s.restarts++
	for _, c := range s.clients {
		s.token = max(s.token, c.token+1)
	}
	if time.Since(s.said) >= sayEvery {
		s.report()
		s.said = time.Now()
	}
}

// drain waits until nothing is live.
func (s *soak) drain(m *manager.Manager[treelock.Path]) {
	s.main.begin("Drain")
	defer s.main.end()
	if err := m.Drain(context.Background()); err != nil {
		s.fail("Drain() = %v, want nil", err)
	}
}

// nextStorm gets a new storm ready and returns the one that was.
func (s *soak) nextStorm() *storm {
	next := &storm{}
	next.ctx, next.end = context.WithCancel(context.Background())
	if last := s.storm.Swap(next); last != nil {
		return last
	}
	return next
}

// stormy has a storm break every now and then.
func (s *soak) stormy(leave <-chan struct{}) {
	rng := rand.New(rand.NewPCG(13, 14))
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-leave:
			return
		case <-timer.C:
			s.nextStorm().end()
			timer.Reset(time.Duration(100+rng.IntN(3000)) * time.Microsecond)
		}
	}
}

// watch is the watchdog: it ends the test if a call has not come back for very long.
func (s *soak) watch(leave <-chan struct{}) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-leave:
			return
		case <-ticker.C:
		}
		var stuck strings.Builder
		for _, d := range s.desks() {
			if call := d.call.Load(); call != nil && time.Since(call.since) > longestStuck {
				fmt.Fprintf(&stuck, "%s is stuck in %s for %v\n", d.owner, call.what, time.Since(call.since))
			}
		}
		if stuck.Len() > 0 {
			stacks := make([]byte, 1<<20)
			panic(fmt.Sprintf("%s\n%s", &stuck, stacks[:runtime.Stack(stacks, true)]))
		}
	}
}

func (s *soak) desks() []*desk {
	all := []*desk{&s.main, &s.observer}
	for _, c := range s.clients {
		all = append(all, &c.desk, &c.aideDesk)
	}
	return all
}

// report says how it goes. No client may be at work.
func (s *soak) report() (total tally) {
	for _, c := range s.clients {
		total.add(c.tally)
	}
	var b strings.Builder
	for i, n := range total.counts {
		fmt.Fprintf(&b, "%s %d, ", countNames[i], n)
	}
	s.t.Logf("%v: %srestarts %d, longest wait %v, largest token %d",
		time.Since(s.began).Round(time.Second), &b, s.restarts, total.longest, total.token)
	return total
}
