package locktable

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/waitqueue"
)

// modesOf returns the modes that a request is queued in, by node, in the order of the modes.
func modesOf(r *Request[treelock.Path, string]) map[string]string {
	modes := map[string]string{}
	for i := range r.places {
		p := &r.places[i]
		modes[string(p.node.name)] += p.entry.Mode().String()
	}
	return modes
}

// TestRequestQueuesOnceForEachNodeAndMinimalMode is I3.
func TestRequestQueuesOnceForEachNodeAndMinimalMode(t *testing.T) {
	for _, test := range []struct {
		req  treelock.Request[treelock.Path]
		want map[string]string
	}{
		{treelock.Request[treelock.Path]{}, map[string]string{}},
		{treelock.Write("/"), map[string]string{"/": "TW"}},
		{treelock.Write("/a/b"), map[string]string{"/a/b": "TW", "/a": "IW", "/": "IW"}},
		{treelock.ReadNode("/a/b"), map[string]string{"/a/b": "NR", "/a": "IR", "/": "IR"}},
		{treelock.Read("/a", "/a", "/a"), map[string]string{"/a": "TR", "/": "IR"}},
		{treelock.Read("/a").ReadNode("/a"), map[string]string{"/a": "TR", "/": "IR"}},
		{treelock.ReadNode("/a").WriteNode("/a"), map[string]string{"/a": "NW", "/": "IW"}},
		{treelock.Read("/a").WriteNode("/a"), map[string]string{"/a": "NWTR", "/": "IW"}},
		{treelock.Read("/a").Write("/a/b"), map[string]string{"/a/b": "TW", "/a": "IWTR", "/": "IW"}},
		{treelock.Write("/a/b").Read("/a"), map[string]string{"/a/b": "TW", "/a": "IWTR", "/": "IW"}},
		{treelock.Write("/a").Write("/a/b"), map[string]string{"/a/b": "TW", "/a": "TW", "/": "IW"}},
		{treelock.Read("/a/x").Write("/a/y"), map[string]string{"/a/x": "TR", "/a/y": "TW", "/a": "IW", "/": "IW"}},
		{treelock.Write("/a/y").ReadNode("/a", "/"), map[string]string{"/a/y": "TW", "/a": "IWNR", "/": "IWNR"}},
		{treelock.ReadNode("/a/b").Read("/"), map[string]string{"/a/b": "NR", "/a": "IR", "/": "TR"}},
	} {
		table := New[treelock.Path, string](4)
		r := table.Submit("", ClaimsOf(test.req))
		if diff := cmp.Diff(test.want, modesOf(r)); diff != "" {
			t.Errorf("Submit(%v) queues, -want +got:\n%s", test.req, diff)
		}
		all := table.Submit("", ClaimsOf(treelock.Write("/")))
		table.End(r)
		if _, ok := table.Narrow(all, ClaimsOf(test.req)); !ok {
			t.Errorf("Narrow(%v) = false, want true", test.req)
		}
		if diff := cmp.Diff(test.want, modesOf(all)); diff != "" {
			t.Errorf("Narrow(%v) queues, -want +got:\n%s", test.req, diff)
		}
		if err := table.Check(); err != nil {
			t.Errorf("after Narrow(%v): %v", test.req, err)
		}
	}
}

// A broken is a sound table about to be broken. holder has written /a; early and late wait for /a/x, below it;
// /idle and /idle/1 are idle, in this order.
type broken struct {
	*Table[treelock.Path, string]
	holder, early, late *Request[treelock.Path, string]
}

func newBroken() broken {
	b := broken{Table: New[treelock.Path, string](2)}
	idle := b.Submit("idle", ClaimsOf(treelock.Read("/idle/1")))
	b.holder = b.Submit("holder", ClaimsOf(treelock.Write("/a")))
	b.early = b.Submit("early", ClaimsOf(treelock.Read("/a/x")))
	b.late = b.Submit("late", ClaimsOf(treelock.Write("/a/x")))
	b.End(idle)
	return b
}

func (b broken) node(p treelock.Path) *node[treelock.Path, string] { return b.nodes.byName[p] }

