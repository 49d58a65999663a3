package manager

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
)

// TestCanceledGrantHasNoBlockers ends the context while the grant is on its way.
func TestCanceledGrantHasNoBlockers(t *testing.T) {
	l := startLoop(t)
	c := arrives(t, l, treelock.Write("/a"), modeWait)
	l.dispatch(message[path]{kind: kindCancel, call: c})
	for <-c.replies != verdictCanceled {
	}
	if c.err != nil {
		t.Errorf("a canceled grant has the error %v, want nil", c.err)
	}
}

// TestFewCancellationsAreInTheInbox cancels many calls at once, so that other messages do not wait
// for all of them.
func TestFewCancellationsAreInTheInbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients = 5 * maxCancels
		stopping, stop := context.WithCancel(context.Background())
		m := newManager[path](stopping, nil)
		l := newLoop(m)
		takeGrant(t, arrives(t, &l, treelock.Write("/a"), modeWait))
		ctx, cancel := context.WithCancel(t.Context())
		for range clients {
			go m.Acquire(ctx, treelock.Write("/a"))
		}
		synctest.Wait()
		for len(m.inbox) > 0 {
			l.dispatch(<-m.inbox)
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		if got := len(m.inbox); got != maxCancels {
			t.Errorf("%d of %d cancellations are in the inbox, want %d", got, clients, maxCancels)
		}
		stop()
		go m.run()
		<-m.Done()
	})
}

// TestGrantThatMeetsTheEndOfItsContextIsNotTaken decides the race that
// TestNoGrantUnderAContextThatHadEnded hopes for.
func TestGrantThatMeetsTheEndOfItsContextIsNotTaken(t *testing.T) {
	l := startLoop(t)
	holder := takeGrant(t, arrives(t, l, treelock.Write("/a"), modeWait))
	ended := make(chan struct{})
	c := arrives(t, l, treelock.Write("/a"), modeWait)
	if v := <-c.replies; v != verdictMustWait {
		t.Fatalf("the first reply is %d, want verdictMustWait", v)
	}
	close(ended)
	releases(l, holder.req, holder.seq)
	for len(c.replies) > 0 { // until it has received the grant: the select takes either
		if l.m.awaitLastReply(c, ended) {
			t.Fatal("the client takes a grant under a context that has ended")
		}
	}
}

// TestClientBehindABacklogLeavesRoomForTheLastReply cancels a client before it has received any
// reply. The manager never waits for a client.
func TestClientBehindABacklogLeavesRoomForTheLastReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopping, stop := context.WithCancel(t.Context())
		m := newManager[path](stopping, []Option{WithClients(backlog)})
		l := newLoop(m)
		for range cap(m.cancelSem) {
			m.cancelSem <- struct{}{} // so a canceled client is parked before it sends
		}
		for range backlog {
			m.inbox <- message[path]{kind: kindRelease}
		}
		ctx, cancel := context.WithCancel(t.Context())
		go m.Acquire(ctx, treelock.Write("/a"))
		synctest.Wait()
		cancel()
		synctest.Wait()
		holder := takeGrant(t, arrives(t, &l, treelock.Write("/a"), modeWait))
		for range backlog {
			<-m.inbox
		}
		msg := <-m.inbox
		l.dispatch(msg)
		releases(&l, holder.req, holder.seq)
		if len(msg.call.replies) == cap(msg.call.replies) {
			t.Error("no room for the reply to a canceled client")
		}
		stop()
		close(m.done)
		synctest.Wait()
	})
}

func TestCancellationOfARefusedCallDoesNothing(t *testing.T) {
	l := startLoop(t, WithMaxWaiting(0))
	holder := arrives(t, l, treelock.Write("/a"), modeWait)
	busy := arrives(t, l, treelock.Write("/a"), modeWait)
	withdraws(l, busy, modeWait)
	if first, second := <-busy.replies, <-busy.replies; first != verdictRefused || second != verdictCanceled {
		t.Errorf("the replies are %d and %d, want verdictRefused and verdictCanceled", first, second)
	}
	if !holder.grant.req.Granted() || l.table.Live() != 1 {
		t.Error("the withdrawal of a refused call changed something")
	}
}
