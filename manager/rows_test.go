package manager

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
)

// TestRowsKeepTheEarliestInEitherOrder records requests forwards and backwards.
func TestRowsKeepTheEarliestInEitherOrder(t *testing.T) {
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

// TestSurveyKeepsTheEarliest has requests in storage that is used again, so that the earliest are
// last.
func TestSurveyKeepsTheEarliest(t *testing.T) {
	l := startLoop(t)
	var grants []grant[path]
	for range 1000 {
		grants = append(grants, takeGrant(t, arrives(t, l, treelock.Read("/a"), modeWait)))
	}
	for _, g := range grants {
		l.dispatch(message[path]{kind: kindRelease, ref: refTo(g.req), seq: g.seq})
	}
	for i := range 500 {
		arrives(t, l, treelock.Write("/a").Labeled(fmt.Sprint(i)), modeWait)
		arrives(t, l, treelock.Read("/b").Labeled(fmt.Sprint("b", i)), modeWait)
	}
	got := seen(t, l, begin(l, Query[path]{Limit: 3}))
	want := []string{"1 waiting", "2 waiting", "3 waiting", "0 holding", "b0 holding", "b1 holding"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
