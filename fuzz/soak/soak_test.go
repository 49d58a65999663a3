package soak_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

type path = treelock.Path

var soakTime = flag.Duration("soak", 0, "how long TestSoak takes, no longer than -timeout allows; 0: 1s, or 20s with TREELOCK_TESTS=long")

const (
	soakers     = 20
	epochLimit  = 30 * time.Second // after it a call has certainly been forgotten
	reportEvery = 10 * time.Second
)

// enough grants make all outcomes certain.
const enough = 5000

// outcomes are what clients count.
var outcomes = []string{
	"granted", "waited", "canceled", "withdrawn", "busy", "conflict", "draining", "stopped", "narrowed", "not held",
	"handed on", "left", "panicked", "shared", "widened", "carried", "deadlock", "released",
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A soak is many clients on a tree of some dozens of nodes. They use managers one after the other.
// The tokens of a manager begin after the largest of the last one.
type soak struct {
	t       *testing.T
	shadow  *shadow
	clients []*client

	burst atomic.Pointer[cancelBurst]
	over  atomic.Bool // no more requests

	rng      *rand.Rand
	began    time.Time
	reported time.Time
	epochs   int
	token    uint64 // the first of the next manager
	numbers  uint64 // added to the numbers of the manager, so that they grow as well
}

// A cancelBurst is a context that ends for many clients at once.
type cancelBurst struct {
	ctx context.Context
	end context.CancelFunc
}

// TestSoak runs many clients, for a time that the flag -soak gives. The shadow asserts I1, I2 and
// I7, the clients I6. Besides, every call returns, nothing is live at the end of a manager, and no
// goroutine is left.
func TestSoak(t *testing.T) {
	leftover := goleak.IgnoreCurrent()
	long := soakLength(t)
	now := time.Now()
	s := &soak{t: t, shadow: newShadow(3, 3, 2), rng: rand.New(rand.NewPCG(11, 12)), began: now, reported: now, token: 1}
	for i := range uint64(soakers) {
		s.clients = append(s.clients, newClient(s, i))
	}
	leave := make(chan struct{})
	var helper sync.WaitGroup
	s.nextBurst()
	helper.Go(func() { s.cancelOften(leave) })
	for time.Since(s.began) < long && !t.Failed() {
		s.epoch()
	}
	close(leave)
	helper.Wait()
	s.nextBurst().end() // and that before it has ended
	total, failed := s.report(), t.Failed()
	for _, outcome := range outcomes {
		if !failed && total["granted"] >= enough && total[outcome] == 0 {
			t.Errorf("%s: 0 in %d epochs, want some", outcome, s.epochs)
		}
	}
	goleak.VerifyNone(t, leftover)
}

// soakLength returns how long to soak, at most as long as the test binary lives (see go test
// -timeout).
func soakLength(t *testing.T) time.Duration {
	long := *soakTime
	if long == 0 && os.Getenv("TREELOCK_TESTS") == "long" {
		long = 20 * time.Second
	} else if long == 0 {
		long = time.Second
	}
	if deadline, ok := t.Deadline(); ok && long > time.Until(deadline)-epochLimit {
		long = time.Until(deadline) - epochLimit
		t.Logf("-timeout leaves time for a soak of %v only", long.Round(time.Second))
	}
	return long
}

// fail is an error, and the end of the soak.
func (s *soak) fail(format string, args ...any) {
	s.t.Errorf(format, args...)
	s.over.Store(true)
}

// epoch is the life of one manager. It drains while clients work, ends after they have left, or
// stops while they work. It does the last most often, and most often soon, since few moments of a
// stop are dangerous.
func (s *soak) epoch() {
	watch := time.AfterFunc(epochLimit, func() {
		stacks := make([]byte, 1<<20)
		panic(fmt.Sprintf("a call does not return for %v\n%s", epochLimit, stacks[:runtime.Stack(stacks, true)]))
	})
	defer watch.Stop()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	m := manager.Start(ctx, manager.WithFirstToken(s.token),
		manager.WithMaxWaiting([]int{-1, 4}[s.rng.IntN(2)]), manager.WithIdleNodes([]int{-1, 0, 5}[s.rng.IntN(3)]),
		manager.WithClients([]int{-1, 1, 5}[s.rng.IntN(3)]))
	s.over.Store(s.t.Failed())
	var clients, observer sync.WaitGroup
	for _, c := range s.clients {
		clients.Go(func() { c.work(m) })
	}
	observer.Go(func() { s.observe(m, uint64(s.epochs)) })
	life := time.Duration(50+s.rng.IntN(100)) * time.Millisecond
	if s.epochs%100 > 2 {
		life = time.Duration(s.rng.IntN(3000)) * time.Microsecond
	}
	<-time.After(life)
	switch s.epochs % 100 {
	case 0:
		s.drain(m) // the clients see that it drains, and leave
		clients.Wait()
	case 1:
		s.over.Store(true)
		clients.Wait()
		s.checkNothingIsLive(m)
	default:
		stop()
		clients.Wait()
		if err := m.Drain(context.Background()); !errors.Is(err, treelock.ErrStopped) {
			s.fail("Drain() of a manager that stopped with live requests = %v, want ErrStopped", err)
		}
	}
	stop()
	<-m.Done()
	observer.Wait()
	s.prepareNext()
}

// checkNothingIsLive checks that nothing is live when all clients have left.
func (s *soak) checkNothingIsLive(m *manager.Manager[path]) {
	g, err := m.TryAcquire(context.Background(), treelock.Write("/"))
	if err != nil {
		s.fail("TryAcquire(write /) when all clients have left = %v, want a grant", err)
	}
	g.Release()
	s.drain(m)
}

// drain waits until nothing is live.
func (s *soak) drain(m *manager.Manager[path]) {
	if err := m.Drain(context.Background()); err != nil {
		s.fail("Drain() = %v, want nil", err)
	}
}

// prepareNext prepares the next epoch.
func (s *soak) prepareNext() {
	s.epochs++
	numbers := s.numbers
	for _, c := range s.clients {
		s.token = max(s.token, c.token+1)
		s.numbers = max(s.numbers, numbers+c.number)
		c.number = 0
	}
	if time.Since(s.reported) >= reportEvery {
		s.report()
		s.reported = time.Now()
	}
}

// nextBurst prepares a new burst and returns the last one.
func (s *soak) nextBurst() *cancelBurst {
	next := &cancelBurst{}
	next.ctx, next.end = context.WithCancel(context.Background())
	if last := s.burst.Swap(next); last != nil {
		return last
	}
	return next
}

// cancelOften ends the contexts of many clients again and again.
func (s *soak) cancelOften(leave <-chan struct{}) {
	rng := rand.New(rand.NewPCG(13, 14))
	for {
		select {
		case <-leave:
			return
		case <-time.After(time.Duration(100+rng.IntN(3000)) * time.Microsecond):
			s.nextBurst().end()
		}
	}
}

// report logs the counts of all clients. No client may be at work.
func (s *soak) report() map[string]int {
	total := map[string]int{}
	var token uint64
	for _, c := range s.clients {
		for outcome, n := range c.counts {
			total[outcome] += n
		}
		token = max(token, c.token)
	}
	text := ""
	for _, outcome := range slices.Sorted(maps.Keys(total)) {
		text += fmt.Sprintf("%s %d, ", outcome, total[outcome])
	}
	s.t.Logf("%v: %sepochs %d, largest token %d", time.Since(s.began).Round(time.Second), text, s.epochs, token)
	return total
}
