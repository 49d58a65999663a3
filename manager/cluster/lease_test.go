package cluster

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestDeadlineLeavesAMargin(t *testing.T) {
	sent := time.Now()
	for ttl, want := range map[time.Duration]time.Duration{
		time.Second:      800 * time.Millisecond,
		2 * time.Second:  1800 * time.Millisecond,
		10 * time.Second: 9 * time.Second,
		time.Minute:      54 * time.Second,
	} {
		if got := deadlineOf(sent, ttl).Sub(sent); got != want {
			t.Errorf("deadlineOf(sent, %v) = sent + %v, want sent + %v", ttl, got, want)
		}
	}
}

func TestRenewalCountsOnlyIfTheReadConfirmsIt(t *testing.T) {
	const ttl = 10 * time.Second
	start := time.Now()
	good := renewal{sent: start.Add(time.Second), ttl: ttl, first: 5, known: 500, control: 5, sameTerm: true, revision: 500}
	for _, test := range []struct {
		name   string
		change func(s *session, r *renewal)
		again  bool  // it must be renewed at once
		counts bool  // the deadline moves
		lost   error // why the session is lost
	}{
		{name: "it counts", counts: true},
		{name: "a transaction was answered since", change: func(s *session, r *renewal) { s.applied = 7 }, counts: true},
		{name: "one that is under way was applied", change: func(s *session, r *renewal) { s.sent = true; r.control = 6 }, counts: true},
		{name: "the read finds an earlier number", change: func(s *session, r *renewal) { r.control = 4 }, lost: errRestored},
		{name: "the read finds a number that was never sent", change: func(s *session, r *renewal) { r.control = 6 }, lost: errRestored},
		{name: "the read finds one after that under way", change: func(s *session, r *renewal) { s.sent = true; r.control = 7 }, lost: errRestored},
		{name: "the read finds no control key", change: func(s *session, r *renewal) { r.control = -1 }, lost: errGone},
		{name: "no control key, and another term", change: func(s *session, r *renewal) { r.control, r.sameTerm = -1, false }, lost: errGone},
		{name: "the revision falls", change: func(s *session, r *renewal) { r.known = 501 }, lost: errRestored},
		{name: "the leader changed between the renewal and the read", change: func(s *session, r *renewal) { r.sameTerm = false }, again: true},
		{name: "the mirror is behind for less than a lease", change: func(s *session, r *renewal) {
			s.bound, s.boundSet = 499, r.sent.Add(-ttl)
		}, counts: true},
		{name: "the mirror is behind for more than a lease", change: func(s *session, r *renewal) {
			s.bound, s.boundSet = 499, r.sent.Add(-ttl-1)
		}},
		{name: "the mirror was behind, and is not any more", change: func(s *session, r *renewal) {
			s.bound, s.boundSet = 400, r.sent.Add(-time.Hour)
		}, counts: true},
		{name: "etcd grants less than before", change: func(s *session, r *renewal) { r.ttl = 2 * time.Second }, counts: true},
	} {
		w := newWorld([][]plan{nil}, budget{})
		l := w.processes[0].log
		s, r, before := l.session, good, start.Add(time.Hour)
		s.applied, s.boundSet, s.deadline, l.revision = 5, start, before, 400
		if test.change != nil {
			test.change(s, &r)
		}
		if again := !l.renewed(s, r); again != test.again {
			t.Errorf("%s: renewed at once: %t, want %t", test.name, again, test.again)
		}
		want := before
		if test.counts {
			want = deadlineOf(r.sent, r.ttl)
		}
		if lost := l.session == nil; lost != (test.lost != nil) || !lost && !s.deadline.Equal(want) {
			t.Errorf("%s: lost: %t, want %v; the deadline is %v, want %v", test.name, lost, test.lost, s.deadline, want)
		}
		if l.session == nil && !errors.Is(w.processes[0].cause, test.lost) {
			t.Errorf("%s: lost because of %v, want %v", test.name, w.processes[0].cause, test.lost)
		}
	}
}

func TestMirrorMustReachEachBound(t *testing.T) {
	w := newWorld([][]plan{nil}, budget{})
	l := w.processes[0].log
	s, start, ttl := l.session, time.Now(), 10*time.Second
	s.boundSet = start
	renew := func(after time.Duration, revision int64) bool {
		r := renewal{sent: start.Add(after), ttl: ttl, sameTerm: true, revision: revision}
		l.renewed(s, r)
		return s.deadline.Equal(deadlineOf(r.sent, ttl))
	}
	l.revision = 100
	if !renew(time.Second, 200) {
		t.Error("the first renewal does not count")
	}
	// The read of the first renewal is the bound, from when it was sent.
	if !renew(11*time.Second, 300) || renew(11*time.Second+1, 300) {
		t.Error("a mirror that does not reach the bound of 1 s counts for other than 10 s")
	}
	l.revision = 200
	if !renew(12*time.Second, 400) || !renew(22*time.Second, 500) || renew(22*time.Second+1, 500) {
		t.Error("a mirror that has reached the first bound has other than 10 s for the next one")
	}
}

func TestRenewalOfAnEarlierSessionChangesNothing(t *testing.T) {
	w := newWorld([][]plan{nil}, budget{})
	p := w.processes[0]
	old := p.log.session
	p.log.lose(errGone)
	p.begin()
	before := *p.log.session
	if !p.log.renewed(old, renewal{control: -1}) || p.log.session == nil || p.log.session.deadline != before.deadline {
		t.Error("it changes the next session")
	}
}

func TestSessionIsLostAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld([][]plan{{{claims: write("/a")}}}, budget{})
		p := w.processes[0]
		p.log.session.deadline = time.Now().Add(time.Second)
		w.run(func(step) bool { return len(w.items) == 0 || w.items[0].state < grantedState })
		time.Sleep(time.Second - 1)
		if p.log.Tick(); w.items[0].state != grantedState {
			t.Error("lost before the deadline")
		}
		time.Sleep(1 * time.Nanosecond)
		if p.log.Tick(); w.items[0].state != lostState || !errors.Is(p.cause, errExpired) {
			t.Errorf("not lost at the deadline: %v", p.cause)
		}
	})
}

// A step may take long, as a list of many requests does.
func TestNoGrantIsMadeAfterTheDeadlineInALongStep(t *testing.T) {
	w := newWorld([][]plan{{{claims: write("/a")}}}, budget{})
	p := w.processes[0]
	p.propose()
	p.settle()
	w.store.commit(p.conn, *p.current)
	p.log.session.deadline = time.Now()
	if p.deliver(0); w.items[0].state != lostState {
		t.Error("granted after the deadline")
	}
}
