package manager

import (
	"context"
	"errors"
	"testing"

	"github.com/treelock/treelock"
)

// TestOldTicketWithdrawsNoOtherWaiter has the storage of an ended request used by one that waits.
func TestOldTicketWithdrawsNoOtherWaiter(t *testing.T) {
	l := startLoop(t)
	old := arrives(t, l, treelock.Write("/a"), modeTicket)
	hold := (<-old.ticket.Granted()).Hold()
	g := requestOf[path](hold.Ref)
	arrives(t, l, treelock.Write("/a/b"), modeWait)
	releases(l, g, hold.Number)
	next := arrives(t, l, treelock.Write("/a"), modeTicket)
	if next.ticket.req != g || !next.ticket.req.Waiting() {
		t.Fatal("the storage of a released request is not used for one that waits, so the test checks nothing")
	}
	withdraws(l, old, modeTicket)
	if l.table.Live() != 2 || next.ticket.endErr() != nil {
		t.Errorf("the withdrawal of an old ticket ended another request: %v", next.ticket.endErr())
	}
}

// TestErrTakesNoGrantOfAStoppedManager calls Err before and after the grant is received.
func TestErrTakesNoGrantOfAStoppedManager(t *testing.T) {
	for _, received := range []bool{false, true} {
		ctx, stop := context.WithCancel(t.Context())
		m := Start(ctx)
		tick, err := m.Submit(t.Context(), treelock.Write("/a"))
		if err != nil {
			t.Fatal(err)
		}
		if received {
			<-tick.Granted()
		}
		stop()
		<-m.Done()
		if err := tick.Err(); err != nil {
			t.Errorf("received=%t: Err() = %v, want nil", received, err)
		}
		if received {
			continue
		}
		if g, ok := <-tick.Granted(); !ok || g.Number() != 1 {
			t.Errorf("Granted() delivers %v, %t after Err(), want the grant", g, ok)
		}
	}
}

func TestGrantThatMeetsAWithdrawalEnds(t *testing.T) {
	for _, mode := range []callMode{modeWait, modeTicket} {
		l := startLoop(t)
		leaver := arrives(t, l, treelock.Write("/a"), mode) // the grant is on its way
		behind := arrives(t, l, treelock.Write("/a"), modeWait)
		if v := <-behind.replies; v != verdictMustWait {
			t.Errorf("mode %d: the next one gets %d, want verdictMustWait", mode, v)
		}
		withdraws(l, leaver, mode)
		if len(behind.replies) != 1 {
			t.Errorf("mode %d: the next one has %d replies, want its grant", mode, len(behind.replies))
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
	hold := (<-c.ticket.Granted()).Hold()
	g := requestOf[path](hold.Ref)
	withdraws(l, c, modeTicket)
	if !g.Granted() || c.ticket.endErr() != nil {
		t.Errorf("after a late withdrawal: held %t, error %v, want true and nil", g.Granted(), c.ticket.endErr())
	}
	l.dispatch(message[path]{kind: kindRelease, ref: hold.Ref, seq: hold.Number})
	next := takeGrant(t, arrives(t, l, treelock.Write("/a"), modeWait))
	withdraws(l, c, modeTicket) // whose storage serves next by now
	if next.req != g {
		t.Fatal("the storage of a released request was not used again, so the test checks nothing")
	}
	if !next.req.Granted() {
		t.Error("a withdrawal of an old ticket ended another request")
	}
}
