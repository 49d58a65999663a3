//go:build unix

package clustertest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/treelock/treelock/manager/cluster/clustertest"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A soak has processes that come and go. Half of them add to a register that checks tokens, the
// others lock what they like.
type soak struct {
	testing.TB
	etcd   *clientv3.Client
	prefix string
	dir    string

	mu                              sync.Mutex
	adders, lockers                 []*clustertest.Worker
	killed, stopped, ended, trouble int
}

// The ends of a process. Each slot has them in turn.
const (
	fateStop = iota // stopped beyond its lease, continued, and ended
	fateKill
	fateEnd
	numFates
)

// TestFaultsOfProcessesThatComeAndGo runs for some seconds with TREELOCK_TESTS=faults, and for
// minutes with TREELOCK_TESTS=long.
func TestFaultsOfProcessesThatComeAndGo(t *testing.T) {
	length, report := 10*time.Second, 2*time.Second
	switch {
	case long():
		length, report = 4*time.Minute, 10*time.Second
	case os.Getenv("TREELOCK_TESTS") != "faults":
		t.Skip("it stops processes for a while; TREELOCK_TESTS=faults runs it")
	}
	s := &soak{TB: t, etcd: client(t), prefix: "/" + t.Name(), dir: t.TempDir()}
	register := clustertest.RegisterKey(s.prefix)
	if _, err := s.etcd.Delete(background, register); err != nil {
		t.Fatal(err)
	}
	r := &rig{TB: t, servers: shared, prefix: s.prefix, etcd: s.etcd, audit: startAudit(t, s.etcd, s.prefix)}
	t.Cleanup(s.killAll)

	until := time.Now().Add(length)
	var slots sync.WaitGroup
	for i := range 6 {
		slots.Go(func() { s.runSlot(i, until) })
	}
	done := make(chan struct{})
	go func() {
		slots.Wait()
		close(done)
	}()
	tick := time.NewTicker(report)
	defer tick.Stop()
	for running := true; running; {
		select {
		case <-tick.C:
			t.Log(s.progress())
		case <-done:
			running = false
		}
	}
	r.awaitEmpty()

	r.workers = s.lockers
	sum := r.verify(false)
	ops, late := s.history()
	result := porcupine.CheckOperationsTimeout(registerModel, ops, time.Minute)
	if result != porcupine.Ok {
		t.Errorf("the history of the register is not linearizable: %v", result)
	}
	if s.stopped >= 10 && late == 0 {
		t.Error("no late write was refused, so the register shows nothing")
	}
	if sum.grants < 100 || len(ops) < 100 {
		t.Error("the processes have done too little")
	}
	t.Logf("%s\n%d operations on the register, linearizable: %v; %d late accesses refused\n"+
		"%d grants to others, %d of them lost; the longest wait was %v\nnothing is left under the prefix",
		s.progress(), len(ops), result, late, sum.grants, sum.lost, sum.longest.Round(time.Millisecond))
}

// progress says what has become of the processes.
func (s *soak) progress() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%d processes started: %d killed, %d stopped beyond their lease, %d shut down; %d failed",
		len(s.adders)+len(s.lockers), s.killed, s.stopped, s.ended, s.trouble)
}

// runSlot runs one process after the other. Half of the slots have adders.
func (s *soak) runSlot(slot int, until time.Time) {
	for n := 0; time.Now().Before(until); n++ {
		adds := slot%2 == 0
		w, err := s.startWorker(fmt.Sprintf("worker-%d-%d", slot, n), adds)
		if err != nil {
			s.Error(err)
			return
		}
		time.Sleep(time.Second + time.Duration(slot)*100*time.Millisecond)
		switch (slot/2 + n) % numFates {
		case fateStop:
			s.stop(w, adds)
			s.end(w)
		case fateKill:
			w.Kill()
			s.count(&s.killed)
		default:
			s.end(w)
		}
	}
}

