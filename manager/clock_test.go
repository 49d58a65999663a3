package manager

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
)

// TestManagerThatIsNeverIdleReadsTheClock fills the inbox before the manager starts, so the manager
// is never idle. A request that holds meanwhile holds for some time.
func TestManagerThatIsNeverIdleReadsTheClock(t *testing.T) {
	const between = 100_000
	ctx, stop := context.WithCancel(t.Context())
	m := newManager[path](ctx, []Option{WithClients(between)})
	req := treelock.Write("/a")
	c, err := m.newCall(&req, modeWait)
	if err != nil {
		t.Fatal(err)
	}
	m.inbox <- message[path]{kind: kindAcquire, call: c}
	for range between {
		m.inbox <- nothing()
	}
	m.inbox <- message[path]{kind: kindCancel, call: c}
	go m.run()
	for <-c.replies != verdictCanceled {
	}
	if held := m.Stats().HoldTime; held.Count() != 1 || held.Sum < 100 {
		t.Errorf("%d requests have held, for %d µs, want one, for far more than 100 µs", held.Count(), held.Sum)
	}
	stop()
	<-m.Done()
}

// TestStatsWaitForTheEnd calls Stats of a manager that is about to stop.
func TestStatsWaitForTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		m := newManager[path](ctx, nil)
		stop()
		told := make(chan Stats, 1)
		go func() { told <- m.Stats() }()
		synctest.Wait()
		if len(told) != 0 {
			t.Error("Stats() has returned before the manager has stopped")
		}
		go m.run()
		<-told
		<-m.Done()
	})
}

// TestSnapshotsWaitForTheirTurn has a snapshot wait for another one, until its context ends, the
// other one ends, or the manager stops.
func TestSnapshotsWaitForTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		m := Start(ctx)
		m.snapshotSem <- struct{}{} // of another client
		ending, cancel := context.WithCancel(t.Context())
		told := make(chan error, 2)
		go func() { _, err := m.Snapshot(ending, Query[path]{}); told <- err }()
		synctest.Wait()
		if len(told) != 0 {
			t.Fatal("Snapshot() has returned, want it to wait")
		}
		cancel()
		if err := <-told; !errors.Is(err, context.Canceled) {
			t.Errorf("Snapshot() = %v, want that the context has ended", err)
		}
		go func() { _, err := m.Snapshot(t.Context(), Query[path]{}); told <- err }()
		synctest.Wait()
		<-m.snapshotSem
		if err := <-told; err != nil || len(m.snapshotSem) != 0 {
			t.Errorf("Snapshot() = %v, with %d tokens left, want nil and none", err, len(m.snapshotSem))
		}
		m.snapshotSem <- struct{}{}
		go func() { _, err := m.Snapshot(t.Context(), Query[path]{}); told <- err }()
		synctest.Wait()
		stop()
		if err := <-told; !errors.Is(err, treelock.ErrStopped) {
			t.Errorf("Snapshot() = %v, want ErrStopped", err)
		}
	})
}
