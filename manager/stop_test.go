package manager

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
)

// late returns a message from a client that was about to send when the context ended. Its reply
// blocks until the test receives it, so the test knows the state of the inbox.
func late() message[path] {
	return message[path]{kind: kindAcquire, call: &call[path]{replies: make(chan verdict)}}
}

// TestSealMissesNoClientThatIsFaster has clients find room while the manager seals the inbox, at
// the worst moment.
func TestSealMissesNoClientThatIsFaster(t *testing.T) {
	for before := range 4 { // own messages that are behind the first client's
		for behind := range 4 { // clients that are waiting for room by then
			synctest.Test(t, func(t *testing.T) { sealAgainst(t, before, behind) })
		}
	}
}

// sealAgainst seals an inbox for 4 messages. First come `before` messages that need no reply, then
// that of a client. While that client gets its reply another one takes its room, and `behind` more
// wait for theirs.
func sealAgainst(t *testing.T, before, behind int) {
	ctx, stop := context.WithCancel(t.Context())
	m := newManager[path](ctx, []Option{WithClients(4 / messagesPerClient)})
	for range before {
		m.inbox <- message[path]{kind: kindRelease}
	}
	first := late()
	m.inbox <- first
	for len(m.inbox) < cap(m.inbox) {
		m.inbox <- message[path]{kind: kindRelease}
	}
	stop()
	over := make(chan struct{})
	go func() {
		m.seal(m.stoppedErr())
		close(over)
	}()
	synctest.Wait()
	faster := late()
	m.inbox <- faster // there is room, as the manager has taken first, and waits for its client
	others := make([]message[path], behind)
	for i := range others {
		others[i] = late()
		go func() { m.inbox <- others[i] }()
	}
	synctest.Wait()
	<-first.call.replies
	unanswered := append([]message[path]{faster}, others...)
	for len(unanswered) > 0 {
		synctest.Wait()
		answered := slices.IndexFunc(unanswered, func(msg message[path]) bool {
			select {
			case <-msg.call.replies:
				return true
			default:
				return false
			}
		})
		if answered < 0 {
			t.Errorf("%d before, %d behind: %d clients that found room get no reply", before, behind, len(unanswered))
			break
		}
		unanswered = slices.Delete(unanswered, answered, answered+1)
	}
	<-over
	for len(m.inbox) > 0 {
		if msg := <-m.inbox; msg.kind != kindSealed {
			t.Errorf("%d before, %d behind: a message of kind %d is left in the inbox", before, behind, msg.kind)
		}
	}
}

// TestNothingIsSentOnceTheManagerStops checks what seal needs to terminate.
func TestNothingIsSentOnceTheManagerStops(t *testing.T) {
	ctx, req := context.Background(), treelock.Write("/a")
	for name, verb := range map[string]func(m *Manager[path], g treelock.Grant[path], tick *Ticket[path]){
		"Acquire":    func(m *Manager[path], _ treelock.Grant[path], _ *Ticket[path]) { m.Acquire(ctx, req) },
		"TryAcquire": func(m *Manager[path], _ treelock.Grant[path], _ *Ticket[path]) { m.TryAcquire(ctx, req) },
		"Submit":     func(m *Manager[path], _ treelock.Grant[path], _ *Ticket[path]) { m.Submit(ctx, req) },
		"Release":    func(_ *Manager[path], g treelock.Grant[path], _ *Ticket[path]) { g.Release() },
		"Narrow":     func(_ *Manager[path], g treelock.Grant[path], _ *Ticket[path]) { g.Narrow(req) },
		"Withdraw":   func(_ *Manager[path], _ treelock.Grant[path], tick *Ticket[path]) { tick.Withdraw() },
		"Err":        func(_ *Manager[path], _ treelock.Grant[path], tick *Ticket[path]) { tick.Err() },
		"Drain":      func(m *Manager[path], _ treelock.Grant[path], _ *Ticket[path]) { m.Drain(ctx) },
		"Snapshot":   func(m *Manager[path], _ treelock.Grant[path], _ *Ticket[path]) { m.Snapshot(ctx, Query[path]{}) },
		"Shutdown":   func(m *Manager[path], _ treelock.Grant[path], _ *Ticket[path]) { m.Shutdown(ctx) },
		"Stats":      func(m *Manager[path], _ treelock.Grant[path], _ *Ticket[path]) { m.Stats() },
	} {
		synctest.Test(t, func(t *testing.T) {
			m := newManager[path](context.Background(), nil)
			l := newLoop(m)
			held := takeGrant(t, arrives(t, &l, treelock.Read("/b"), modeWait))
			waiting := arrives(t, &l, treelock.Write("/b"), modeTicket).ticket
			close(m.stopBegun)
			returned := make(chan struct{})
			go func() { verb(m, m.public(held), waiting); close(returned) }()
			synctest.Wait()
			if len(m.inbox) > 0 {
				t.Errorf("%s sends a message to a manager that stops", name)
			}
			if waits := name == "Withdraw" || name == "Err" || name == "Stats" || name == "Drain" || name == "Shutdown"; waits && isClosed(returned) {
				t.Errorf("%s returns before the manager has stopped", name)
			}
			close(m.done)
			<-returned
		})
	}
}

