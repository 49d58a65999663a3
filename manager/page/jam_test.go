package page

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// wantCulprits compares the culprits of what h's manager shows: the numbers and how many they hold up, with a + if that is at least so many.
func (h *house) wantCulprits(query manager.Query[treelock.Path], want ...string) {
	h.t.Helper()
	s, err := h.manager.Snapshot(h.t.Context(), query)
	if err != nil {
		h.t.Fatal(err)
	}
	var got []string
	for _, c := range culprits(s, s.LeftOut > 0) {
		plus := ""
		if c.atLeast {
			plus = "+"
		}
		got = append(got, fmt.Sprintf("#%d holds up %d%s since #%d", c.Number, c.behind, plus, c.first.Number))
	}
	if !slices.Equal(got, want) {
		h.t.Errorf("culprits: %q, want %q", got, want)
	}
}

func TestWhoWaitsForOneThatWaitsIsHeldUpByWhoHolds(t *testing.T) {
	inside(t, func(h *house) {
		h.submit("", treelock.Read("/a/1"))
		h.submit("", treelock.Read("/a/2"))
		h.submit("", treelock.Write("/x"))
		h.wantCulprits(manager.Query[treelock.Path]{})
		h.submit("", treelock.Write("/a/2"))       // #4, for #2
		h.submit("", treelock.Write("/a"))         // #5, for #1, #2 and #4
		h.submit("", treelock.Read("/a/3"))        // #6, for #5
		h.submit("", treelock.Write("/x", "/a/3")) // #7, for #3, #5 and #6
		h.wantCulprits(manager.Query[treelock.Path]{}, "#2 holds up 4 since #4", "#1 holds up 3 since #5", "#3 holds up 1 since #7")
		h.wantCulprits(manager.Query[treelock.Path]{Limit: 4}, "#2 holds up 2+ since #4", "#1 holds up 1+ since #5")
	})
}

// A snapshot names eight of those that a request waits for.
func TestCountIsAtLeastWhereASnapshotNamesTooFew(t *testing.T) {
	inside(t, func(h *house) {
		for i := range 10 {
			h.submit("", treelock.Read(treelock.PathOf("a", fmt.Sprint(i))))
		}
		h.submit("", treelock.Write("/a"))
		h.submit("", treelock.Write("/a/9"))
		var want []string
		for i := range 8 {
			want = append(want, fmt.Sprintf("#%d holds up 2 since #11", i+1))
		}
		// That #11 waits for #9, too, and for #10, is not told; that #12 waits for #10 is.
		h.wantCulprits(manager.Query[treelock.Path]{}, append(want, "#10 holds up 1+ since #12")...)
	})
}

func TestThoseWhoKeepSomebodyWaitingForLongComeFirst(t *testing.T) {
	inside(t, func(h *house) {
		h.submit("", treelock.Write("/few"))
		h.submit("", treelock.Read("/few"))
		h.submit("", treelock.Write("/many"))
		time.Sleep(long)
		h.submit("", treelock.Read("/many"))
		h.submit("", treelock.Read("/many"))
		h.wantCulprits(manager.Query[treelock.Path]{}, "#1 holds up 1 since #2", "#3 holds up 2 since #4")
	})
}

func TestCulpritSaysWhereItWasAcquired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := manager.Start(ctx, manager.WithSlowLog(manager.SlowLog{Sites: true}))
		defer func() { cancel(); <-m.Done() }()
		h := &house{t: t, manager: m, handler: Handler(m)}
		h.submit("", treelock.Write("/a"))
		h.submit("", treelock.Write("/a"))
		time.Sleep(long)
		h.wantText("/", 200, "for 10 s; acquired in github.com/treelock/treelock/manager/page.(*house).submit")
	})
}
