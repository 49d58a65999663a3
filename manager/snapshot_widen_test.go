package manager

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
)

// A crowd sends random messages to a loop, whose clients are all in it.
type crowd struct {
	t     *testing.T
	rng   *rand.Rand
	l     *loop[path]
	calls []*call[path] // that wait
	holds []grant[path]
}

func (c *crowd) path() path {
	return []path{"/", "/a", "/a/b", "/a/b/c", "/d", "/d/e"}[c.rng.IntN(6)]
}

func (c *crowd) request() (req treelock.Request[path]) {
	for range 1 + c.rng.IntN(2) {
		add := [4]func(...path) treelock.Request[path]{req.Read, req.Write, req.ReadNode, req.WriteNode}
		req = add[c.rng.IntN(4)](c.path())
	}
	return req
}

// step sends one message, and receives all replies.
func (c *crowd) step() {
	kind, g := kindAcquire, grant[path]{}
	if len(c.holds) > 0 {
		g = c.holds[c.rng.IntN(len(c.holds))]
	}
	switch n := c.rng.IntN(12); {
	case n == 0 && len(c.calls) > 0:
		c.l.dispatch(message[path]{kind: kindCancel, call: c.calls[c.rng.IntN(len(c.calls))]})
		c.receive()
		return
	case n <= 2 && g.req != nil:
		c.l.dispatch(message[path]{kind: kindRelease, ref: refTo(g.req), seq: g.seq})
		c.receive()
		return
	case n <= 6 && g.req != nil:
		kind = kindWiden
	case n == 7 && g.req != nil:
		kind = kindNarrow
	case n > 9:
		g = grant[path]{} // outside of all grants
	}
	req := c.request()
	call, err := c.l.m.newCall(&req, modeWait)
	if err != nil {
		c.t.Fatal(err)
	}
	call.widens, call.grant.token = kind == kindWiden, g.token
	msg := message[path]{kind: kind, call: call, seq: g.seq}
	if g.req != nil {
		msg.ref = refTo(g.req)
	}
	c.l.dispatch(msg)
	if kind != kindNarrow || (<-call.replies == verdictRefused) {
		c.calls = append(c.calls, call)
	}
	c.receive()
}

// receive receives the replies to all calls, and forgets the grants that are over.
func (c *crowd) receive() {
	c.calls = slices.DeleteFunc(c.calls, func(call *call[path]) bool {
		for len(call.replies) > 0 {
			switch <-call.replies {
			case verdictMustWait:
				continue
			case verdictDone:
				c.holds = append(c.holds, call.grant)
			}
			return true
		}
		return call.err != nil
	})
	c.holds = slices.DeleteFunc(c.holds, func(g grant[path]) bool { return c.l.overErr(g.req, g.seq) != nil })
}

// waitsFor says by the rule, from claims alone, whether a waits for b. grant is what a widens.
func waitsFor(a, b, grant RequestInfo[path]) bool {
	if a.Inside != b.Inside || a.Widens == b.Number || a.Number == b.Number {
		return false
	}
	return slices.ContainsFunc(meetings(a, b), func(at path) bool {
		passes := a.Widens != 0 && slices.Contains(meetings(grant, b), at)
		return b.State == treelock.Holding || b.Number < a.Number && !passes
	})
}

// meetings returns the nodes at which claims of two requests conflict: the upper of two nodes.
func meetings(a, b RequestInfo[path]) (at []path) {
	for _, ours := range a.Claims {
		for _, theirs := range b.Claims {
			if ours.Conflicts(theirs) {
				at = append(at, min(ours.Node, theirs.Node))
			}
		}
	}
	return at
}

// TestSnapshotNamesTheBlockersOfWidenings compares the blockers that the client computes with the
// rule, and with those that the manager finds, in random states with widenings and grants inside
// grants.
func TestSnapshotNamesTheBlockersOfWidenings(t *testing.T) {
	widenings, passed := 0, 0
	for seed := range uint64(150) {
		c := &crowd{t: t, rng: rand.New(rand.NewPCG(seed, 5)), l: startLoop(t)}
		for range 60 {
			c.step()
			s := begin(c.l, Query[path]{})
			for !s.over {
				proceed(c.l, s)
			}
			snapshot, err := c.l.m.buildSnapshot(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			all := slices.Collect(snapshot.All())
			for i, row := range s.waiters.sorted() {
				info, grant := snapshot.Waiters[i], RequestInfo[path]{}
				var want, found []uint64
				if info.Widens != 0 {
					widenings++
					grant = all[slices.IndexFunc(all, func(r RequestInfo[path]) bool { return r.Number == info.Widens })]
				}
				for _, other := range all {
					if waitsFor(info, other, grant) {
						want = append(want, other.Number)
					} else if info.Widens != 0 && other.Number < info.Number && len(meetings(info, other)) > 0 && other.Number != info.Widens {
						passed++
					}
				}
				slices.Sort(want)
				if got := info.BlockedBy; info.More+len(got) != len(want) || !slices.Equal(got, want[:min(len(want), maxNamed)]) {
					t.Fatalf("seed %d: #%d %v waits for %v and %d more, want %v; live are%s", seed, info.Number, info.Claims, got, info.More, want, lines(all))
				}
				for _, b := range c.l.explainWaiting(row.req, row.seq, 64).(*treelock.BlockedError[path]).Blockers {
					found = append(found, b.Number)
				}
				// The manager may leave out a widening if it names the grant.
				want = slices.DeleteFunc(want, func(number uint64) bool {
					i := slices.IndexFunc(all, func(r RequestInfo[path]) bool { return r.Number == number })
					return slices.Contains(found, all[i].Widens) && !slices.Contains(found, number)
				})
				if diff := cmp.Diff(want, found); diff != "" {
					t.Fatalf("seed %d: the manager finds other blockers of #%d %v: -want +got:\n%s; live are%s", seed, info.Number, info.Claims, diff, lines(all))
				}
			}
		}
	}
	if widenings < 1000 || passed < 100 {
		t.Errorf("%d widenings waited, and %d requests were passed, too few for the test to check much", widenings, passed)
	}
}

// lines returns one line for each request.
func lines(all []RequestInfo[path]) (text string) {
	for _, r := range all {
		text += fmt.Sprintf("\n#%d %v %v, inside #%d, widens #%d", r.Number, r.State, r.Claims, r.Inside, r.Widens)
	}
	return text
}
