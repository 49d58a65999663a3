package page

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
)

// outline returns the rows of a tree, one per line.
func outline(rows []row, _ int) string {
	var b strings.Builder
	for _, r := range rows {
		b.WriteString(strings.Repeat("  ", r.Level))
		switch {
		case r.Node != nil:
			fmt.Fprintf(&b, "%s %d+%d %s\n", r.Node.Short, r.Holds, r.Waits, r.Below)
		case r.Request.Holds:
			fmt.Fprintf(&b, "- %s #%d holds\n", r.Verb, r.Request.Number)
		default:
			fmt.Fprintf(&b, "- %s #%d waits\n", r.Verb, r.Request.Number)
		}
	}
	return b.String()
}

func TestTreeHasClaimedNodesAndBranches(t *testing.T) {
	inBubble(t, func(h *harness) {
		h.submit("", treelock.Read("/b/c/d"))
		h.submit("", treelock.WriteNode("/b/c/d/e/f").Read("/a"))
		h.submit("", treelock.Write("/b/c/x/y"))
		h.submit("", treelock.ReadNode("/b/c/d"))
		h.submit("", treelock.Write("/b/c/x/y/z"))
		b := newViewBuilder(cut(h.snapshot()), false)
		for limit, want := range map[int]string{
			100: `/a 0+1 /a
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
`, 2: `/a 0+1 /a
- read #2 waits
/b/c/d 1+0 /b/c/d
- read #1 holds
  /e/f 0+1 /b/c/d/e/f
  - write-node #2 waits
`} {
			got := outline(b.tree(b.choose(limit)).rows(h.page.filterFor))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("of %d requests: -want +got\n%s", limit, diff)
			}
		}
		for limit, want := range map[int][2]int{1: {0, 1}, 2: {1, 1}, 3: {1, 2}, 4: {2, 2}, 5: {3, 2}} {
			var got [2]int
			for _, r := range b.choose(limit) {
				got[r.State]++
			}
			if got[0] != want[1] || got[1] != want[0] {
				t.Errorf("of %d requests %v are chosen, want %v holders and waiters", limit, got, want)
			}
		}
	})
}

func TestTreeShowsEveryRequest(t *testing.T) {
	inBubble(t, func(h *harness) {
		h.submit("", treelock.Read("/a"))
		h.submit("", treelock.Read("/a", "/b"))
		h.submit("", treelock.Write("/b"))
		h.submit("", treelock.Write("/a"))
		h.submit("", treelock.Write("/a"))
		h.wantText("/?below=/a", 200, "/a 2 hold, 2 wait read #1 holds 0 ms blocks 2 or more "+
			"read #2 holds 0 ms blocks 2 or more write #4 waits 0 ms")
		h.wantText("/", 200, "Blocking blocks 3 #2", "/a 2 hold, 2 wait read #1 holds 0 ms blocks 2 "+
			"read #2 holds 0 ms blocks 3 write #4", "more write #5")
	})
	inBubble(t, func(h *harness) {
		h.submit("nothing", treelock.Read())
		h.submit("all", treelock.Read("/"))
		h.submit("part", treelock.Read("/a"))
		h.wantText("/", 200, "Tree no claims nothing #1 holds 0 ms "+
			"/ 1 holds read all #2 holds 0 ms /a 1 holds read part #3")
	})
	inBubble(t, func(h *harness) {
		deep := treelock.Path(strings.Repeat("/d", 1000))
		h.submit("deep", treelock.Read(deep))
		h.submit("less deep", treelock.Read(deep[:1000]))
		h.submit("deeper", treelock.Read(deep+"/e"))
		h.wantText("/", 200, "less deep", "deeper", "3 requests hold")
	})
}

func TestTreeOfDeepNodesIsBounded(t *testing.T) {
	t.Run("one node", func(t *testing.T) {
		tree := newTree[treelock.Path]()
		tree.withAncestors(treelock.Path(strings.Repeat("/d", 1000)))
		if got := len(tree.nodes); got != maxLevels {
			t.Errorf("a node of depth 1,000 has %d tree nodes, want %d", got, maxLevels)
		}
	})
	t.Run("many nodes", func(t *testing.T) {
		tree := newTree[treelock.Path]()
		const claims = 1000
		for i := range claims {
			path := treelock.PathOf(fmt.Sprint(i)) + treelock.Path(strings.Repeat("/d", 100))
			tree.add(&request{}, []treelock.Claim[treelock.Path]{{Node: path}})
		}
		if got := len(tree.nodes); got > maxTreeNodes+claims {
			t.Errorf("%d tree nodes, want at most %d", got, maxTreeNodes+claims)
		}
	})
}

// A named is a node with a String method: <6> lies in <3>, which lies in <1>.
type named int

func (n named) Parent() (named, bool) { return n / 2, n > 1 }
func (n named) String() string        { return "<" + strconv.Itoa(int(n)) + ">" }

func TestNodesOfAnyTypeAreShown(t *testing.T) {
	nodes := []named{6, 7, 6, 12}
	withNodes(t, func(text string) (named, error) {
		n, err := strconv.Atoi(strings.Trim(text, "<>"))
		if err != nil {
			return 0, errors.New("type a <number>")
		}
		return named(n), nil
	}, func(h nodesHarness) {
		h.wantText("/", 200, "below", "<3> <6> 1 holds, 1 wait", "<12> 1 waits", "<7> 1 holds")
		h.wantText("/?below=7", 200, "<7> 1 holds", "!<6>")
		h.wantText("/?below=<12>", 200, "waits for #1 and 1 more")
		h.wantText("/?below=x", 400, "type a <number>")
		h.wantRaw("/", `href="?below=%3c7%3e"`)
	}, nodes...)
	withNodes(t, func(string) (named, error) { return 1, nil }, func(h nodesHarness) {
		if links := linksToNodes.FindAllString(h.get("/").Body.String(), -1); links != nil {
			t.Errorf("links lead to another node: %q", links)
		}
	}, nodes...)
	withNodes(t, nil, func(h nodesHarness) {
		h.wantText("/", 200, "!below", "<7>")
		h.wantText("/?below=7", 400, "this page has no filter")
	}, nodes...)
}
