package manager

import (
	"testing"

	"github.com/treelock/treelock"
)

// suspends lets a suspension of /a begin, whose survey the test plays.
func suspends(t *testing.T, l *loop[path]) *suspension[path] {
	t.Helper()
	s, err := l.m.newSuspension("test", []path{"/a"})
	if err != nil {
		t.Fatal(err)
	}
	inspects(l, &suspensionStart[path]{suspension: s})
	return s
}

// inspects lets an inspector arrive.
func inspects(l *loop[path], i inspector[path]) {
	l.dispatch(message[path]{kind: kindInspect, call: &call[path]{inspector: i, replies: make(chan verdict, 1)}})
}

// TestSuspensionIsNotOverBeforeItsSurveyIs ends the requests that the survey has found, one by one,
// while it goes on.
func TestSuspensionIsNotOverBeforeItsSurveyIs(t *testing.T) {
	l := startLoop(t)
	first := takeGrant(t, arrives(t, l, treelock.Read("/a"), modeWait))
	second := takeGrant(t, arrives(t, l, treelock.Read("/a/b"), modeWait))
	s := suspends(t, l)
	s.add(first.req)
	releases(l, first.req, first.seq)
	if isClosed(s.over) {
		t.Fatal("the suspension is over, and its survey goes on")
	}
	s.add(second.req)
	inspects(l, &suspensionComplete[path]{suspension: s})
	if isClosed(s.over) {
		t.Fatal("the suspension is over, and a request is live there")
	}
	releases(l, second.req, second.seq)
	if !isClosed(s.over) {
		t.Error("the suspension is not over, and no request is live there")
	}
}

// TestSuspensionKnowsAWideningThatIsGrantedDuringItsSurvey has a grant outside of the subtree,
// which comes to reach it. The survey has found the widening in one case, and will not find it in
// the other.
func TestSuspensionKnowsAWideningThatIsGrantedDuringItsSurvey(t *testing.T) {
	for _, found := range []bool{true, false} {
		l := startLoop(t)
		reader := takeGrant(t, arrives(t, l, treelock.Read("/a"), modeWait))
		g := takeGrant(t, arrives(t, l, treelock.Read("/b"), modeWait))
		c := widens(t, l, g, treelock.Write("/a/x"))
		s := suspends(t, l)
		s.add(reader.req)
		if found {
			s.add(c.grant.req)
		}
		releases(l, reader.req, reader.seq) // grants the widening
		inspects(l, &suspensionComplete[path]{suspension: s})
		if isClosed(s.over) {
			t.Errorf("widening found=%t: the suspension is over, and the grant reaches it", found)
		}
		releases(l, g.req, g.seq)
		if !isClosed(s.over) {
			t.Errorf("widening found=%t: the suspension is not over, and the grant is", found)
		}
	}
}
