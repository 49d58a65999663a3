package manager

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

// TestNothingIsSentOnceTheContextHasEnded: that the manager can stop rests on it (see seal).
func TestNothingIsSentOnceTheContextHasEnded(t *testing.T) {
	ctx, req := context.Background(), treelock.Write("/a")
	for name, verb := range map[string]func(m *Manager[path], g Grant[path], tick *Ticket[path]){
		"Acquire":    func(m *Manager[path], _ Grant[path], _ *Ticket[path]) { m.Acquire(ctx, req) },
		"TryAcquire": func(m *Manager[path], _ Grant[path], _ *Ticket[path]) { m.TryAcquire(req) },
		"Submit":     func(m *Manager[path], _ Grant[path], _ *Ticket[path]) { m.Submit(ctx, req) },
		"Release":    func(_ *Manager[path], g Grant[path], _ *Ticket[path]) { g.Release() },
		"Narrow":     func(_ *Manager[path], g Grant[path], _ *Ticket[path]) { g.Narrow(req) },
		"Withdraw":   func(_ *Manager[path], _ Grant[path], tick *Ticket[path]) { tick.Withdraw() },
		"Err":        func(_ *Manager[path], _ Grant[path], tick *Ticket[path]) { tick.Err() },
		"Drain":      func(m *Manager[path], _ Grant[path], _ *Ticket[path]) { m.Drain(ctx) },
		"Snapshot":   func(m *Manager[path], _ Grant[path], _ *Ticket[path]) { m.Snapshot(ctx, Query[path]{}) },
		"Stats":      func(m *Manager[path], _ Grant[path], _ *Ticket[path]) { m.Stats() },
	} {
		synctest.Test(t, func(t *testing.T) {
			stopping, stop := context.WithCancel(context.Background())
			m := newManager[path](stopping, nil)
			l := newLoop(m)
			held := takeGrant(t, arrives(t, &l, treelock.Read("/b"), modeWait))
			waiting := arrives(t, &l, treelock.Write("/b"), modeTicket).ticket
			stop()
			returned := make(chan struct{})
			go func() { verb(m, held, waiting); close(returned) }()
			synctest.Wait()
			if len(m.inbox) > 0 {
				t.Errorf("%s sends a message to a manager that stops", name)
			}
			if waits := name == "Withdraw" || name == "Err" || name == "Stats" || name == "Drain"; waits && isClosed(returned) {
				t.Errorf("%s returns before the manager has stopped", name)
			}
			go m.run()
			<-returned
			<-m.Done()
		})
	}
}

// TestFullInboxOfAManagerThatStops: a client that finds no room is told that the manager has stopped,
// and nothing of its own context, which has not ended.
func TestFullInboxOfAManagerThatStops(t *testing.T) {
	for name, verb := range map[string]func(m *Manager[path], ctx context.Context) error{
		"Acquire": func(m *Manager[path], ctx context.Context) error {
			_, err := m.Acquire(ctx, treelock.Read("/a"))
			return err
		},
		"TryAcquire": func(m *Manager[path], _ context.Context) error {
			_, err := m.TryAcquire(treelock.Read("/a"))
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
		"Narrow": func(m *Manager[path], _ context.Context) error { return Grant[path]{m: m}.Narrow(treelock.Read("/a")) },
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

// TestDrainingBeginsWhenThereIsRoom: also if the context of Drain has ended meanwhile.
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
		if _, err := m.TryAcquire(treelock.Read("/a")); !errors.Is(err, treelock.ErrDraining) {
			t.Errorf("TryAcquire() = %v, want ErrDraining", err)
		}
	})
}

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

// TestStoppedManagerHasNothingInItsInbox: the last statistics say so, whatever came behind the stop.
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

