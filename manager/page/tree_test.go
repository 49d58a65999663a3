package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// outline returns the rows of a tree, one a line.
func outline(rows []row, _ int) string {
	var b strings.Builder
	for _, r := range rows {
		b.WriteString(strings.Repeat("  ", r.Level))
		switch {
		case r.Node != nil:
			fmt.Fprintf(&b, "%s %d+%d %s\n", r.Node.Short, r.Holds, r.Waits, r.Below)
		case r.Request.Holds:
			fmt.Fprintf(&b, "- %s #%d holds\n", r.Verb, r.Request.Seq)
		default:
			fmt.Fprintf(&b, "- %s #%d waits\n", r.Verb, r.Request.Seq)
		}
	}
	return b.String()
}

func TestTreeShowsNodesThatAreClaimedAndWhereItBranches(t *testing.T) {
	inside(t, func(h *house) {
		h.submit("", treelock.Read("/b/c/d"))
		h.submit("", treelock.WriteNode("/b/c/d/e/f").Read("/a"))
		h.submit("", treelock.Write("/b/c/x/y"))
		h.submit("", treelock.ReadNode("/b/c/d"))
		h.submit("", treelock.Write("/b/c/x/y/z"))
		s, err := h.manager.Snapshot(h.t.Context(), manager.Query[treelock.Path]{})
		if err != nil {
			t.Fatal(err)
		}
		d := newDesk(pictureOf(s), false)
		all := h.handler.(*handler[treelock.Path])
		want := `/a 0+1 /a
- read #2 waits
/b/c 0+0 /b/c
  /d 2+0 /b/c/d
  - read #1 holds
  - read-node #4 holds
    /e/f 0+1 /b/c/d/e/f
    - write-node #2 waits
  /x/y 1+0 /b/c/x/y
  - write #3 holds
    /z 0+1 /b/c/x/y/z
    - write #5 waits
`
		if diff := cmp.Diff(want, outline(d.tree(d.choose(100)).rows(all.filterFor))); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if got, want := outline(d.tree(d.choose(2)).rows(all.filterFor)), "/a 0+1 /a\n- read #2 waits\n/b/c/d 1+0 /b/c/d\n- read #1 holds\n  /e/f 0+1 /b/c/d/e/f\n  - write-node #2 waits\n"; got != want {
			t.Errorf("of two requests:\n%s\nwant\n%s", got, want)
		}
	})
}

func TestRequestsAtANodeStandByArrival(t *testing.T) {
	inside(t, func(h *house) {
		h.submit("", treelock.Read("/a"))
		h.submit("", treelock.Read("/a", "/b"))
		h.submit("", treelock.Write("/b"))
		h.submit("", treelock.Write("/a"))
		h.submit("", treelock.Write("/a"))
		h.wantText("/?below=/a", 200, "/a 2 hold, 2 wait read #1 holds 0 ms holding up 2 or more read #2 holds 0 ms holding up 2 or more write #4 waits 0 ms")
		h.wantText("/", 200, "In the way holds up 3 #2", "/a 2 hold, 2 wait read #1 holds 0 ms holding up 2 read #2 holds 0 ms holding up 3 write #4", "more write #5")
	})
}

func TestRequestWithoutClaimsIsShown(t *testing.T) {
	inside(t, func(h *house) {
		h.submit("nothing", treelock.Read())
		h.submit("", treelock.Read("/a"))
		h.wantText("/", 200, "Tree no claims nothing #1 holds 0 ms /a 1 holds")
	})
}

func TestRootIsShownIfSomebodyClaimsIt(t *testing.T) {
	inside(t, func(h *house) {
		h.submit("all", treelock.Read("/"))
		h.submit("part", treelock.Read("/a"))
		h.wantText("/", 200, "/ 1 holds read all #1 holds 0 ms /a 1 holds read part #2")
	})
}

func TestDeepNodesAreShown(t *testing.T) {
	inside(t, func(h *house) {
		deep := treelock.Path(strings.Repeat("/d", 1000))
		h.submit("deep", treelock.Read(deep))
		h.submit("less deep", treelock.Read(deep[:1000]))
		h.submit("deeper", treelock.Read(deep+"/e"))
		h.wantText("/", 200, "less deep", "deeper", "3 requests hold")
		tree := newTree[treelock.Path]()
		tree.branch(deep)
		if len(tree.branches) > mostLevels {
			t.Errorf("a node makes %d branches, want no more than %d", len(tree.branches), mostLevels)
		}
	})
}

// A heap of numbers: 6 lies in 3, which lies in 1.
type number int

func (n number) Parent() (number, bool) { return n / 2, n > 1 }
func (n number) String() string         { return "<" + strconv.Itoa(int(n)) + ">" }

func TestNodesOfAnyTypeAreShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := manager.StartNodes[number](ctx)
		defer func() { cancel(); <-m.Done() }()
		for _, n := range []number{6, 7, 6, 12} {
			if _, err := m.Submit(ctx, treelock.Request[number]{}.Write(n)); err != nil {
				t.Fatal(err)
			}
		}
		parse := func(text string) (number, error) {
			n, err := strconv.Atoi(strings.Trim(text, "<>"))
			if err != nil {
				return 0, errors.New("type a <number>")
			}
			return number(n), nil
		}
		with := func(parse func(string) (number, error)) func(target string, status int, says ...string) {
			return (&house{t: t, handler: HandlerNodes(m, parse)}).wantText
		}
		with(parse)("/", 200, "below", "<3> <6> 1 holds, 1 wait", "<12> 1 waits", "<7> 1 holds")
		with(parse)("/?below=7", 200, "<7> 1 holds", "!<6>")
		with(parse)("/?below=<12>", 200, "waits for #1 and 1 more")
		with(parse)("/?below=x", 400, "type a <number>")
		if page := (&house{t: t, handler: HandlerNodes(m, parse)}).get("/").Body.String(); !strings.Contains(page, `href="?below=%3c7%3e"`) {
			t.Errorf("a node is no link to the filter:\n%s", page)
		}
		other := func(string) (number, error) { return 1, nil } // no link leads to another node
		if page := (&house{t: t, handler: HandlerNodes(m, other)}).get("/").Body.String(); strings.Contains(page, `href="?below=`) {
			t.Errorf("a node is a link to another one:\n%s", page)
		}
		with(nil)("/", 200, "!below", "<7>")
		with(nil)("/?below=7", http.StatusBadRequest, "this page has no filter")
	})
}
