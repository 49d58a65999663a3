package manager

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
)

// TestEveryVerbReturnsWhenItsContextEnds has a manager that never runs, and a full inbox.
func TestEveryVerbReturnsWhenItsContextEnds(t *testing.T) {
	req := treelock.Write("/a")
	for name, verb := range map[string]func(m *Manager[path], ctx context.Context) error{
		"Acquire": func(m *Manager[path], ctx context.Context) error { _, err := m.Acquire(ctx, req); return err },
		"Submit":  func(m *Manager[path], ctx context.Context) error { _, err := m.Submit(ctx, req); return err },
		"Check":   func(m *Manager[path], ctx context.Context) error { return m.Check(ctx, req) },
		"Drain":   func(m *Manager[path], ctx context.Context) error { return m.Drain(ctx) },
		"Snapshot": func(m *Manager[path], ctx context.Context) error {
			_, err := m.Snapshot(ctx, Query[path]{})
			return err
		},
		"Do": func(m *Manager[path], ctx context.Context) error {
			return m.Do(ctx, req, func(context.Context) error { panic("it was granted") })
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			stopping, stop := context.WithCancel(t.Context())
			m := newManager[path](stopping, []Option{WithClients(1)})
			for m.trySend(message[path]{kind: kindRelease}) {
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- verb(m, ctx) }()
			synctest.Wait()
			cancel()
			at := time.Now()
			if err := <-ended; !errors.Is(err, context.Canceled) || !errors.Is(err, treelock.ErrGaveUp) {
				t.Errorf("%s() = %v, want the error of its context, and ErrGaveUp", name, err)
			}
			// Drain asks for the names of the live requests.
			if after := time.Since(at); after > 0 && (name != "Drain" || after > namingTimeout) {
				t.Errorf("%s() has returned %v after its context ended", name, after)
			}
			stop()
			close(m.done) // for the message of Drain
		})
	}
}

// TestVerbThatIsInTheInboxReturnsWhenItsContextEnds has a manager that is busy. What the verb
// leaves in the inbox has no effect.
func TestVerbThatIsInTheInboxReturnsWhenItsContextEnds(t *testing.T) {
	for name, verb := range map[string]func(m *Manager[path], ctx context.Context) error{
		"Submit": func(m *Manager[path], ctx context.Context) error {
			ticket, err := m.Submit(ctx, treelock.Write("/a").Labeled("rename 1"))
			if ticket != nil {
				t.Errorf("Submit() = %v beside %v, want nil", ticket, err)
			}
			return err
		},
		"Check": func(m *Manager[path], ctx context.Context) error {
			return m.Check(ctx, treelock.Write("/a"))
		},
		"Snapshot": func(m *Manager[path], ctx context.Context) error {
			_, err := m.Snapshot(ctx, Query[path]{})
			return err
		},
	} {
		for _, room := range []int{0, 1} { // in the inbox, for what the verb leaves behind
			synctest.Test(t, func(t *testing.T) {
				m := newManager[path](t.Context(), []Option{WithClients(1)})
				l := newLoop(m)
				for range 2 * stepWork { // a snapshot takes more than one step
					takeGrant(t, arrives(t, &l, treelock.Read("/b"), modeWait))
				}
				for range cap(m.inbox) - 1 - room {
					m.trySend(nothing())
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				reason := errors.New("the user has left")
				ended := make(chan error, 1)
				go func() { ended <- verb(m, ctx) }()
				synctest.Wait()
				cancel(reason)
				synctest.Wait()
				select {
				case err := <-ended:
					if !errors.Is(err, context.Canceled) || !errors.Is(err, reason) {
						t.Errorf("%s() = %v, want the error of its context and %v", name, err, reason)
					}
				default:
					t.Fatalf("%s() has not returned when its context ended", name)
				}
				for len(m.inbox) > 0 {
					l.dispatch(<-m.inbox)
					synctest.Wait()
				}
				if live := l.table.Live(); live != 2*stepWork || l.table.Surveyed() {
					t.Errorf("%s(): %d requests are live, want %d; a survey goes on: %t", name, live, 2*stepWork, l.table.Surveyed())
				}
			})
		}
	}
}

// TestSurveyEndsWhenThereIsRoomForItsEnd has a full inbox when the client returns.
func TestSurveyEndsWhenThereIsRoomForItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLoop(t, WithClients(1))
		fill(t, l, 2*stepWork)
		ctx, cancel := context.WithCancel(t.Context())
		told := make(chan error, 1)
		go func() { _, err := l.m.Snapshot(ctx, Query[path]{}); told <- err }()
		first := <-l.m.inbox
		for l.m.trySend(nothing()) {
		}
		l.dispatch(first)
		synctest.Wait()
		cancel()
		if err := <-told; !errors.Is(err, context.Canceled) || !l.table.Surveyed() {
			t.Fatalf("Snapshot() = %v, and the survey is over: %t, want Canceled and false", err, !l.table.Surveyed())
		}
		for synctest.Wait(); len(l.m.inbox) > 0; synctest.Wait() {
			l.dispatch(<-l.m.inbox)
		}
		if l.table.Surveyed() {
			t.Error("the survey goes on after its client has left")
		}
	})
}

// TestDrainingBeginsWhenThereIsRoom ends the context of Drain before that.
func TestDrainingBeginsWhenThereIsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager[path](t.Context(), []Option{WithClients(1)})
		for m.trySend(nothing()) {
		}
		ctx, cancel := context.WithCancel(t.Context())
		told := make(chan error, 1)
		go func() { told <- m.Drain(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-told; !errors.Is(err, context.Canceled) {
			t.Errorf("Drain() = %v, want the error of its context", err)
		}
		go m.run()
		synctest.Wait()
		if _, err := m.TryAcquire(t.Context(), treelock.Read("/a")); !errors.Is(err, treelock.ErrDraining) {
			t.Errorf("TryAcquire() = %v, want ErrDraining", err)
		}
	})
}
