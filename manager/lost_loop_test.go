package manager

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/treelock/treelock"
)

var errRecalled = errors.New("recalled")

// revokes lets a revocation of the request that g names arrive, and returns the error of its reply.
func revokes(l *loop[path], g grant[path]) error {
	c := l.m.emptyCall()
	c.err = lostErr(errRecalled)
	l.dispatch(message[path]{kind: kindRevoke, call: c, ref: refTo(g.req), seq: g.seq})
	if <-c.replies == verdictRefused {
		return c.err
	}
	return nil
}

// TestRevocationMeetsOtherEnds has a revocation beside a grant, a cancellation, a withdrawal, a
// release or another revocation of the same request, in both orders.
func TestRevocationMeetsOtherEnds(t *testing.T) {
	for _, mode := range []callMode{modeWait, modeTicket} {
		for _, granted := range []bool{false, true} { // when the first message arrives
			for _, other := range []string{"withdrawal", "release of the holder", "revocation"} {
				for _, first := range []bool{false, true} { // the revocation comes first
					what := fmt.Sprintf("mode %d, granted %t, %s, revoked first %t", mode, granted, other, first)
					l := startLoop(t)
					holder := takeGrant(t, arrives(t, l, treelock.Write("/a"), modeWait))
					c := arrives(t, l, treelock.Write("/a"), mode)
					g := grant[path]{req: c.grant.req, seq: 2}
					if mode == modeTicket {
						g.req = c.ticket.req
					} else if v := <-c.replies; v != verdictMustWait {
						t.Fatalf("%s: the reply is %d, want verdictMustWait", what, v)
					}
					if granted {
						releases(l, holder.req, holder.seq)
					}
					steps := []func(){
						func() { _ = revokes(l, g) },
						func() {
							switch other {
							case "withdrawal":
								withdraws(l, c, mode)
							case "revocation":
								_ = revokes(l, g)
							default:
								releases(l, holder.req, holder.seq)
							}
						},
					}
					if !first {
						steps[0], steps[1] = steps[1], steps[0]
					}
					for _, step := range steps {
						step()
						l.auditAll()
					}
					releases(l, holder.req, holder.seq)
					if l.live != 0 || l.waiting != 0 || l.table.Live() != 0 {
						t.Errorf("%s: %d live, %d waiting, want none", what, l.live, l.waiting)
					}
					checkOutcome(t, what, l, c, mode, other == "withdrawal", granted || other == "release of the holder" && !first)
				}
			}
		}
	}
}

// checkOutcome checks what the client of c is told after a revocation. It may have been granted
// before.
func checkOutcome(t *testing.T, what string, l *loop[path], c *call[path], mode callMode, withdrawn, granted bool) {
	t.Helper()
	if mode == modeTicket {
		g, ok := <-c.ticket.granted
		err := c.ticket.endErr()
		switch {
		case withdrawn && (ok || err == nil):
			t.Errorf("%s: a withdrawn ticket delivers %v, and its error is %v", what, g, err)
		case !withdrawn && ok != granted:
			t.Errorf("%s: the ticket delivers a grant: %t, want %t", what, ok, granted)
		case !withdrawn && !ok && !errors.Is(err, errRecalled):
			t.Errorf("%s: the ticket says %v, want the cause", what, err)
		}
		if !ok && l.revoked.order.Len() > 0 {
			t.Errorf("%s: the revocation of a grant that was not delivered is remembered", what)
		}
		return
	}
	want := []verdict{verdictRefused}
	if granted {
		want[0] = verdictDone
	}
	if withdrawn && len(c.replies) == 1 {
		want[0] = verdictCanceled // it was canceled while it waited, and then there was nothing to revoke
	} else if withdrawn {
		want = append(want, verdictCanceled)
	}
	for _, want := range want {
		if v := <-c.replies; v != want {
			t.Errorf("%s: the reply is %d, %v, want %d", what, v, c.err, want)
		}
	}
	if withdrawn && l.revoked.order.Len() > 0 {
		t.Errorf("%s: the revocation of a grant that was not delivered is remembered", what)
	}
	if len(c.replies) > 0 {
		t.Errorf("%s: there are %d more replies", what, len(c.replies))
	}
}

