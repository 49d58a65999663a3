package manager

import (
	"context"
	"testing"
	"testing/synctest"

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
