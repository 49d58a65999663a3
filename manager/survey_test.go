package manager

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

// These tests take a survey step by step, and let others runClient in between.

// begin does the first step of a survey.
func begin(l *loop[path], q Query[path]) *survey[path] {
	s := &survey[path]{minAge: q.MinAge, limit: q.Limit}
	proceed(l, s)
	return s
}

// proceed does one step of a survey.
func proceed(l *loop[path], s *survey[path]) {
	c := l.m.emptyCall()
	c.inspector = s
	l.dispatch(message[path]{kind: kindInspect, call: c})
	<-c.replies
}

// seen finishes a survey and returns the requests in it.
func seen(t *testing.T, l *loop[path], s *survey[path]) (all []string) {
	t.Helper()
	for !s.over {
		proceed(l, s)
	}
	if l.table.Surveyed() {
		t.Error("the survey goes on when it is over")
	}
	for _, row := range append(s.waiters.sorted(), s.holders.sorted()...) {
		all = append(all, fmt.Sprint(row.meta.labelOf(), " ", row.state))
	}
	return all
}

// fill adds n requests that hold. A survey visits them before all earlier requests.
func fill(t *testing.T, l *loop[path], n int) {
	for range n {
		takeGrant(t, arrives(t, l, treelock.Read("/fill"), modeWait))
	}
}