func TestRevocationThatComesTooLateEndsNoOtherRequest(t *testing.T) {
	l := startLoop(t)
	old := takeGrant(t, arrives(t, l, treelock.Write("/a"), modeWait))
	releases(l, old.req, old.seq)
	next := takeGrant(t, arrives(t, l, treelock.Write("/a"), modeWait))
	if next.req != old.req {
		t.Fatal("the storage of a released request was not used again, so the test checks nothing")
	}
	if err := revokes(l, old); !errors.Is(err, treelock.ErrNotHeld) {
		t.Errorf("the revocation of a released grant: %v, want ErrNotHeld", err)
	}
	if !next.req.Granted() {
		t.Error("the revocation of a released grant ended another one")
	}
}

// TestRequestsInsideAreNotGrantedByTheRevocation has requests of all kinds wait for one another
// inside a grant.
func TestRequestsInsideAreNotGrantedByTheRevocation(t *testing.T) {
	l := startLoop(t)
	g := takeGrant(t, arrives(t, l, treelock.Write("/a"), modeWait))
	var calls []*call[path]
	for i := range 20 {
		req := treelock.Read(path(fmt.Sprint("/a/", i%3)))
		if i%4 == 0 {
			req = treelock.Write("/a")
		}
		calls = append(calls, arrivesInside(t, l, g, req))
	}
	sub := takeGrant(t, calls[0])
	calls = append(calls, arrivesInside(t, l, sub, treelock.Write("/a")), arrivesInside(t, l, sub, treelock.Read("/a")))
	if err := revokes(l, g); err != nil {
		t.Fatal(err)
	}
	l.auditAll()
	for i, c := range calls[1:] {
		v := <-c.replies
		if v == verdictMustWait {
			v = <-c.replies
		}
		if granted := i == 19; granted != (v == verdictDone) || !granted && !errors.Is(c.err, errRecalled) {
			t.Errorf("request %d inside is told %d, %v", i, v, c.err)
		}
	}
	if l.live != 0 || l.inner != nil || l.stats.Granted != 3 {
		t.Errorf("%d live, %d granted in total, want 0 and 3", l.live, l.stats.Granted)
	}
}

func TestLatestRevocationsAreRemembered(t *testing.T) {
	l := startLoop(t)
	var grants []grant[path]
	for i := range maxRevocations + 2 {
		g := takeGrant(t, arrives(t, l, treelock.Read("/a"), modeWait))
		grants = append(grants, g)
		if err := revokes(l, g); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			releases(l, grants[0].req, grants[0].seq)
		}
	}
	for i, want := range map[int]error{
		0: treelock.ErrReleased, 1: treelock.ErrReleased, 2: errRecalled, maxRevocations + 1: errRecalled,
	} {
		if err := l.overErr(grants[i].req, grants[i].seq); !errors.Is(err, want) {
			t.Errorf("grant %d of %d is over because of %v, want %v", i, len(grants), err, want)
		}
	}
	if n := l.revoked.order.Len(); n != maxRevocations || len(l.revoked.byNumber) != n {
		t.Errorf("%d revocations are remembered, %d by number, want %d", n, len(l.revoked.byNumber), maxRevocations)
	}
	for _, g := range grants {
		releases(l, g.req, g.seq)
	}
	if n := l.revoked.order.Len() + len(l.revoked.byNumber); n != 0 {
		t.Errorf("%d revocations are remembered after the release of all", n)
	}
}

// TestReleasedGrantsKeepNoSignals asks for the signals of many grants, and gives some.
func TestReleasedGrantsKeepNoSignals(t *testing.T) {
	l := startLoop(t)
	var watched []weak.Pointer[extra[path]]
	for round := range 3 {
		var grants []grant[path]
		for i := range 3 * maxKeptAsked {
			g := takeGrant(t, arrives(t, l, treelock.Read(path(fmt.Sprint("/a/", i%8))), modeWait))
			l.ask(g.req, lostSignal)
			l.ask(g.req, wantedSignal)
			grants = append(grants, g)
		}
		watched = append(watched, weak.Make(grants[round].req.Who.extra))
		sub := takeGrant(t, arrivesInside(t, l, grants[0], treelock.Read("/a/0")))
		waiter := arrives(t, l, treelock.Write("/a/1"), modeTicket)
		l.auditAll()
		for i, g := range grants {
			if i%2 == round%2 {
				_ = revokes(l, g)
			}
			releases(l, g.req, g.seq)
		}
		releases(l, sub.req, sub.seq)
		withdraws(l, waiter, modeTicket)
		l.auditAll()
		for kind, asked := range l.asked {
			if len(asked) > 0 || cap(asked) > 5*maxKeptAsked {
				t.Errorf("signal %d: %d grants are listed, with room for %d, after the release of all", kind, len(asked), cap(asked))
			}
		}
	}
	liveHeap()
	for i, extra := range watched {
		if extra.Value() != nil {
			t.Errorf("the extra of a released grant of round %d is in memory", i)
		}
	}
}

