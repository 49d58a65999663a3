package cluster

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A guard that was sent when the session is lost is never answered. Its caller must not wait for
// it.
func TestGuardReturnsWhenTheSessionIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog("a")
		m := &Manager{keys: keys{"/locks"}, log: l}
		m.Manager = manager.Start(t.Context(), manager.WithJournal(l))
		<-l.started
		l.mirror.Do(func() { l.begin(1, time.Now().Add(time.Hour)) })
		grants := make(chan treelock.Grant[path])
		go func() {
			g, err := m.Acquire(context.Background(), treelock.Write("/a"))
			if err != nil {
				t.Error(err)
			}
			grants <- g
		}()
		sent := sentTransaction{transaction: <-l.commits}
		l.mirror.Do(func() {
			l.answered(sent.transaction, true, 1, 0)
			l.apply(1, sent.changes(1))
		})
		g := <-grants
		ended := make(chan error)
		go func() {
			_, err := m.Guard(context.Background(), g)
			ended <- err
		}()
		if guard := <-l.commits; len(guard.guards) != 1 {
			t.Fatalf("%d guards in the transaction, want 1", len(guard.guards))
		}
		l.mirror.Do(func() { l.lose(errExpired) })
		if err := <-ended; !errors.Is(err, treelock.ErrLost) || !errors.Is(err, errExpired) {
			t.Errorf("Guard = %v, want ErrLost with its cause", err)
		}
	})
}
