package manager

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/journal"
	"github.com/treelock/treelock/internal/locktable"
)

// A fakeJournal gives requests their places when the test says so.
type fakeJournal struct {
	mirror   journal.Mirror[treelock.Path]
	proposed []*journal.Entry[treelock.Path] // without a place
	token    uint64
}

func (j *fakeJournal) Start(m journal.Mirror[treelock.Path]) { j.mirror = m }
func (j *fakeJournal) Tick()                                 {}
func (j *fakeJournal) Stop()                                 {}
func (j *fakeJournal) Flush()                                {}
func (j *fakeJournal) Trouble() error                        { return nil }

func (j *fakeJournal) Propose(claims []locktable.Claim[treelock.Path], label string) (*journal.Entry[treelock.Path], error) {
	e := &journal.Entry[treelock.Path]{Claims: claims, Label: label, Journal: false}
	j.proposed = append(j.proposed, e)
	return e, nil
}

func (j *fakeJournal) End(e *journal.Entry[treelock.Path], _ bool) bool {
	e.Journal = true
	return true
}

func (j *fakeJournal) Narrow(*journal.Entry[treelock.Path], []locktable.Claim[treelock.Path]) error {
	return nil
}

func (j *fakeJournal) Revoke(*journal.Entry[treelock.Path], error) {}

// place gives all requests their places. Those that have ended get none.
func (j *fakeJournal) place() {
	for _, e := range j.proposed {
		if j.token++; e.Journal == false {
			e.Token = j.token
			j.mirror.Arrive(e)
		}
	}
	j.proposed = nil
}

// startJournaled starts a manager with a journal. place gives all requests their places.
func startJournaled(t *testing.T) (m *Manager[treelock.Path], j *fakeJournal, place func()) {
	j = &fakeJournal{}
	m = Start(t.Context(), WithJournal(j))
	return m, j, func() {
		synctest.Wait()
		j.mirror.Do(j.place)
		synctest.Wait()
	}
}

func TestWithdrawnTicketWithAPlaceEndsNoOtherRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _, place := startJournaled(t)
		held := make(chan treelock.Grant[treelock.Path], 3)
		acquire := func(req treelock.Request[treelock.Path]) {
			g, err := m.Acquire(context.Background(), req)
			if err != nil {
				t.Error(err)
			}
			held <- g
		}
		go acquire(treelock.Write("/a"))
		place()
		first := <-held
		for range 100 { // calls are reused at random with the race detector
			tickets := make(chan *Ticket[treelock.Path], 1)
			go func() {
				ticket, err := m.Submit(context.Background(), treelock.Write("/a"))
				if err != nil {
					t.Error(err)
				}
				tickets <- ticket
				for _, path := range []treelock.Path{"/b", "/c", "/d"} {
					go acquire(treelock.Write(path))
				}
			}()
			place()
			(<-tickets).Withdraw() // the call of the ticket may be that of another request by now
			place()
			for range 3 {
				(<-held).Release()
			}
		}
		first.Release()
		go acquire(treelock.Write("/"))
		place()
		(<-held).Release()
	})
}

// The client reads expectWait after it has sent its call, and may be slower than the log.
func TestPlaceOfACallChangesNothingThatItsClientReads(t *testing.T) {
	j := &fakeJournal{}
	m := newManager[treelock.Path](t.Context(), []Option{WithJournal(j)})
	l := newLoop(m)
	j.Start(mirror[treelock.Path]{&l})
	for range 2 { // the second one waits at its place
		req := treelock.Write("/a")
		c, err := m.newCall(&req, modeWait)
		if err != nil {
			t.Fatal(err)
		}
		l.dispatch(message[treelock.Path]{kind: kindAcquire, call: c})
		if v := <-c.replies; v != verdictMustWait {
			t.Fatalf("reply %v before the place, want %v", v, verdictMustWait)
		}
		j.place()
		if c.expectWait {
			t.Error("a client that has not yet looked for its first reply takes it for the last one")
		}
		if len(c.replies) > 0 && <-c.replies != verdictDone {
			t.Error("a client was told twice to wait")
		}
	}
}

