package manager

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
)

// TestGrantedRequestThatIsCancelledHasNoBlockers: its context ended while the grant was on its way.
func TestGrantedRequestThatIsCancelledHasNoBlockers(t *testing.T) {
	l := startLoop(t)
	c := arrives(t, l, treelock.Write("/a"), modeWait)
	l.dispatch(message[path]{kind: kindCancel, call: c})
	for <-c.replies != verdictCanceled {
	}
	if c.err != nil {
		t.Errorf("a request that was granted is told %v, want nothing", c.err)
	}
}

// TestFewCancellationsAreInTheInbox: others need not wait for a storm of them.
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

// TestGrantThatComesWithTheEndIsGivenBack decides the race that
// TestNoGrantUnderAContextThatHadEnded hopes for.
func TestGrantThatComesWithTheEndIsGivenBack(t *testing.T) {
	l := startLoop(t)
	holder := takeGrant(t, arrives(t, l, treelock.Write("/a"), modeWait))
	ended := make(chan struct{})
	c := arrives(t, l, treelock.Write("/a"), modeWait)
	if v := <-c.replies; v != verdictMustWait {
		t.Fatalf("the first answer is %d, want that it waits", v)
	}
	close(ended)
	l.release(holder.req, holder.seq)
	for len(c.replies) > 0 { // until it has received the grant: the select takes either
		if l.m.awaitLastReply(c, ended) {
			t.Fatal("the client takes a grant under a context that has ended")
		}
	}
}

// TestClientBehindABacklogLeavesRoomForTheLastAnswer: it may give up before it has received any,
// and the manager waits for no client.
func TestClientBehindABacklogLeavesRoomForTheLastAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopping, stop := context.WithCancel(t.Context())
		m := newManager[path](stopping, []Option{WithClients(backlog)})
		l := newLoop(m)
		for range cap(m.cancelSem) {
			m.cancelSem <- struct{}{} // so the client that gives up is parked before it says so
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
		l.acquire(msg.call)
		l.release(holder.req, holder.seq)
		if len(msg.call.replies) == cap(msg.call.replies) {
			t.Error("no room for the answer to a client that gives up")
		}
		stop()
		close(m.done)
		synctest.Wait()
	})
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