func TestCheckFindsBrokenTables(t *testing.T) {
	for name, test := range map[string]struct {
		corrupt func(b broken)
		want    string
	}{
		"a holder counts an obstacle":           {func(b broken) { b.holder.blocked++ }, "I5: request 2"},
		"a waiter counts one obstacle less":     {func(b broken) { b.late.blocked-- }, "I5: request 4"},
		"a request has another number":          {func(b broken) { b.holder.seq = 99 }, "I3: node"},
		"a place is missing":                    {func(b broken) { b.holder.places = b.holder.places[:1] }, "I3: request 2"},
		"an entry is missing":                   {leaveSilently, "I3: request 2"},
		"a request is queued twice":             {queueTwice, "I3: request 2"},
		"more have entries than are live":       {func(b broken) { b.live = 2 }, "I5: 3 requests have entries"},
		"the number of waiters is wrong":        {func(b broken) { b.waiting++ }, "I5: 2 requests wait"},
		"a waiter is not listed":                {func(b broken) { b.dropWaiting(b.early) }, "I5: 2 requests wait"},
		"a waiter is counted, but not listed":   {func(b broken) { b.dropWaiting(b.early); b.waiting++ }, "I5: 2 requests wait"},
		"a holder is listed":                    {func(b broken) { b.pushWaiting(b.Submit("", nil)) }, "I5: request 5 is listed"},
		"the waiters are not listed by arrival": {listBackwards, "I5: request 3 is listed"},
		"a waiter is linked back to nobody":     {func(b broken) { b.late.earlier = nil }, "I5: request 4 is listed"},
		"the last waiter is another one":        {func(b broken) { b.lastWaiting = b.early }, "I5: 2 requests wait"},
		"a node has another name":               {func(b broken) { b.node("/a").name = "/b" }, "I8: node /b"},
		"a node says it is not in the table":    {func(b broken) { b.node("/a").inTable = false }, "I8: node /a"},
		"a busy node says it is idle":           {func(b broken) { b.node("/a").idle = true }, "I8: node /a"},
		"an idle node says it is busy":          {func(b broken) { b.node("/idle").idle = false }, "I8: node /idle"},
		"an idle node is not listed":            {func(b broken) { b.nodes.oldest = b.nodes.newest }, "I8: 1 nodes are idle"},
		"idle nodes are counted wrong":          {func(b broken) { b.nodes.idle++ }, "I8: 2 nodes are idle, 3 counted"},
		"too many nodes are idle":               {func(b broken) { b.nodes.maxIdle = 1 }, "I8: 2 nodes are idle"},
		"an idle node is not in the table":      {func(b broken) { delete(b.nodes.byName, "/idle") }, "I8: node /idle"},
	} {
		b := newBroken()
		if err := b.Check(); err != nil {
			t.Fatalf("Check() = %v before anything was broken, want nil", err)
		}
		test.corrupt(b)
		if err := b.Check(); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: Check() = %v, want %s...", name, err, test.want)
		}
	}
}

// leaveSilently takes an entry of the holder out of the root's queue, which others are in.
func leaveSilently(b broken) {
	for i := range b.holder.places {
		if p := &b.holder.places[i]; p.node.name == "/" {
			p.node.queue.Leave(&p.entry, nil)
		}
	}
}

// queueTwice gives the holder a second place of the same mode at the same node.
func queueTwice(b broken) {
	places := make([]place[treelock.Path, string], len(b.holder.places)+1)
	places[0].node = b.node("/")
	for i := range b.holder.places {
		p := &b.holder.places[i]
		p.node.queue.Leave(&p.entry, nil)
		places[i+1].node = p.node
		p.node.queue.Hold(&places[i+1].entry, b.holder, b.holder.seq, p.entry.Mode(), nil)
	}
	places[0].node.queue.Hold(&places[0].entry, b.holder, b.holder.seq, waitqueue.IW, nil)
	b.holder.places = places
}

func listBackwards(b broken) {
	b.dropWaiting(b.early)
	b.pushWaiting(b.early)
}

func TestSpareStorageIsBounded(t *testing.T) {
	table := New[treelock.Path, string](10)
	var live []*Request[treelock.Path, string]
	for i := range 2 * maxFree {
		live = append(live, table.Submit("", ClaimsOf(treelock.Read(treelock.Path(fmt.Sprint("/", i))))))
	}
	wide := make([]treelock.Path, 2*maxPlaces)
	for i := range wide {
		wide[i] = treelock.Path(fmt.Sprint("/wide", i))
	}
	table.End(table.Submit("", ClaimsOf(treelock.Read(wide...))))
	if got := len(table.free); got != 0 {
		t.Errorf("%d requests are kept for reuse after the end of a wide one, want 0", got)
	}
	for _, r := range live {
		table.End(r)
	}
	if len(table.free) > maxFree || len(table.nodes.spare) > maxSpare || table.nodes.idle != 10 {
		t.Errorf("%d requests and %d nodes are kept, and %d idle, want %d and %d at most, and 10", len(table.free), len(table.nodes.spare), table.nodes.idle, maxFree, maxSpare)
	}
}
