package page

import (
	"fmt"
	"slices"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A part of a picture names no request that is not in it, and the other requests that it waits for.
func TestPartOfAPictureNamesOnlyRequestsInIt(t *testing.T) {
	inside(t, func(h *house) {
		h.submit("", treelock.Read("/b"))  // #1
		h.submit("", treelock.Read("/b"))  // #2
		h.submit("", treelock.Read("/b"))  // #3
		h.submit("", treelock.Write("/b")) // #4 waits for #1 to #3
		h.submit("", treelock.Write("/b")) // #5 for #4 as well
		h.submit("", treelock.Write("/b")) // #6
		s, err := h.manager.Snapshot(h.t.Context(), manager.Query[treelock.Path]{})
		if err != nil {
			t.Fatal(err)
		}
		p := pictureOf(s)
		part := p.first(4)
		if len(part.Holders) != 2 || len(part.Waiters) != 2 || part.LeftOut != 2 {
			t.Fatalf("of 4 requests %d hold, %d wait, and %d are left out; want 2 each", len(part.Holders), len(part.Waiters), part.LeftOut)
		}
		for i, want := range [][]uint64{{1, 2}, {1, 2, 4}} {
			if got := part.Waiters[i].BlockedBy; !slices.Equal(got, want) {
				t.Errorf("#%d is blocked by %v, want %v", part.Waiters[i].Number, got, want)
			}
		}
		if got, want := p.Waiters[1].BlockedBy, []uint64{1, 2, 3, 4}; !slices.Equal(got, want) {
			t.Errorf("after a part was made the whole says that #5 is blocked by %v, want %v", got, want)
		}
	})
}

// Line breaks and tabs count too: near the bound there are as many requests as fit with them.
func TestIndentedJSONIsBounded(t *testing.T) {
	inside(t, func(h *house) {
		for i := range mostRows {
			claims := make([]treelock.Path, 5)
			for j := range claims {
				claims[j] = treelock.PathOf("a", fmt.Sprint(i), fmt.Sprint(j))
			}
			h.submit("", treelock.Read(claims...))
		}
		if got := h.get("/?format=json").Body.Len(); got > maxAnswer || got < maxAnswer/4 {
			t.Errorf("the answer has %d bytes, want at most %d", got, maxAnswer)
		}
	})
}

// Deep nodes with nothing in common do not make a tree of all that is above them.
func TestTreeOfManyDeepNodesIsBounded(t *testing.T) {
	d := newTree[treelock.Path]()
	const nodes = 1000
	for i := range nodes {
		path := treelock.PathOf(fmt.Sprint(i))
		for range 100 {
			path += "/d"
		}
		d.add(&request{}, []treelock.Claim[treelock.Path]{{Node: path}})
	}
	if got := len(d.branches); got > mostBranches+nodes {
		t.Errorf("%d nodes of depth 100 make %d branches, want at most %d", nodes, got, mostBranches+nodes)
	}
}