func (s *soak) count(n *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n++
}

func (s *soak) startWorker(name string, adds bool) (*clustertest.Worker, error) {
	w, err := clustertest.StartWorker(clustertest.Work{
		Endpoints: clustertest.Endpoints(shared), Prefix: s.prefix, Name: name, TTL: testTTL, Clients: 2,
		Trace: filepath.Join(s.dir, name), Register: adds, Fenced: true,
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if adds {
		s.adders = append(s.adders, w)
	} else {
		s.lockers = append(s.lockers, w)
	}
	return w, nil
}

// stop stops a process for longer than its lease, and lets it go on. One that adds is stopped while
// it holds the lock of the register.
func (s *soak) stop(w *clustertest.Worker, adds bool) {
	w.Stop()
	for tries := 0; adds && tries < 20 && s.registerMoves(); tries++ {
		w.Continue()
		awaitLine(w)
		w.Stop()
	}
	time.Sleep(2 * testTTL)
	w.Continue()
	s.count(&s.stopped)
	time.Sleep(testTTL / 2)
}

// awaitLine waits until a worker says that it adds, for a while.
func awaitLine(w *clustertest.Worker) {
	for len(w.Lines) > 0 { // what it printed before says nothing about now
		<-w.Lines
	}
	select {
	case <-w.Lines:
	case <-time.After(testTTL):
	}
}

// registerMoves reports whether a process adds to the register: then one that is stopped does not
// hold its lock.
func (s *soak) registerMoves() bool {
	var revisions [2]int64
	for i := range revisions {
		resp, err := s.etcd.Get(background, clustertest.RegisterKey(s.prefix))
		if err == nil && len(resp.Kvs) > 0 {
			revisions[i] = resp.Kvs[0].ModRevision
		}
		if i == 0 {
			time.Sleep(50 * time.Millisecond)
		}
	}
	return revisions[0] != revisions[1]
}

// end lets a process shut down.
func (s *soak) end(w *clustertest.Worker) {
	if err := w.End(); err != nil {
		text, _ := os.ReadFile(w.Trace + ".log")
		s.Errorf("%s: %v\n%s", w.Name, err, text[max(0, len(text)-3000):])
		s.count(&s.trouble)
		return
	}
	s.count(&s.ended)
}

// killAll kills what still runs after a failure.
func (s *soak) killAll() {
	if s.Failed() {
		for _, w := range append(s.adders, s.lockers...) {
			w.Kill()
		}
	}
}

// An access is what an operation on the register is to do. One that is open was under way when its
// process was killed: it may have added, or not.
type access struct{ readOnly, open bool }

var registerModel = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{0} },
	Step: func(state, input, before any) []any {
		sum, a := state.(int), input.(access)
		switch {
		case a.open:
			return []any{sum, sum + 1}
		case sum != before:
			return nil
		case a.readOnly:
			return []any{sum}
		}
		return []any{sum + 1}
	},
}).ToModel()

// history returns what the processes did with the register, and how many accesses it refused.
func (s *soak) history() (ops []porcupine.Operation, late int) {
	for i, w := range s.adders {
		idle := make([]time.Duration, w.Clients) // since when a client has no operation
		for _, a := range additions(s.TB, w.Trace) {
			idle[a.Client] = a.To
			if a.Refused {
				late++
				continue
			}
			ops = append(ops, porcupine.Operation{ClientId: 2*i + a.Client, Input: access{readOnly: a.ReadOnly}, Output: a.Before,
				Call: int64(a.From), Return: int64(a.To)})
		}
		if !w.Killed() {
			continue
		}
		at := w.Pauses[len(w.Pauses)-1].From
		for client, from := range idle {
			ops = append(ops, porcupine.Operation{ClientId: 2*i + client, Input: access{open: true},
				Call: int64(from), Return: int64(at + time.Second)}) // etcd may apply it a little later
		}
	}
	return ops, late
}
