package davlock

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// What was read of the store before a later change of this server does not undo the change.
func TestStaleRecordsAreNotApplied(t *testing.T) {
	s := &state{map[string]*lock{}, map[Path]map[*lock]string{}, map[string]int{}, 0}
	old := []Record{{Spec: Spec{Root: "/a", Timeout: time.Minute}, Token: "urn:a", Revision: 3}}
	if !s.apply(old, 5) || len(s.covering("/a")) != 1 {
		t.Fatal("a record is not applied")
	}
	s.remove(s.locks["urn:a"])
	s.stored(7) // the revision of its deletion
	if s.apply(old, 6) || len(s.locks) != 0 {
		t.Error("a lock that was ended came back")
	}
	if !s.apply(nil, 7) {
		t.Error("what is current is not applied")
	}
}

// A record that is written again gives its lock a new time; one that goes away ends its lock.
func TestRecordsAreFollowed(t *testing.T) {
	s := &state{map[string]*lock{}, map[Path]map[*lock]string{}, map[string]int{}, 0}
	r := Record{Spec: Spec{Root: "/a", Timeout: time.Second, User: "ann"}, Token: "urn:a", Revision: 3}
	s.apply([]Record{r}, 5)
	l := s.locks["urn:a"]
	r.Timeout, r.Revision = time.Hour, 6
	s.apply([]Record{r}, 6)
	if left := time.Until(l.deadline); left < time.Minute || s.perUser["ann"] != 1 {
		t.Errorf("the lock has %v after a refresh", left)
	}
	s.apply(nil, 7)
	if len(s.locks) != 0 || len(s.perUser) != 0 || len(s.at) != 0 {
		t.Errorf("left: %v", s)
	}
}

// A failingStore fails to delete until it is mended.
type failingStore struct {
	mended  chan struct{} // closed then
	deleted chan string
}

func (s failingStore) Records(context.Context) ([]Record, int64, error) { return nil, 0, nil }
func (s failingStore) Replace(context.Context, Record) (int64, error)   { return 2, nil }
func (s failingStore) Changed() <-chan struct{}                         { return nil }
func (s failingStore) Add(context.Context, Record, treelock.Grant[Path]) (int64, error) {
	return 1, nil
}

func (s failingStore) Delete(_ context.Context, token string) (int64, error) {
	select {
	case <-s.mended:
		s.deleted <- token
		return 3, nil
	default:
		return 0, errors.New("no answer")
	}
}

// The record of a lock that has ended is deleted, whenever the store lets that be.
func TestRecordIsDeletedAtLast(t *testing.T) {
	for _, drop := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			store := failingStore{make(chan struct{}), make(chan string, 1)}
			m := manager.Start(t.Context())
			table := Start(t.Context(), m, Limits{}, store)
			l, err := table.Lock(t.Context(), Spec{Root: "/a", Timeout: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			if drop {
				table.Drop(t.Context(), "/a", true)
			} else {
				time.Sleep(time.Hour) // far past its end
			}
			if s, err := m.Snapshot(t.Context(), manager.Query[Path]{}); err != nil || len(s.Holders) != 0 {
				t.Errorf("the lock is still held: %v, %v", s.Holders, err)
			}
			close(store.mended)
			if got := <-store.deleted; got != l.Token {
				t.Errorf("deleted %s, want %s", got, l.Token)
			}
		})
	}
}
