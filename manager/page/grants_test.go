package page

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// acquire returns a grant of what is free.
func acquire(
	t *testing.T, locker treelock.Locker[treelock.Path], label string, req treelock.Request[treelock.Path],
) treelock.Grant[treelock.Path] {
	t.Helper()
	g, err := locker.TryAcquire(t.Context(), req.Labeled(label))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// nest makes a job with helpers inside it, one of which waits for another, and a copy that widens.
func (h *harness) nest() {
	t := h.t
	job := acquire(t, h.manager, "job", treelock.Write("/a")) // #1
	acquire(t, h.manager, "reader", treelock.Read("/b"))      // #2
	copying := acquire(t, h.manager, "copy", treelock.Read("/b"))
	helper := acquire(t, job, "helper", treelock.Write("/a"))        // #4
	acquire(t, helper, "innermost", treelock.Read("/a/x"))           // #5
	h.submit("outside", treelock.Write("/a"))                        // #6
	go job.Acquire(t.Context(), treelock.Read("/a").Labeled("late")) // #7
	synctest.Wait()
	go copying.Widen(t.Context(), treelock.Write("/b")) // #8
	synctest.Wait()
}

func TestTreeShowsGrantsInsideAndWideningsBelowTheirGrant(t *testing.T) {
	inBubble(t, func(h *harness) {
		h.nest()
		b := newViewBuilder(cut(h.snapshot()), false)
		rows, _ := b.tree(b.choose(100)).rows(h.page.filterFor)
		var got strings.Builder
		for _, r := range rows {
			if r.Node == nil {
				fmt.Fprintf(&got, "%s%s #%d\n", strings.Repeat("  ", r.Depth), r.Verb, r.Request.Number)
			} else {
				fmt.Fprintln(&got, r.Node.Short)
			}
		}
		const want = `/a
write #1
  write #4
  read #7
write #6
/x
read #5
/b
read #2
read #3
  write #8
`
		if diff := cmp.Diff(want, got.String()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestPageNamesTheGrantsOfRequests(t *testing.T) {
	inBubble(t, func(h *harness) {
		h.nest()
		h.wantText("/", 200, "write helper #4 inside #1", "read late #7 inside #1", "write copy #8 widens #3",
			"read innermost #5 inside #4", "!outside #6 inside", "waits for #4 “helper”", "waits for #2 “reader”")
		h.wantRaw("/", `<span class="in1"></span>`, `widens <span class="seq"><a href="#r3">#3</a></span>`)
		h.wantRaw("/?format=json", `"inside": 1,`, `"widens": 3,`)
		h.wantRaw("/?format=dot", `#4 “helper” inside #1`, `#8 “copy” widens #3`)
	})
}

// TestGrantThatIsNotShownIsNamed has a page with less than the grant of a request.
func TestGrantThatIsNotShownIsNamed(t *testing.T) {
	inBubble(t, func(h *harness) {
		h.nest()
		s, err := h.manager.Snapshot(h.t.Context(), manager.Query[treelock.Path]{Below: []treelock.Path{"/a/x"}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range s.Holders {
			if s.Holders[i].Number == 5 {
				s.Holders = s.Holders[i : i+1]
				break
			}
		}
		b := newViewBuilder(cut(s), true)
		rows, _ := b.tree(s.Holders).rows(h.page.filterFor)
		if r := rows[len(rows)-1].Request; r.Inside == nil || r.Inside.Number != 4 || r.Inside.Shown {
			t.Errorf("the request inside #4 shows the grant %+v, want its number alone", r.Inside)
		}
	})
}

// TestPageShowsSuspensionsAndPossibleCircles has a helper that waits for its own caller.
func TestPageShowsSuspensionsAndPossibleCircles(t *testing.T) {
	inBubble(t, func(h *harness) {
		acquire(h.t, h.manager, "job <1>", treelock.Write("/a"))
		h.submit("job <1>", treelock.Read("/a/b"))
		go h.manager.Suspend(h.t.Context(), "moving <house>", "/a", "/c")
		time.Sleep(longWait - time.Second)
		h.wantText("/", 200, "Suspended /a /c for 9.0 s : moving <house> 2 requests still live there", "!Possible circles")
		time.Sleep(2 * time.Second)
		const circle = `#2 "job <1>" waits for #1 "job <1>"; #1 "job <1>" may be held by the caller of #2 "job <1>"`
		h.wantText("/", 200, "Possible circles "+circle+" If requests")
		var got manager.Snapshot[treelock.Path]
		if err := json.Unmarshal(h.get("/?format=json").Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		want := h.snapshot()
		if diff := cmp.Diff(want.Suspended, got.Suspended); diff != "" || len(want.Suspended) != 1 {
			t.Errorf("suspensions in JSON: -want +got:\n%s", diff)
		}
		if diff := cmp.Diff(want.PossibleCircles, got.PossibleCircles); diff != "" || len(want.PossibleCircles) != 1 {
			t.Errorf("possible circles in JSON: -want +got:\n%s", diff)
		}
	})
}

// A hookText is a node whose MarshalText calls a function of the test.
type hookText struct{ *hooks }

func (hookText) Parent() (n hookText, ok bool)  { return n, false }
func (n hookText) MarshalText() ([]byte, error) { n.hooks.string(); return []byte(n.name), nil }

// TestPageNamesSuspendedNodesBeforeItRenders has more of them than are shown, and long reasons.
func TestPageNamesSuspendedNodesBeforeItRenders(t *testing.T) {
	calls := 0
	node := hookText{&hooks{name: "x"}}
	node.string = func() { calls++ }
	withNodes[hookText](t, nil, func(h nodesHarness) {
		page := h.handler.(*handler[hookText])
		for range 2 * maxSuspended {
			resume, err := page.m.Suspend(h.t.Context(), strings.Repeat("reason ", 1000), slices.Repeat([]hookText{node}, 2*maxClaims)...)
			if err != nil {
				t.Fatal(err)
			}
			defer resume()
		}
		node.string = func() {
			if calls++; len(page.renderSem) > 0 {
				t.Error("MarshalText runs while other viewers wait")
			}
		}
		for _, format := range []string{"html", "json"} {
			if answer := h.get("/?format=" + format); answer.Code != 200 || calls == 0 || answer.Body.Len() > 100_000 {
				t.Errorf("GET in %s: %d, %d bytes, %d calls", format, answer.Code, answer.Body.Len(), calls)
			}
			calls = 0
		}
	})
}
