package manager

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

// TestSurveyOfWideRequestsTakesMoreSteps checks that a step visits a bounded number of nodes.
func TestSurveyOfWideRequestsTakesMoreSteps(t *testing.T) {
	l := startLoop(t)
	for range 20 {
		takeGrant(t, arrives(t, l, wide(600), modeWait))
	}
	s := begin(l, Query[path]{})
	steps := 1
	for ; !s.over; steps++ {
		proceed(l, s)
	}
	if steps < 5 || steps > 10 {
		t.Errorf("20 requests at 600 nodes have taken %d steps, want one for each 2 to 4", steps)
	}
	if got := seen(t, l, s); len(got) != 20 {
		t.Errorf("%d requests were seen, want 20", len(got))
	}
}

// wide returns a request for so many nodes below /wide, which also reads /a.
func wide(claims int) treelock.Request[path] {
	nodes := make([]path, claims)
	for i := range nodes {
		nodes[i] = path(fmt.Sprintf("/wide/%d", i))
	}
	return treelock.Read("/a").ReadNode(nodes...)
}

// TestBlockersAreFoundAmongWideRequests checks that a search visits only the claims that matter.
func TestBlockersAreFoundAmongWideRequests(t *testing.T) {
	l := startLoop(t)
	for range 60 {
		takeGrant(t, arrives(t, l, wide(3000), modeWait))
	}
	c := arrives(t, l, treelock.Write("/a"), modeNoWait)
	<-c.replies
	blocked, ok := c.err.(*treelock.BlockedError[path])
	if !ok || len(blocked.Blockers) != 4 || blocked.AtLeast || blocked.More != 56 {
		t.Errorf("the error is %v, want one that names 4, and says that there are 56 more", c.err)
	}
}

// TestSurveyShowsTheTimeOfItsFirstStep takes ages from that, however long the other steps take.
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
			t.Errorf("buildSnapshot() = %d holders, taken at %v, %v, want %d, at %v", len(shown.Holders), shown.Taken, err, 2*stepWork, start)
		}
	})
}

// TestSurveyBelowANodeTakesMoreSteps looks up each node of each request.
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
	all, below := steps(&survey[path]{}), steps(&survey[path]{reach: locktable.NewRegion(lineage)})
	if below < 4*all {
		t.Errorf("a survey that looks up 5 nodes for each takes %d steps, one that looks up none %d", below, all)
	}
}