// TestSurveyOfAClientThatFindsNoRoomIsOver: the message that ends it waits for room, and its client does not.
func TestSurveyOfAClientThatFindsNoRoomIsOver(t *testing.T) {
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

// TestTicketWhoseGrantWasNotReceivedKeepsItAfterTheStop: Err takes no grant.
func TestTicketWhoseGrantWasNotReceivedKeepsItAfterTheStop(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	m := Start(ctx)
	tick, err := m.Submit(t.Context(), treelock.Write("/a"))
	if err != nil {
		t.Fatal(err)
	}
	stop()
	<-m.Done()
	if err := tick.Err(); err != nil {
		t.Errorf("Err() = %v, want nil", err)
	}
	if g, ok := <-tick.Granted(); !ok || g.Number() != 1 {
		t.Errorf("Granted() has delivered %v, %t, want the grant", g, ok)
	}
}

// TestRoomForClientsHasADefault: zero and negative mean that.
func TestRoomForClientsHasADefault(t *testing.T) {
	for _, n := range []int{0, -1, defaultClients} {
		if got := cap(newManager[path](t.Context(), []Option{WithClients(n)}).inbox); got != messagesPerClient*defaultClients {
			t.Errorf("WithClients(%d) makes room for %d messages, want %d", n, got, messagesPerClient*defaultClients)
		}
	}
}

// TestSurveyShowsTheTimeOfItsFirstStep: ages are right, however long the other steps take.
func TestSurveyShowsTheTimeOfItsFirstStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLoop(t)
		fill(t, l, 2*stepWork)
		time.Sleep(time.Second)
		start := time.Now()
		s := begin(l, Query[path]{MinAge: time.Second})
		for !s.over {
			time.Sleep(time.Second)
			proceed(l, s)
		}
		shown, err := l.m.buildSnapshot(t.Context(), s)
		if err != nil || !shown.Taken.Equal(start) || len(shown.Holders) != 2*stepWork {
			t.Errorf("develop() = %d holders, taken at %v, %v, want %d, at %v", len(shown.Holders), shown.Taken, err, 2*stepWork, start)
		}
	})
}

// TestSurveyBelowANodeTakesMoreSteps: it looks up each node of each request.
func TestSurveyBelowANodeTakesMoreSteps(t *testing.T) {
	l := startLoop(t)
	for range 3 * stepWork {
		takeGrant(t, arrives(t, l, treelock.Read("/a/b/c/d"), modeWait))
	}
	lineage, err := l.m.wholeLineage("/x")
	if err != nil {
		t.Fatal(err)
	}
	steps := func(s *survey[path]) (n int) {
		for ; !s.over; n++ {
			proceed(l, s)
		}
		return n
	}
	all, below := steps(&survey[path]{}), steps(&survey[path]{reach: locktable.NewReach(lineage)})
	if below < 4*all {
		t.Errorf("a survey that looks up 5 nodes for each takes %d steps, one that looks up none %d", below, all)
	}
}

// TestSurveyWithALimitKeepsTheFirst: of requests that come by arrival.
func TestSurveyWithALimitKeepsTheFirst(t *testing.T) {
	l := startLoop(t)
	for range 10 {
		takeGrant(t, arrives(t, l, treelock.Read("/a"), modeWait))
	}
	requests := l.table.Requests()
	for _, backwards := range []bool{true, false} {
		if slices.Reverse(requests); backwards == (requests[0].Seq() == 1) {
			t.Fatal("the requests come in another order")
		}
		s := &survey[path]{limit: 3}
		for _, r := range requests {
			s.record(r, false)
		}
		for i, row := range s.holders.sorted() {
			if row.seq != uint64(i+1) {
				t.Errorf("backwards=%t: row %d is #%d, want #%d", backwards, i, row.seq, i+1)
			}
		}
	}
}

// TestLargeCallIsNotKept: its buffers would stay in use, by requests that need none of their size.
func TestLargeCallIsNotKept(t *testing.T) {
	l := startLoop(t)
	wide, deep := l.m.emptyCall(), l.m.emptyCall()
	wide.claims, deep.lineage = make([]locktable.Claim[path], maxKeptClaims+1), make([]path, maxKeptLineage+1)
	l.m.recycle(wide)
	l.m.recycle(deep)
	for range 2 {
		if c := l.m.emptyCall(); c == wide || c == deep {
			t.Errorf("a call with room for %d claims and %d nodes is kept", cap(c.claims), cap(c.lineage))
		}
	}
}

// TestEveryAnswerSaysWhetherToYield: also a refusal, or a client that is refused again and again would
// go on yielding to goroutines that compute.
func TestEveryAnswerSaysWhetherToYield(t *testing.T) {
	for _, pays := range []bool{true, false} {
		l := startLoop(t, WithMaxWaiting(0))
		if pays {
			l.yielder = *calmYielder(t)
		}
		call := func(want verdict) {
			t.Helper()
			req := treelock.Write("/a")
			c, err := l.m.newCall(&req, modeNoWait)
			if err != nil {
				t.Fatal(err)
			}
			c.yieldPays = !pays
			l.acquire(c)
			if v := <-c.replies; v != want || c.yieldPays != pays {
				t.Errorf("the answer is %d, and to yield: %t, want %d and %t", v, c.yieldPays, want, pays)
			}
		}
		call(verdictDone)
		call(verdictRefused)
		l.drain()
		call(verdictRefused)
	}
}
