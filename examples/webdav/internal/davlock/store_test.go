package davlock

import (
	"testing"
	"time"
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
