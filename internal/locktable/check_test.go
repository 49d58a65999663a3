package locktable

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/terms"
	"github.com/treelock/treelock/waitqueue"
)

// modesOf returns the mode of r at each of its nodes.
func modesOf(r *Request[treelock.Path, string]) map[string]string {
	modes := map[string]string{}
	for i := range r.uses {
		p := &r.uses[i]
		modes[string(p.node.name)] += p.mode.String()
	}
	return modes
}

// TestRequestIsAtEachNodeOnce checks I3.
func TestRequestIsAtEachNodeOnce(t *testing.T) {
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
		{treelock.Read("/a").WriteNode("/a"), map[string]string{"/a": "NW+TR", "/": "IW"}},
		{treelock.Read("/a").Write("/a/b"), map[string]string{"/a/b": "TW", "/a": "IW+TR", "/": "IW"}},
		{treelock.Write("/a/b").Read("/a"), map[string]string{"/a/b": "TW", "/a": "IW+TR", "/": "IW"}},
		{treelock.Write("/a").Write("/a/b"), map[string]string{"/a/b": "TW", "/a": "TW", "/": "IW"}},
		{treelock.Read("/a/x").Write("/a/y"), map[string]string{"/a/x": "TR", "/a/y": "TW", "/a": "IW", "/": "IW"}},
		{treelock.Write("/a/y").ReadNode("/a", "/"), map[string]string{"/a/y": "TW", "/a": "IW+NR", "/": "IW+NR"}},
		{treelock.ReadNode("/a/b").Read("/"), map[string]string{"/a/b": "NR", "/a": "IR", "/": "TR"}},
	} {
		table := New[treelock.Path, string](4, terms.NewPaths())
		r := table.Submit(ClaimsOf(test.req))
		if diff := cmp.Diff(test.want, modesOf(r)); diff != "" {
			t.Errorf("Submit(%v) queues, -want +got:\n%s", test.req, diff)
		}
		all := table.Submit(ClaimsOf(treelock.Write("/")))
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

// A broken is a sound table that a test is about to break. holder writes /a. early and late wait
// for /a/x below it. /idle/1 and /idle are idle.
type broken struct {
	*Table[treelock.Path, string]
	holder, early, late *Request[treelock.Path, string]
}

func newBroken() broken {
	b := broken{Table: New[treelock.Path, string](2, terms.NewPaths())}
	idle := b.SubmitAs("idle", ClaimsOf(treelock.Read("/idle/1")))
	b.holder = b.SubmitAs("holder", ClaimsOf(treelock.Write("/a")))
	b.early = b.SubmitAs("early", ClaimsOf(treelock.Read("/a/x")))
	b.late = b.SubmitAs("late", ClaimsOf(treelock.Write("/a/x")))
	b.End(idle)
	return b
}

func (b broken) node(p treelock.Path) *node[treelock.Path, string] { return b.nodes.byName[p] }

func TestCheckFindsBrokenTables(t *testing.T) {
	for name, test := range map[string]struct {
		corrupt func(b broken)
		want    string
	}{
		"a holder counts a wait":             {func(b broken) { b.holder.blocked++ }, "I5: request 2"},
		"a waiter counts one wait less":      {func(b broken) { b.late.blocked-- }, "I5: request 4"},
		"a number is too large":              {func(b broken) { b.late.seq = 99 }, "I5: request 99 has"},
		"a number is used twice":             {func(b broken) { b.early.seq = b.late.seq }, "I5: request 4 has"},
		"an entry has another number":        {func(b broken) { b.late.seq = 5; b.lastSeq = 5 }, "I3: node"},
		"a use is missing":                   {func(b broken) { b.holder.uses = b.holder.uses[:1] }, "I3: there are"},
		"a use is missing and not counted":   {func(b broken) { b.holder.uses = b.holder.uses[:1]; b.uses-- }, "I3: node /"},
		"a use is of an unknown node":        {func(b broken) { b.holder.uses[0].node = &node[treelock.Path, string]{} }, "I3: request 2"},
		"a use has another mode":             {func(b broken) { b.holder.uses[0].mode = waitqueue.TR }, "I3: node /a"},
		"an admitted use is marked waiting":  {func(b broken) { b.holder.uses[0].waiting = true }, "I5: request 2"},
		"the first use is no claim":          {func(b broken) { b.holder.uses[0].mode = waitqueue.IW }, "I3: the first node use of request 2"},
		"a request uses a node twice":        {useRootTwice, "I3: request 2 uses node / twice"},
		"the count of live requests is off":  {func(b broken) { b.live++ }, "I5: 3 requests are live"},
		"the count of waiters is off":        {func(b broken) { b.waiting++ }, "I5: 3 requests are live"},
		"a request is not stored":            {func(b broken) { b.storage.requests = b.storage.requests[:3] }, "I5: 2 requests are live"},
		"two requests swap numbers":          {func(b broken) { b.early.seq, b.late.seq = b.late.seq, b.early.seq }, "I2: request 4 is admitted"},
		"a request has the wrong slot":       {func(b broken) { b.late.slot = 0 }, "I5: request 4 is in the wrong slot"},
		"an ended request keeps a use":       {keepUseAfterEnd, "I5: request 0 is in the wrong slot"},
		"an entry has left the queue":        {withdrawSilently, "I3: node /"},
		"a later request is admitted first":  {overtake, "I2: request 4 is admitted"},
		"a claim is not listed":              {func(b broken) { b.node("/a").removeClaim(&b.holder.firstClaim, waitqueue.TW) }, "I3: node /a lists 0 claims"},
		"a claim is listed at another node":  {func(b broken) { b.node("/").addClaim(&b.holder.firstClaim, waitqueue.TW) }, "I3: node /"},
		"a claim has the wrong previous one": {func(b broken) { b.late.firstClaim.prev = &b.holder.firstClaim }, "I3: node /a/x"},
		"a claim list has the wrong last":    {func(b broken) { b.early.firstClaim.prev = &b.early.firstClaim }, "I3: node /a/x has the wrong last claim"},
		"a waiting claim comes first":        {listLateFirst, "I4: node /a/x lists request 4, which waits, before request 3"},
		"a claim is in the other list":       {listReaderWithOtherModes, "I3: node /a/x lists a claim of request 5"},
		"only the second claim list is used": {useSecondListOnly, "I3: node /a has a second claim list"},
		"a claim has an index out of range":  {func(b broken) { b.holder.firstClaim.use = 9 }, "I3: node /a lists a claim of request 2"},
		"an entry has another mode":          {func(b broken) { b.late.uses[1].mode = waitqueue.IR }, "I3: node /a has an entry"},
		"a free request is not stored":       {func(b broken) { b.storage.freeRequests = append(b.storage.freeRequests, nil) }, "I5: 3 requests are live"},
		"a busy node is not linked":          {func(b broken) { b.node("/a/x").unlink() }, "I9: node /a/x is linked for activity 0"},
		"a written node is linked as read":   {func(b broken) { b.node("/a/x").unlink(); linkAlone(b.node("/a/x"), reading) }, "I9: node /a/x is linked for activity 1"},
		"a child names another list":         {func(b broken) { b.node("/idle/1").linkedAs = writing }, "I9: node /idle/1 is in a list of children of /idle"},
		"a child has another parent":         {func(b broken) { b.node("/idle/1").parent = b.node("/a") }, "I9: node /idle/1 is in a list of children of /idle"},
		"a child has a broken link":          {func(b broken) { b.node("/idle/1").prev = b.node("/a") }, "I9: node /idle/1 is in a list of children of /idle"},
		"a child is not in the table":        {linkEvicted, "I9: node /evicted is in a list of children of /idle"},
		"a node is its own child":            {linkToItself, "I9: node /idle/1 is in a list of children of /idle/1"},
		"a long name has another hash":       {changeHash, "I8: node /long"},
		"bytes of long names are off":        {func(b broken) { b.nodes.long.idleBytes++ }, "I8: the names in the idle list"},
		"an unknown node is listed as idle":  {listForeign, "I8: node /foreign is in the idle list"},
		"a node has another name":            {func(b broken) { b.node("/a").name = "/b" }, "I8: node /b"},
		"a node is marked as evicted":        {func(b broken) { b.node("/a").inTable = false }, "I8: node /a"},
		"an idle node is not marked":         {func(b broken) { b.node("/idle").inIdleList = false }, "I8: node /idle"},
		"an idle node is not listed":         {func(b broken) { b.nodes.idle.pop() }, "I8: the idle list has 1 nodes"},
		"too many nodes are idle":            {func(b broken) { b.nodes.maxIdle = 1 }, "I8: the idle list has 2 nodes"},
		"an idle node is not in the table":   {func(b broken) { delete(b.nodes.byName, "/idle") }, "I8: node /idle"},
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

// keepUseAfterEnd ends a request, and gives it a node use again.
func keepUseAfterEnd(b broken) {
	r := b.Submit(ClaimsOf(treelock.Read("/b")))
	b.End(r)
	r.uses = r.uses[:1]
}

// useRootTwice gives the holder a second use of the root, in another mode, and counts it in the
// queue.
func useRootTwice(b broken) {
	b.node("/").queue.ForceAdmit(waitqueue.IR)
	b.holder.uses = append(b.holder.uses, nodeUse[treelock.Path, string]{node: b.node("/"), mode: waitqueue.IR})
	b.Table.uses++
}

// listLateFirst moves the claim of the early reader behind that of the late writer, which waits.
func listLateFirst(b broken) {
	b.node("/a/x").removeClaim(&b.early.firstClaim, waitqueue.TR)
	b.node("/a/x").addClaim(&b.early.firstClaim, waitqueue.TR)
}

// listReaderWithOtherModes puts a claim in mode NR into the list of other modes.
func listReaderWithOtherModes(b broken) {
	r := b.SubmitAs("reader", ClaimsOf(treelock.ReadNode("/a/x")))
	b.node("/a/x").removeClaim(&r.firstClaim, waitqueue.NR)
	b.node("/a/x").addClaim(&r.firstClaim, waitqueue.TR)
}

func useSecondListOnly(b broken) {
	a := b.node("/a")
	a.claims, a.children.claims = nil, a.claims
}

// linkAlone makes n the only child in a list of its parent.
func linkAlone(n *node[treelock.Path, string], kind activity) {
	n.next, n.prev, n.linkedAs = n, n, kind
	n.parent.children.first[kind-reading] = n
}

func linkEvicted(b broken) {
	linkAlone(&node[treelock.Path, string]{name: "/evicted", parent: b.node("/idle")}, writing)
}

func linkToItself(b broken) {
	n := b.node("/idle/1")
	n.unlink()
	n.parent, n.children = n, new(children[treelock.Path, string])
	linkAlone(n, reading)
}

// changeHash moves the node with a long name to another hash.
func changeHash(b broken) {
	b.SubmitAs("long", ClaimsOf(treelock.Read(treelock.Path("/long"+strings.Repeat("g", maxShort)))))
	p := b.nodes.long
	for hash, n := range p.byHash {
		delete(p.byHash, hash)
		p.byHash[hash+1] = n
		return
	}
}

func listForeign(b broken) {
	b.nodes.maxIdle++
	b.nodes.idle.push(&node[treelock.Path, string]{name: "/foreign", inIdleList: true})
}

// withdrawSilently removes an entry of the early reader from a queue, and leaves its node use as it
// is.
func withdrawSilently(b broken) {
	w := b.early.waits
	b.early.uses[w.use].node.queue.Withdraw(&w.entry, nil)
}

// overtake admits the late writer to /a/x, and makes the early reader wait there.
func overtake(b broken) {
	x := b.node("/a/x")
	x.queue.Leave(waitqueue.TR)
	for i := range b.early.uses {
		if p := &b.early.uses[i]; p.node == x {
			b.enqueue(b.early, i)
		}
	}
	// The late writer waits there. It changes roles with the reader.
	for w := b.late.waits; w != nil; w = w.next {
		if p := &b.late.uses[w.use]; p.node == x {
			x.queue.ForceAdmit(waitqueue.TW) // before the withdrawal, which then admits no request
			x.queue.Withdraw(&w.entry, nil)
			p.waiting = false
			b.late.blocked--
		}
	}
}

func TestSpareStorageIsBounded(t *testing.T) {
	table := New[treelock.Path, string](10, terms.NewPaths())
	var live []*Request[treelock.Path, string]
	for i := range 2 * maxFree {
		live = append(live, table.Submit(ClaimsOf(treelock.Read(treelock.Path(fmt.Sprint("/", i))))))
	}
	wide := make([]treelock.Path, 2*maxUses)
	for i := range wide {
		wide[i] = treelock.Path(fmt.Sprint("/wide", i))
	}
	table.End(table.Submit(ClaimsOf(treelock.Read(wide...))))
	if got := len(table.storage.freeRequests); got != 0 {
		t.Errorf("%d requests are kept for reuse after the end of a wide one, want 0", got)
	}
	for _, r := range live {
		table.End(r)
	}
	if len(table.storage.freeRequests) > maxFree || table.nodes.idle.len() != 10 || table.Nodes() != 10 {
		t.Errorf("%d requests are kept, and %d of %d nodes, want %d at most, and 10", len(table.storage.freeRequests), table.nodes.idle.len(), table.Nodes(), maxFree)
	}
}

// TestNarrowedRequestKeepsFewLinks: it may be reused, and must not keep the storage of a wide one.
func TestNarrowedRequestKeepsFewLinks(t *testing.T) {
	table := New[treelock.Path, string](10, terms.NewPaths())
	wide := treelock.Write("/0")
	for i := range 2 * maxUses {
		wide = wide.Write(treelock.Path(fmt.Sprint("/", i)))
	}
	r := table.Submit(ClaimsOf(wide))
	if _, ok := table.Narrow(r, ClaimsOf(treelock.Write("/0", "/1"))); !ok {
		t.Fatal("Narrow() = false, want true")
	}
	if got := cap(*r.moreClaims); got > maxUses {
		t.Errorf("a request of 2 claims keeps room for %d more, want %d at most", got, maxUses)
	}
}

// Free waits are kept for reuse, up to a limit.
func TestStorageOfWaitersIsBounded(t *testing.T) {
	table := New[treelock.Path, string](10, terms.NewPaths())
	holder := table.Submit(ClaimsOf(treelock.Write("/")))
	for range 2 * maxFree {
		table.Submit(ClaimsOf(treelock.Write("/")))
	}
	for granted := table.End(holder); len(granted) > 0; granted = table.End(granted[0]) {
	}
	kept := 0
	for w := table.storage.freeWaits; w != nil; w = w.next {
		kept++
	}
	if kept != maxFree || kept != table.storage.numFreeWaits {
		t.Errorf("%d entries are kept, %d are counted, want %d", kept, table.storage.numFreeWaits, maxFree)
	}
}
