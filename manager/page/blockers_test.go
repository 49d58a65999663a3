package page

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// wantBlockers compares the top blockers of a snapshot with descriptions of them: a + means "at
// least".
func (h *harness) wantBlockers(limit int, want ...string) {
	h.t.Helper()
	s, err := h.manager.Snapshot(h.t.Context(), manager.Query[treelock.Path]{Limit: limit})
	if err != nil {
		h.t.Fatal(err)
	}
	var got []string
	for _, b := range topBlockers(s, s.LeftOut > 0) {
		plus := ""
		if b.atLeast {
			plus = "+"
		}
		got = append(got, fmt.Sprintf("#%d blocks %d%s since #%d", b.Number, b.behind, plus, b.first.Number))
	}
	if !slices.Equal(got, want) {
		h.t.Errorf("top blockers: %q, want %q", got, want)
	}
}

func TestHolderBlocksRequestsBehindItsWaiters(t *testing.T) {
	inBubble(t, func(h *harness) {
		h.submit("", treelock.Read("/a/1"))
		h.submit("", treelock.Read("/a/2"))
		h.submit("", treelock.Write("/x"))
		h.wantBlockers(0)
		h.submit("", treelock.Write("/a/2"))       // #4, waits for #2
		h.submit("", treelock.Write("/a"))         // #5, for #1, #2 and #4
		h.submit("", treelock.Read("/a/3"))        // #6, for #5
		h.submit("", treelock.Write("/x", "/a/3")) // #7, for #3, #5 and #6
		h.wantBlockers(0, "#2 blocks 4 since #4", "#1 blocks 3 since #5", "#3 blocks 1 since #7")
		h.wantBlockers(4, "#2 blocks 2+ since #4", "#1 blocks 1+ since #5")
	})
}

// A snapshot names eight blockers of a waiter.
func TestNumberIsAtLeastIfBlockersAreNotNamed(t *testing.T) {
	inBubble(t, func(h *harness) {
		for i := range 10 {
			h.submit("", treelock.Read(treelock.PathOf("a", fmt.Sprint(i))))
		}
		h.submit("", treelock.Write("/a"))   // #11, the snapshot does not name #9 and #10
		h.submit("", treelock.Write("/a/9")) // #12, it names #10
		var want []string
		for i := range 8 {
			want = append(want, fmt.Sprintf("#%d blocks 2 since #11", i+1))
		}
		h.wantBlockers(0, append(want, "#10 blocks 1+ since #12")...)
	})
}

func TestHolderWithALongWaiterComesFirst(t *testing.T) {
	inBubble(t, func(h *harness) {
		h.submit("", treelock.Write("/few"))
		h.submit("", treelock.Read("/few"))
		h.submit("", treelock.Write("/many"))
		time.Sleep(longWait)
		h.submit("", treelock.Read("/many"))
		h.submit("", treelock.Read("/many"))
		h.wantBlockers(0, "#1 blocks 1 since #2", "#3 blocks 2 since #4")
		h.wantText("/", 200, "for 10 s; acquired in github.com/treelock/treelock/manager/page.(*harness).submit")
	}, manager.WithSlowLog(manager.SlowLog{Sites: true}))
}
