package manager

import (
	"errors"
	"testing"

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
		c.ticket = &Ticket[path]{m: l.m, granted: make(chan treelock.Grant[path], 1)}
	}
	l.dispatch(message[path]{kind: kindAcquire, call: c})
	if mode == modeTicket {
		if v := <-c.replies; v != verdictDone {
			t.Fatalf("the reply to the arrival is %d, %v, want verdictDone", v, c.err)
		}
	}
	return c
}

// arrivesInside lets a call for a request inside a grant arrive.
func arrivesInside(t *testing.T, l *loop[path], g grant[path], req treelock.Request[path]) *call[path] {
	t.Helper()
	c, err := l.m.newCall(&req, modeWait)
	if err != nil {
		t.Fatal(err)
	}
	c.grant.token = g.token
	l.dispatch(message[path]{kind: kindAcquire, call: c, ref: refTo(g.req), seq: g.seq})
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

// releases lets the release of a request arrive.
func releases[N treelock.Node[N]](l *loop[N], r *request[N], seq uint64) {
	l.dispatch(message[N]{kind: kindRelease, ref: refTo(r), seq: seq})
}

// takeGrant receives the grant of a call that was granted.
func takeGrant(t *testing.T, c *call[path]) grant[path] {
	t.Helper()
	if v := <-c.replies; v != verdictDone {
		t.Fatalf("the reply is %d, %v, want verdictDone", v, c.err)
	}
	return c.grant
}

func TestSecondReleaseDoesNotEndAnotherRequest(t *testing.T) {
	l := startLoop(t)
	old := takeGrant(t, arrives(t, l, treelock.Write("/a"), modeWait))
	l.dispatch(message[path]{kind: kindRelease, ref: refTo(old.req), seq: old.seq})
	next := takeGrant(t, arrives(t, l, treelock.Write("/a"), modeWait))
	if next.req != old.req {
		t.Fatal("the storage of a released request was not used again, so the test checks nothing")
	}
	l.dispatch(message[path]{kind: kindRelease, ref: refTo(old.req), seq: old.seq})
	if !next.req.Granted() {
		t.Error("the second release of an old grant ended another request")
	}
	narrowing, _ := l.m.newCall(&treelock.Request[path]{}, modeNoWait)
	l.dispatch(message[path]{kind: kindNarrow, call: narrowing, ref: refTo(old.req), seq: old.seq})
	if v := <-narrowing.replies; v != verdictRefused || !errors.Is(narrowing.err, treelock.ErrNotHeld) {
		t.Errorf("narrowing an old grant: %d, %v, want refused and ErrNotHeld", v, narrowing.err)
	}
}

// widens lets a widening of the grant g arrive.
func widens(t *testing.T, l *loop[path], g grant[path], req treelock.Request[path]) *call[path] {
	t.Helper()
	c, err := l.m.newCall(&req, modeWait)
	if err != nil {
		t.Fatal(err)
	}
	c.widens = true
	l.dispatch(message[path]{kind: kindWiden, call: c, ref: refTo(g.req), seq: g.seq})
	return c
}

func TestCancelledWideningThatWasGrantedStays(t *testing.T) {
	l := startLoop(t)
	g := takeGrant(t, arrives(t, l, treelock.Read("/a"), modeWait))
	other := takeGrant(t, arrives(t, l, treelock.Read("/a"), modeWait))
	c := widens(t, l, g, treelock.Write("/a"))
	if v := <-c.replies; v != verdictMustWait {
		t.Fatalf("the reply is %d, want verdictMustWait", v)
	}
	releases(l, other.req, other.seq)
	l.dispatch(message[path]{kind: kindCancel, call: c})
	if wide := takeGrant(t, c); wide.seq != g.seq || wide.token <= other.token || !g.req.Granted() {
		t.Errorf("the grant is %v, want that of %v with a token above that of %v", wide, g, other)
	}
	if v := <-c.replies; v != verdictCanceled || c.grant.token == 0 {
		t.Errorf("the last reply is %d with the grant %v, want verdictCanceled with a token", v, c.grant)
	}
	if v := arrives(t, l, treelock.Read("/a"), modeNoWait); <-v.replies != verdictRefused {
		t.Error("the grant does not hold what it was widened by")
	}
}

func TestWideningMustNotWaitBeyondTheLimit(t *testing.T) {
	l := startLoop(t, WithMaxWaiting(0))
	g := takeGrant(t, arrives(t, l, treelock.Read("/a"), modeWait))
	takeGrant(t, arrives(t, l, treelock.Read("/a"), modeWait))
	c := widens(t, l, g, treelock.Write("/a"))
	if v := <-c.replies; v != verdictRefused || !errors.Is(c.err, treelock.ErrBusy) {
		t.Errorf("the reply is %d, %v, want refused and ErrBusy", v, c.err)
	}
}

func TestWaitForATicketCountsInCircles(t *testing.T) {
	l := startLoop(t)
	a := takeGrant(t, arrives(t, l, treelock.Write("/a"), modeWait))
	b := takeGrant(t, arrives(t, l, treelock.Write("/b"), modeWait))
	ticket := arrives(t, l, treelock.Write("/a"), modeTicket).ticket
	waits := ticketUnder[path]{t: ticket, grants: []treelock.Hold{l.m.public(b).Hold()}}
	l.dispatch(message[path]{kind: kindInspect, call: &call[path]{inspector: &waits, replies: make(chan verdict, 1)}})
	if waits.err != nil {
		t.Fatalf("a wait that closes no circle is refused: %v", waits.err)
	}
	if c := widens(t, l, a, treelock.Write("/b")); <-c.replies != verdictRefused || !errors.Is(c.err, treelock.ErrDeadlock) {
		t.Errorf("a widening that waits for the holder of %v, who waits for it: %v, want ErrDeadlock", b, c.err)
	}
}
