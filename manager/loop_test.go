package manager

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
)

// These tests are the manager goroutine: they call the methods of its loop in just that order of
// messages in which a race can end, instead of hoping for it.

type path = treelock.Path

// startLoop returns the loop of a manager that has no other goroutine.
func startLoop(t *testing.T, opts ...Option) *loop[path] {
	m := newManager[path](t.Context(), opts)
	l := newLoop(m)
	return &l
}

// nothing returns a message that has no effect.
func nothing() message[path] {
	return message[path]{kind: kindInspect, call: &call[path]{inspector: &statsInspector[path]{}, replies: make(chan verdict, 1)}}
}

// arrives lets a call for req arrive.
func arrives(t *testing.T, l *loop[path], req treelock.Request[path], mode callMode) *call[path] {
	t.Helper()
	c, err := l.m.newCall(&req, mode)
	if err != nil {
		t.Fatal(err)
	}
	if mode == modeTicket {
		c.ticket = &Ticket[path]{m: l.m, granted: make(chan Grant[path], 1)}
	}
	l.dispatch(message[path]{kind: kindAcquire, call: c})
	if mode == modeTicket {
		if v := <-c.replies; v != verdictDone {
			t.Fatalf("the arrival was answered %d, %v, want accepted", v, c.err)
		}
	}
	return c
}

// withdraws lets a message arrive that ends c's request, as its client would send it.
func withdraws(l *loop[path], c *call[path], mode callMode) {
	if mode == modeWait {
		l.dispatch(message[path]{kind: kindCancel, call: c})
		return
	}
	about := l.m.emptyCall()
	about.ticket = c.ticket
	l.dispatch(message[path]{kind: kindWithdraw, call: about})
	<-about.replies
}

// takeGrant receives the grant of a call that was granted.
func takeGrant(t *testing.T, c *call[path]) Grant[path] {
	t.Helper()
	if v := <-c.replies; v != verdictDone {
		t.Fatalf("the call was answered %d, %v, want accepted", v, c.err)
	}
	return c.grant
}

func TestGrantThatMeetsAWithdrawalIsTakenBack(t *testing.T) {
	for _, mode := range []callMode{modeWait, modeTicket} {
		l := startLoop(t)
		leaver := arrives(t, l, treelock.Write("/a"), mode) // the grant is on its way
		behind := arrives(t, l, treelock.Write("/a"), modeWait)
		if v := <-behind.replies; v != verdictMustWait {
			t.Errorf("mode %d: the one behind is told %d, want that it waits", mode, v)
		}
		withdraws(l, leaver, mode)
		if len(behind.replies) != 1 {
			t.Errorf("mode %d: the one behind has %d answers, want its grant", mode, len(behind.replies))
		}
		if live := l.table.Live(); live != 1 {
			t.Errorf("mode %d: %d requests are live, want 1", mode, live)
		}
		if mode == modeTicket {
			if g, ok := <-leaver.ticket.Granted(); ok || !errors.Is(leaver.ticket.endErr(), treelock.ErrWithdrawn) {
				t.Errorf("Granted() delivered %v, %t, and the error is %v, want closed and ErrWithdrawn", g, ok, leaver.ticket.endErr())
			}
		}
	}
}

func TestGrantThatWasReceivedStaysWithItsReceiver(t *testing.T) {
	l := startLoop(t)
	c := arrives(t, l, treelock.Write("/a"), modeTicket)
	g := <-c.ticket.Granted()
	withdraws(l, c, modeTicket)
	if !g.req.Granted() || c.ticket.endErr() != nil {
		t.Errorf("after a late withdrawal: held %t, error %v, want true and nil", g.req.Granted(), c.ticket.endErr())
	}
	l.dispatch(message[path]{kind: kindRelease, req: g.req, seq: g.seq})
	next := takeGrant(t, arrives(t, l, treelock.Write("/a"), modeWait))
	withdraws(l, c, modeTicket) // whose storage serves next by now
	if next.req != g.req {
		t.Fatal("the storage of a released request was not used again: the test tests nothing")
	}
	if !next.req.Granted() {
		t.Error("a withdrawal of an old ticket ended another request")
	}
}