// TestFullInboxOfAManagerThatStops returns ErrStopped, and no error of the client's context, which
// has not ended.
func TestFullInboxOfAManagerThatStops(t *testing.T) {
	for name, verb := range map[string]func(m *Manager[path], ctx context.Context) error{
		"Acquire": func(m *Manager[path], ctx context.Context) error {
			_, err := m.Acquire(ctx, treelock.Read("/a"))
			return err
		},
		"TryAcquire": func(m *Manager[path], ctx context.Context) error {
			_, err := m.TryAcquire(ctx, treelock.Read("/a"))
			return err
		},
		"Submit": func(m *Manager[path], ctx context.Context) error {
			_, err := m.Submit(ctx, treelock.Read("/a"))
			return err
		},
		"Drain": func(m *Manager[path], ctx context.Context) error { return m.Drain(ctx) },
		"Snapshot": func(m *Manager[path], ctx context.Context) error {
			_, err := m.Snapshot(ctx, Query[path]{})
			return err
		},
		"Narrow": func(m *Manager[path], _ context.Context) error {
			return m.public(grant[path]{req: new(request[path]), seq: 1}).Narrow(treelock.Read("/a"))
		},
	} {
		for _, sealed := range []bool{false, true} { // before the client came
			synctest.Test(t, func(t *testing.T) {
				stopping, stop := context.WithCancelCause(context.Background())
				m := newManager[path](stopping, []Option{WithClients(1)})
				for m.trySend(nothing()) {
				}
				why, told := errors.New("why"), make(chan error, 1)
				go func() { told <- verb(m, t.Context()) }()
				synctest.Wait()
				stop(why)
				if sealed {
					close(m.done)
				} else {
					go m.run()
				}
				err := <-told
				if !errors.Is(err, treelock.ErrStopped) || !errors.Is(err, why) || strings.Contains(err.Error(), "context is done") {
					t.Errorf("%s() = %v, want ErrStopped and its cause alone", name, err)
				}
				<-m.Done()
			})
		}
	}
}

// TestStoppedManagerHasNothingInItsInbox checks the last statistics, with messages behind the stop.
func TestStoppedManagerHasNothingInItsInbox(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	m := newManager[path](ctx, nil)
	l := newLoop(m)
	for range 10 {
		m.inbox <- nothing()
	}
	cancel()
	l.stop(message[path]{kind: kindStop})
	close(m.done)
	if got := m.Stats().Inbox; got != 0 {
		t.Errorf("Stats().Inbox = %d after the stop, want 0", got)
	}
}

// TestStopRepliesToEveryClient has clients at every stage of sending when the manager stops: some
// messages are in the inbox, and other clients find it full and block. Afterwards the inbox is
// full.
func TestStopRepliesToEveryClient(t *testing.T) {
	const room, clients = 100, 500
	for name, stop := range map[string]func(m *Manager[path]){
		"run":        func(m *Manager[path]) { m.run() },
		"seal alone": func(m *Manager[path]) { m.seal(m.stoppedErr()); close(m.done) },
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, end := context.WithCancel(t.Context())
			m := newManager[path](ctx, []Option{WithClients(room / messagesPerClient)})
			errs := make(chan error, clients)
			for range clients {
				go func() {
					_, err := m.Acquire(t.Context(), treelock.Write("/a"))
					errs <- err
				}()
			}
			synctest.Wait()
			end()
			stop(m)
			for range clients {
				if err := <-errs; !errors.Is(err, treelock.ErrStopped) || !errors.Is(err, context.Canceled) {
					t.Fatalf("%s: Acquire() = %v, want ErrStopped and the cause", name, err)
				}
			}
			for i := range room {
				if len(m.inbox) != room-i {
					t.Fatalf("%s: the inbox has %d messages, want %d", name, len(m.inbox)+i, room)
				}
				if msg := <-m.inbox; msg.kind != kindSealed {
					t.Fatalf("%s: a message of kind %d is in the inbox, want kindSealed", name, msg.kind)
				}
			}
		})
	}
}