// A bomb is an error whose methods panic on any goroutine but that of the test.
type bomb struct{ armed chan struct{} }

func (b bomb) step() {
	if !isClosed(b.armed) {
		panic("a method of a cause is called by the library")
	}
}
func (b bomb) Error() string   { b.step(); return "bomb" }
func (b bomb) Unwrap() error   { b.step(); return errRecalled }
func (b bomb) Is(error) bool   { b.step(); return false }
func (b bomb) As(any) bool     { b.step(); return false }
func (b bomb) String() string  { b.step(); return "bomb" }
func (b bomb) Timeout() bool   { b.step(); return false }
func (b bomb) Temporary() bool { b.step(); return false }

func TestMethodsOfCausesRunForTheirReadersOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := Start(ctx)
		cause := bomb{make(chan struct{})}
		g, _ := m.Acquire(ctx, treelock.Write("/a"))
		sub, _ := g.Acquire(ctx, treelock.Write("/a"))
		ticket, _ := m.Submit(ctx, treelock.Write("/a"))
		waits := make(chan error, 1)
		go func() {
			_, err := g.Acquire(ctx, treelock.Read("/a"))
			waits <- err
		}()
		lost := sub.Lost()
		synctest.Wait()
		for _, number := range []uint64{ticketNumber(ticket), g.Number()} {
			if err := m.Revoke(ctx, number, cause); err != nil {
				t.Fatal(err)
			}
		}
		<-lost
		_, inside := g.Acquire(ctx, treelock.Read("/a"))
		errs := []error{g.Err(), sub.Err(), ticket.Err(), <-waits, inside}
		close(cause.armed)
		for i, err := range errs {
			if !errors.Is(err, treelock.ErrLost) || !errors.Is(err, errRecalled) || err.Error() == "" {
				t.Errorf("error %d is %v, want ErrLost and what the cause wraps", i, err)
			}
		}
	})
}

// ticketNumber reads the number of a ticket, while the manager is idle.
func ticketNumber(t *Ticket[path]) uint64 { return t.seq }

// TestRevokeUnderAContextThatEnded revokes nothing, at any stage of the search.
func TestRevokeUnderAContextThatEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := Start(t.Context())
		g, _ := m.Acquire(t.Context(), treelock.Write("/a"))
		why := errors.New("why")
		for _, stage := range []string{"before", "behind a survey"} {
			ctx, cancel := context.WithCancelCause(t.Context())
			if stage == "before" {
				cancel(why)
			} else {
				m.snapshotSem <- struct{}{}
			}
			told := make(chan error, 1)
			go func() { told <- m.Revoke(ctx, g.Number(), nil) }()
			synctest.Wait()
			cancel(why)
			if err := <-told; !errors.Is(err, treelock.ErrGaveUp) || !errors.Is(err, why) || err.Error() != "treelock: revoke #1: context canceled: why" {
				t.Errorf("%s: Revoke() = %v, want ErrGaveUp and the cause", stage, err)
			}
			if err := g.Err(); err != nil {
				t.Errorf("%s: Err() = %v, want nil", stage, err)
			}
		}
		<-m.snapshotSem
		g.Release()
	})
}

// TestRevokeFindsRequestsWhereverTheyAre has more requests than a step visits, and changes between
// the steps.
func TestRevokeFindsRequestsWhereverTheyAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := Start(ctx)
		g, _ := m.Acquire(ctx, treelock.Write("/a"))
		var grants []treelock.Grant[path]
		for i := range 3 * stepWork {
			locker := []treelock.Locker[path]{m, g}[i%2]
			other, err := locker.TryAcquire(ctx, treelock.Write(path(fmt.Sprintf("/%c/%d", "ba"[i%2], i))))
			if err != nil {
				t.Fatal(err)
			}
			grants = append(grants, other)
		}
		for i := 0; i < len(grants); i += 3 {
			go grants[len(grants)-1-i].Release()
			go m.TryAcquire(ctx, treelock.Write(path(fmt.Sprint("/c/", i))))
			if err := m.Revoke(ctx, grants[i].Number(), errRecalled); err != nil && grants[i].Err() == nil {
				t.Fatalf("Revoke() of %v = %v, and it is held", grants[i], err)
			}
			if err := grants[i].Err(); err == nil {
				t.Errorf("%v is held after it was revoked", grants[i])
			}
		}
		synctest.Wait()
	})
}