func TestSecondReleaseDoesNotEndAnotherRequest(t *testing.T) {
	l := startLoop(t)
	old := takeGrant(t, arrives(t, l, treelock.Write("/a"), modeWait))
	l.dispatch(message[path]{kind: kindRelease, req: old.req, seq: old.seq})
	next := takeGrant(t, arrives(t, l, treelock.Write("/a"), modeWait))
	if next.req != old.req {
		t.Fatal("the storage of a released request was not used again: the test tests nothing")
	}
	l.dispatch(message[path]{kind: kindRelease, req: old.req, seq: old.seq})
	if !next.req.Granted() {
		t.Error("the second release of an old grant ended another request")
	}
	narrowing, _ := l.m.newCall(&treelock.Request[path]{}, modeNoWait)
	l.dispatch(message[path]{kind: kindNarrow, call: narrowing, req: old.req, seq: old.seq})
	if v := <-narrowing.replies; v != verdictRefused || !errors.Is(narrowing.err, treelock.ErrNotHeld) {
		t.Errorf("narrowing an old grant: %d, %v, want refused and ErrNotHeld", v, narrowing.err)
	}
}

func TestWithdrawalOfARefusedCallDoesNothing(t *testing.T) {
	l := startLoop(t, WithMaxWaiting(0))
	holder := arrives(t, l, treelock.Write("/a"), modeWait)
	busy := arrives(t, l, treelock.Write("/a"), modeWait)
	withdraws(l, busy, modeWait)
	if first, second := <-busy.replies, <-busy.replies; first != verdictRefused || second != verdictCanceled {
		t.Errorf("the call was answered %d and %d, want refused and gone", first, second)
	}
	if !holder.grant.req.Granted() || l.table.Live() != 1 {
		t.Error("the withdrawal of a refused call changed something")
	}
}

// Only who asks to be told is told that it waits: there is no second answer for who is patient.
func TestPatientClientIsNotToldThatItWaits(t *testing.T) {
	for _, patient := range []bool{false, true} {
		l := startLoop(t)
		holder := takeGrant(t, arrives(t, l, treelock.Write("/a"), modeWait))
		req := treelock.Write("/a")
		c, _ := l.m.newCall(&req, modeWait)
		c.expectWait = patient
		l.dispatch(message[path]{kind: kindAcquire, call: c})
		l.release(holder.req, holder.seq)
		var got []verdict
		for len(c.replies) > 0 {
			got = append(got, <-c.replies)
		}
		want := []verdict{verdictMustWait, verdictDone}
		if patient {
			want = want[1:]
		}
		if !slices.Equal(got, want) || !c.waited {
			t.Errorf("patient=%t: the answers are %v, waited=%t, want %v and true", patient, got, c.waited, want)
		}
	}
}

// Clients are at every stage of sending when the manager stops: some are in the inbox, the others find it
// full and block.
func TestWhoeverGotIntoTheInboxIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stopNow := context.WithCancel(t.Context())
		const room = 100
		m := newManager[path](ctx, []Option{WithClients(room / messagesPerClient)})
		const clients = 5 * room
		errs := make(chan error, clients)
		for range clients {
			go func() {
				_, err := m.Acquire(t.Context(), treelock.Write("/a"))
				errs <- err
			}()
		}
		synctest.Wait()
		stopNow()
		go m.run()
		<-m.Done()
		for range clients {
			if err := <-errs; !errors.Is(err, treelock.ErrStopped) || !errors.Is(err, context.Canceled) {
				t.Fatalf("Acquire() = %v, want ErrStopped and the cause", err)
			}
		}
		for i := range room {
			if len(m.inbox) != room-i {
				t.Fatalf("the inbox has %d messages, want it full for ever", len(m.inbox)+i)
			}
			if msg := <-m.inbox; msg.kind != kindSealed {
				t.Fatalf("a message of kind %d is left in the inbox, want none but the manager's own", msg.kind)
			}
		}
	})
}

// Clients whose messages come in behind that of the end of the context are answered too.
func TestSealAnswersThoseWhoCameInMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stopNow := context.WithCancel(t.Context())
		const room = 100
		m := newManager[path](ctx, []Option{WithClients(room / messagesPerClient)})
		const clients = 3 * room
		errs := make(chan error, clients)
		for range clients {
			go func() {
				_, err := m.Acquire(t.Context(), treelock.Write("/a"))
				errs <- err
			}()
		}
		synctest.Wait() // all are in the inbox, or at its door
		stopNow()
		m.seal(m.stoppedErr())
		close(m.done)
		for range clients {
			if err := <-errs; !errors.Is(err, treelock.ErrStopped) {
				t.Fatalf("Acquire() = %v, want ErrStopped", err)
			}
		}
	})
}
