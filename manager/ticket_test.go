package manager

import (
	"context"
	"testing"

	"github.com/treelock/treelock"
)

// The storage of a request that is over may serve one that waits: an old ticket must not withdraw that.
func TestOldTicketWithdrawsNoOtherWaiter(t *testing.T) {
	l := startLoop(t)
	old := arrives(t, l, treelock.Write("/a"), modeTicket)
	g := <-old.ticket.Granted()
	arrives(t, l, treelock.Write("/a/b"), modeWait)
	l.release(g.req, g.seq)
	next := arrives(t, l, treelock.Write("/a"), modeTicket)
	if next.ticket.req != g.req || !next.ticket.req.Waiting() {
		t.Fatal("the storage of a released request is not used for one that waits: the test tests nothing")
	}
	withdraws(l, old, modeTicket)
	if l.table.Live() != 2 || next.ticket.endErr() != nil {
		t.Errorf("the withdrawal of an old ticket ended another request: %v", next.ticket.endErr())
	}
}

func TestTicketWhoseGrantWasReceivedHasNoErrorAfterTheStop(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	m := Start(ctx)
	tick, err := m.Submit(t.Context(), treelock.Write("/a"))
	if err != nil {
		t.Fatal(err)
	}
	<-tick.Granted()
	stop()
	<-m.Done()
	if err := tick.Err(); err != nil {
		t.Errorf("Err() = %v, want nil", err)
	}
}