// foreignEntry returns an entry of another process for a request.
func foreignEntry(t *testing.T, m *Manager[treelock.Path], token uint64, req treelock.Request[treelock.Path]) *journal.Entry[treelock.Path] {
	t.Helper()
	c, err := m.newCall(&req, modeWait)
	if err != nil {
		t.Fatal(err)
	}
	return &journal.Entry[treelock.Path]{Claims: cloneClaims(c.claims), Process: "other", Token: token}
}

func TestRequestOfAnotherProcessIsAsOldAsTheLogSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, j, _ := startJournaled(t)
		time.Sleep(time.Minute)
		synctest.Wait()
		now := time.Now()
		for i, test := range []struct {
			earlier bool
			made    time.Time
			since   time.Time
			older   bool
		}{
			{false, now.Add(-time.Hour), now, false}, // it comes now, whatever the other clock says
			{true, now.Add(-time.Hour), now.Add(-time.Hour), false},
			{true, now.Add(time.Hour), now, false},
			{true, time.UnixMilli(1), time.UnixMilli(1), false},
			{true, time.Time{}, now, true},
		} {
			e := foreignEntry(t, m, uint64(i+1), treelock.Write("/a"))
			e.Earlier, e.Made = test.earlier, test.made
			j.mirror.Do(func() { j.mirror.Arrive(e) })
			s, err := m.Snapshot(t.Context(), Query[treelock.Path]{})
			if err != nil || len(s.Holders) != 1 {
				t.Fatalf("%+v, %v: want a holder", s, err)
			}
			if got := s.Holders[0]; !got.Since.Equal(test.since) || got.Older != test.older {
				t.Errorf("entry %d: since %v, older %t, want %v, %t", i, got.Since, got.Older, test.since, test.older)
			}
			j.mirror.Do(func() { j.mirror.Depart(e) })
		}
	})
}

// The errors tell no age that is not known, until a grant is seen.
func TestAgeIsKnownOnceARequestOfAnotherProcessIsGranted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, j, _ := startJournaled(t)
		synctest.Wait()
		first, second := foreignEntry(t, m, 1, treelock.Write("/a")), foreignEntry(t, m, 2, treelock.Write("/a"))
		first.Earlier, second.Earlier = true, true
		j.mirror.Do(func() { j.mirror.Arrive(first); j.mirror.Arrive(second) })
		wantAge := func(known bool) {
			t.Helper()
			var blocked *treelock.BlockedError[treelock.Path]
			err := m.Check(t.Context(), treelock.Read("/a"))
			if !errors.As(err, &blocked) || (blocked.Blockers[0].For >= 0) != known || strings.Contains(err.Error(), "holding for") != known {
				t.Errorf("%v: want a blocker whose age is known: %t", err, known)
			}
		}
		time.Sleep(time.Minute)
		wantAge(false)
		j.mirror.Do(func() { j.mirror.Depart(first) })
		time.Sleep(time.Minute)
		wantAge(true)
		s, err := m.Snapshot(t.Context(), Query[treelock.Path]{})
		if err != nil || len(s.Holders) != 1 || s.Holders[0].Older {
			t.Errorf("%+v, %v: want a holder that is not older than it was seen", s, err)
		}
	})
}

// The mirror forgets the requests of other processes when the log is lost. They live on.
func TestRevokeOfAnotherProcessFailsIfTheLogIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, j, _ := startJournaled(t)
		synctest.Wait()
		e := foreignEntry(t, m, 1, treelock.Write("/a"))
		j.mirror.Do(func() { j.mirror.Arrive(e) })
		revoked := make(chan error, 1)
		go func() { revoked <- m.Revoke(t.Context(), 1, nil) }()
		synctest.Wait()
		cause := errors.New("the lease has ended")
		j.mirror.Do(func() {
			j.mirror.LoseAll(cause)
			j.mirror.Depart(e)
		})
		if err := <-revoked; !errors.Is(err, treelock.ErrLost) || !errors.Is(err, cause) {
			t.Errorf("Revoke = %v, want ErrLost and its cause", err)
		}
	})
}