// TestSurveyShowsOneMoment changes everything after the first step: holders release or narrow,
// waiters are granted or canceled, and requests arrive in storage that is used again.
func TestSurveyShowsOneMoment(t *testing.T) {
	l := startLoop(t)
	call := func(label string, req treelock.Request[path]) *call[path] {
		return arrives(t, l, req.Labeled(label), modeWait)
	}
	fill(t, l, stepWork) // the first step comes to just these
	narrowed := takeGrant(t, call("narrows", treelock.Write("/n")))
	released := takeGrant(t, call("releases", treelock.Write("/a")))
	granted := call("is granted", treelock.Write("/a"))
	withdrawn := call("withdraws", treelock.Write("/a"))
	call("stays", treelock.Write("/a"))
	const others = 2 * stepWork
	fill(t, l, others)

	s := begin(l, Query[path]{})
	if s.over {
		t.Fatal("the survey was finished after one step, want it to be under way")
	}
	l.dispatch(message[path]{kind: kindCancel, call: withdrawn})
	l.dispatch(message[path]{kind: kindRelease, ref: refTo(released.req), seq: released.seq})
	if !granted.grant.req.Granted() {
		t.Fatal("the request behind was not granted")
	}
	narrowing := treelock.Read("/n/below")
	c, err := l.m.newCall(&narrowing, modeNoWait)
	if err != nil {
		t.Fatal(err)
	}
	l.dispatch(message[path]{kind: kindNarrow, call: c, ref: refTo(narrowed.req), seq: narrowed.seq})
	call("arrives late", treelock.Read("/n/below"))
	l.dispatch(message[path]{kind: kindRelease, ref: refTo(granted.grant.req), seq: granted.grant.seq})

	got := seen(t, l, s)
	want := []string{"is granted waiting", "withdraws waiting", "stays waiting"}
	want = append(want, slices.Repeat([]string{" holding"}, stepWork)...)
	want = append(want, "narrows holding", "releases holding")
	want = append(want, slices.Repeat([]string{" holding"}, others)...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, row := range s.holders.sorted() {
		if row.seq == narrowed.seq && row.uses[0].Node != "/n" {
			t.Errorf("the one that narrowed held %v, want what it held before", row.uses)
		}
	}
	if live := len(want); s.stats.Live != live || s.stats.Waiting != 3 || s.matches != live {
		t.Errorf("the survey counts %d live, %d waiting and %d in all, want %d, 3 and %d", s.stats.Live, s.stats.Waiting, s.matches, live, live)
	}
}

// TestSurveyFindsRequestsThatMove ends so many requests that their storage is freed and the rest
// move.
func TestSurveyFindsRequestsThatMove(t *testing.T) {
	l := startLoop(t)
	var grants []grant[path]
	for i := range 3000 {
		grants = append(grants, takeGrant(t, arrives(t, l, treelock.Read("/a").Labeled(fmt.Sprint(i)), modeWait)))
	}
	s := begin(l, Query[path]{})
	for i, g := range grants {
		if i%3 != 0 {
			l.dispatch(message[path]{kind: kindRelease, ref: refTo(g.req), seq: g.seq})
		}
		if i%100 == 0 && !s.over {
			proceed(l, s)
		}
	}
	got := seen(t, l, s)
	if len(got) != len(grants) {
		t.Fatalf("%d requests were seen, want %d", len(got), len(grants))
	}
	for i, name := range got {
		if want := fmt.Sprint(i, " holding"); name != want {
			t.Fatalf("request %d was seen as %s, want %s", i, name, want)
		}
	}
}

func TestAbandonedSurveyEnds(t *testing.T) {
	l := startLoop(t)
	fill(t, l, 2*stepWork)
	s := begin(l, Query[path]{})
	l.dispatch(message[path]{kind: kindInspect, call: &call[path]{inspector: surveyEnd[path]{s}, replies: make(chan verdict, 1)}})
	if l.table.Surveyed() {
		t.Error("the survey goes on when it is over")
	}
}

func TestSurveyFindsWhatReachesANode(t *testing.T) {
	l := startLoop(t)
	for _, req := range []treelock.Request[path]{
		treelock.Read("/"), treelock.ReadNode("/"), treelock.Read("/a"), treelock.ReadNode("/a"), treelock.Read("/a/b"),
		treelock.ReadNode("/a/b"), treelock.Read("/a/b/c"), treelock.Read("/a/bc"), treelock.Read("/x"), treelock.Read("/x").ReadNode("/a/b/c/d"),
	} {
		arrives(t, l, req.Labeled(req.String()), modeWait)
	}
	var lineages [][]path
	for _, node := range []path{"/a/b", "/y", "/a/b/c"} {
		lineage, err := l.m.wholeLineage(node)
		if err != nil {
			t.Fatal(err)
		}
		lineages = append(lineages, lineage)
	}
	s := &survey[path]{reach: locktable.NewRegion(lineages...)}
	want := []string{
		"read / holding", "read /a holding", "read /a/b holding", "read-node /a/b holding", "read /a/b/c holding",
		"read /x, read-node /a/b/c/d holding",
	}
	if diff := cmp.Diff(want, seen(t, l, s)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSurveyLeavesOutTheYoung(t *testing.T) {
	l := startLoop(t)
	arrives(t, l, treelock.Write("/a").Labeled("old"), modeWait)
	l.now += instant(time.Hour)
	arrives(t, l, treelock.Write("/a").Labeled("young"), modeWait)
	s := &survey[path]{minAge: time.Minute, began: l.now}
	s.records, s.at = l.table.BeginSurvey(s.record), l.root
	if diff := cmp.Diff([]string{"old holding"}, seen(t, l, s)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestSurveyFindsARequestThatMovesAtARefusal refuses a request of very many nodes, whose storage is
// dropped. The last request moves to a place that the survey has visited.
func TestSurveyFindsARequestThatMovesAtARefusal(t *testing.T) {
	l := startLoop(t)
	first := takeGrant(t, arrives(t, l, treelock.Read("/b"), modeWait))
	fill(t, l, 3*stepWork)
	arrives(t, l, treelock.Write("/a").Labeled("victim"), modeWait)
	l.dispatch(message[path]{kind: kindRelease, ref: refTo(first.req), seq: first.seq})
	s := begin(l, Query[path]{})
	nodes := make([]path, 2000)
	for i := range nodes {
		nodes[i] = path(fmt.Sprintf("/a/%d", i))
	}
	if c := arrives(t, l, treelock.Write(nodes...), modeNoWait); <-c.replies != verdictRefused {
		t.Fatal("the wide request was not refused")
	}
	if got := seen(t, l, s); len(got) != 3*stepWork+1 || got[len(got)-1] != "victim holding" {
		t.Errorf("%d requests were seen, the last is %s, want %d and the victim", len(got), got[len(got)-1], 3*stepWork+1)
	}
}

// TestLateEndOfASurveyEndsNoOther abandons a survey after the next one has begun.
func TestLateEndOfASurveyEndsNoOther(t *testing.T) {
	l := startLoop(t)
	fill(t, l, stepWork)
	last := takeGrant(t, arrives(t, l, treelock.Write("/a").Labeled("last"), modeWait))
	left := begin(l, Query[path]{})
	next := begin(l, Query[path]{})
	c := l.m.emptyCall()
	c.inspector = surveyEnd[path]{left}
	l.dispatch(message[path]{kind: kindInspect, call: c})
	l.dispatch(message[path]{kind: kindRelease, ref: refTo(last.req), seq: last.seq})
	if got := seen(t, l, next); !slices.Contains(got, "last holding") {
		t.Errorf("the second survey has %d requests, and not the one that was released under way", len(got))
	}
}

// TestOldWaiterIsNotExplainedByAnother has the storage of a waiter used by another one.
func TestOldWaiterIsNotExplainedByAnother(t *testing.T) {
	l := startLoop(t)
	takeGrant(t, arrives(t, l, treelock.Write("/a"), modeWait))
	old := arrives(t, l, treelock.Read("/a"), modeWait)
	seen := old.grant
	withdraws(l, old, modeWait)
	next := arrives(t, l, treelock.Read("/a"), modeWait)
	if next.grant.req != seen.req {
		t.Fatal("the storage is not used again, so the test checks nothing")
	}
	e := explainer[path]{req: seen.req, seq: seen.seq}
	e.inspect(l)
	if e.blocked != nil {
		t.Errorf("a request that has ended is explained: %v", e.blocked)
	}
}

// TestSurveyShowsRequestsInsideGrantsAtItsStart changes the scopes between the steps of a survey:
// scopes end before their visit and during it, and others are made. The survey shows the first
// moment.
func TestSurveyShowsRequestsInsideGrantsAtItsStart(t *testing.T) {
	for _, first := range []int{0, 1, 2} { // the scope that ends first
		l := startLoop(t)
		var owners, subs []grant[path]
		for i := range 3 {
			owner := takeGrant(t, arrives(t, l, treelock.Write(path(fmt.Sprint("/", i))), modeWait))
			owners = append(owners, owner)
			for range 2 {
				subs = append(subs, takeGrant(t, arrivesInside(t, l, owner, treelock.Read(path(fmt.Sprint("/", i))))))
			}
		}
		s := &survey[path]{}
		s.inspect(l)
		whole := insideOf(s)
		if !s.over || len(whole) != 9 {
			t.Fatalf("a survey in one step shows %d requests, over: %t, want 9 and true", len(whole), s.over)
		}

		s = &survey[path]{}
		s.began, s.records, s.at = l.now, l.table.BeginSurvey(s.record), l.root
		l.survey = s
		end := func(scope int) {
			for _, sub := range subs[2*scope : 2*scope+2] {
				releases(l, sub.req, sub.seq)
			}
			releases(l, owners[scope].req, owners[scope].seq)
		}
		end(first)
		late := takeGrant(t, arrives(t, l, treelock.Write("/late"), modeWait))
		takeGrant(t, arrivesInside(t, l, late, treelock.Write("/late")))
		l.table.StepSurvey(s.records, stepWork)
		s.goOn(l)
		for scope := range owners { // one of them is visited at this moment
			if scope != first {
				end(scope)
			}
		}
		for !s.over {
			s.inspect(l)
		}
		if got := insideOf(s); !maps.Equal(got, whole) {
			t.Errorf("scope %d ends first: the survey shows %v, want %v", first, got, whole)
		}
		if l.table.Surveyed() || l.survey != nil {
			t.Error("a survey that is over goes on, or is kept")
		}
	}
}

// insideOf returns the number of the scope of each request in a survey.
func insideOf(s *survey[path]) map[uint64]uint64 {
	inside := map[uint64]uint64{}
	for _, row := range append(s.waiters.sorted(), s.holders.sorted()...) {
		inside[row.seq] = row.inside
	}
	return inside
}
